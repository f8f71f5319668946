"""OpenAI: encrypted reasoning items that must stand before what they led to; on Chat Completions nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.scripted.asked import Asked, is_reasoning
from tests.scripted.checks import Complaint, Demands
from tests.scripted.checks_responses import kind_of
from tests.scripted.connection import Received
from tests.scripted.elements import Element, Json
from tests.scripted.vendors.vendor import Model, Vendor, lacks_json_word, unknown_fields

CHAT_FIELDS = (
    "model messages stream stream_options max_completion_tokens temperature top_p stop seed n presence_penalty "
    "frequency_penalty tools tool_choice parallel_tool_calls response_format reasoning_effort verbosity store metadata "
    "user logprobs top_logprobs logit_bias prompt_cache_key safety_identifier service_tier modalities prediction"
)
RESPONSES_FIELDS = (
    "model input instructions stream stream_options max_output_tokens temperature top_p tools tool_choice "
    "parallel_tool_calls reasoning text store include prompt_cache_key previous_response_id metadata truncation user "
    "service_tier safety_identifier background max_tool_calls top_logprobs conversation prompt"
)
EFFORTS = ("none", "low", "medium", "high", "xhigh", "max")
PREFIXES = {"reasoning": "rs", "message": "msg", "function_call": "fc"}
NO_JSON = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."


class OpenAI(Vendor):
    wires = ("chat", "responses")
    models = (
        Model("gpt-6.1-sol", window=922_000, output=128_000),
        Model("gpt-6.1-terra", window=922_000, output=128_000),
        Model("gpt-6-luna", window=922_000, output=128_000),
    )
    key_headers = ("authorization",)
    demands = Demands(roles=("system", "developer", "user"))

    def __init__(self) -> None:
        super().__init__()
        self._encrypted: dict[str, str] = {}
        """The model that each encrypted content was made by."""
        self._led_to: dict[str, str] = {}
        """The encrypted content of the reasoning that each call, by call_id, came right after."""

    def thinks(self, asked: Asked) -> bool:
        return (asked.body.get("reasoning") or {}).get("effort") != "none"

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens' is not supported with this model. "
            yield _param(message + "Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
        for name in unknown_fields(body, CHAT_FIELDS):
            yield _param(f"Unrecognized request argument supplied: {name}", name, "unknown_parameter")
        yield from _of_sampling(body, body.get("reasoning_effort"))
        if lacks_json_word(body):
            yield _param(NO_JSON, "messages", None)
        for i, message in enumerate(body["messages"]):
            for name in message.keys() - {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio"}:
                place = f"messages[{i}].{name}"
                yield _param(f"Unknown parameter: '{place}'.", place, "unknown_parameter")
            if any(len(call["id"]) > 40 for call in message.get("tool_calls") or []):
                place = f"messages[{i}].tool_calls[0].id"
                yield _param(f"Invalid '{place}': string too long.", place, "string_above_max_length")

    def responses(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        for name in unknown_fields(body, RESPONSES_FIELDS):
            yield _param(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        yield from _of_sampling(body, (body.get("reasoning") or {}).get("effort"))
        if body.get("previous_response_id"):
            words = f"Previous response with id '{body['previous_response_id']}' not found."
            yield _param(words, "previous_response_id", "previous_response_not_found")
        if body.get("max_output_tokens", 16) < 16:
            yield _param("Invalid 'max_output_tokens': integer below minimum value.", "max_output_tokens", None)
        for tool in body.get("tools") or []:
            if tool.get("strict", True):
                yield from _of_strict(tool)
        if isinstance(body["input"], list):
            yield from self._of_items(body["input"], body["model"], body.get("store", True))

    def _of_items(self, items: list[Json], model: str, store: bool) -> Iterator[Complaint | str]:
        for i, item in enumerate(items):
            kind, place, id = kind_of(item), f"input[{i}]", item.get("id")
            if id is not None and kind in PREFIXES and not str(id).startswith(PREFIXES[kind]):
                words = f"Invalid '{place}.id': '{id}'. Expected an ID that begins with '{PREFIXES[kind]}'."
                yield _param(words, f"{place}.id", "invalid_value")
            if kind == "reasoning":
                yield from self._of_reasoning(item, items[i + 1 : i + 2], model, store)
            elif kind == "function_call" and (made := self._led_to.get(item["call_id"])):
                before = [other.get("encrypted_content") for other in items[:i] if kind_of(other) == "reasoning"]
                if made not in before and self._encrypted[made] == model:
                    name = id or item["call_id"]
                    yield f"Item '{name}' of type 'function_call' was provided without its required 'reasoning' item."

    def _of_reasoning(self, item: Json, after: list[Json], model: str, store: bool) -> Iterator[Complaint | str]:
        content, id = item.get("encrypted_content"), item.get("id", "rs_")
        if not content:
            words = f"Item with id '{id}' not found. Items are not persisted when `store` is set to false."
            yield Complaint(words, 404, {"param": "input"})
        elif self._encrypted.get(content) != model:
            yield f"The encrypted content {content[:8]}... could not be verified."
        if not after or kind_of(after[0]) not in ("message", "function_call", "reasoning") or _is_user(after[0]):
            yield f"Item '{id}' of type 'reasoning' was provided without its required following item."

    # Its voice: on chat nothing of the reasoning is shown

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        return [] if is_reasoning(element) else [element]

    def gave(self, asked: Asked, answer: list[Json]) -> None:
        last = None
        for item in answer:
            if item.get("type") == "reasoning":
                last = item["encrypted_content"]
                self._encrypted[last] = asked.model
            elif item.get("type") == "function_call" and last:
                self._led_to[item["call_id"]] = last

    def encrypt(self, asked: Asked, reasoning: str) -> str | None:
        return super().encrypt(asked, f"{asked.number}|{reasoning}")


def _is_user(item: Json) -> bool:
    return item.get("role") == "user"


def _of_sampling(body: Json, effort: str | None) -> Iterator[Complaint]:
    for name in ("temperature", "top_p"):
        if body.get(name, 1) != 1:
            words = f"Unsupported parameter: '{name}' is not supported with this model."
            yield _param(words, name, "unsupported_parameter")
    if effort is not None and effort not in EFFORTS:
        words = f"Unsupported value: '{effort}' is not supported with this model. Supported values are: {EFFORTS}."
        yield _param(words, "reasoning_effort", "unsupported_value")


def _of_strict(tool: Json) -> Iterator[Complaint]:
    """`strict` is true unless it says false: then every property is required, and there are no others."""
    schema, name = tool.get("parameters") or {}, tool.get("name")
    start = f"Invalid schema for function '{name}': In context=(), "
    if schema.get("additionalProperties") is not False:
        words = "'additionalProperties' is required to be supplied and to be false."
        yield _param(start + words, "tools[0].parameters", "invalid_function_parameters")
    if set(schema.get("required", [])) != set(schema.get("properties", {})):
        words = "'required' is required to be supplied and to be an array including every key in properties."
        yield _param(start + words, "tools[0].parameters", "invalid_function_parameters")


def _param(message: str, param: str, code: str | None) -> Complaint:
    return Complaint(message, 400, {"param": param, "code": code})
