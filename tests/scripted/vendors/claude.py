"""Anthropic Claude, 5.x: signed thinking bound to model and prefix, strict fields, cache marks, no forced tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.scripted.asked import Asked, signature_of
from tests.scripted.checks import Complaint
from tests.scripted.checks_messages import merged
from tests.scripted.connection import Received
from tests.scripted.elements import Json
from tests.scripted.reply import Response, json_response
from tests.scripted.vendors.vendor import Model, Page, Vendor, anthropic_error, unknown_fields
from tests.scripted.wires.messages import blocks, prefix, unmarked

FIELDS = (
    "model messages max_tokens system tools tool_choice thinking output_config stop_sequences metadata stream "
    "temperature top_p top_k service_tier container context_management mcp_servers cache_control"
)
EFFORTS = ("low", "medium", "high", "xhigh", "max")
INVALID = "Invalid `signature` in `thinking` block"
BOUND = (
    INVALID + ". The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)
CHANGED = "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified."
EXPECTED = (
    "Expected `thinking` or `redacted_thinking`, but found `{}`. When `thinking` is enabled, a final `assistant` "
    "message must start with a thinking block."
)
NO_FORCE = 'tool_choice: type "tool" and "any" are not supported for this model'
MARKS = 4
BINDING_BETA = "thinking-binding-controls-2026-08-01"


class Claude(Vendor):
    wires = ("messages",)
    models = (
        Model("claude-opus-5-5", window=1_000_000, output=128_000),
        Model("claude-sonnet-5-5", window=1_000_000, output=128_000),
        Model("claude-haiku-5-5", window=1_000_000, output=128_000),
        Model("claude-fable-5-1", window=1_000_000, output=128_000),
    )
    cache = "marks"
    key_headers = ("x-api-key", "authorization")

    def __init__(self) -> None:
        super().__init__()
        self._thought_before: dict[str, str] = {}
        """For each call of ours the signature of the thinking that its message begins with."""
        self.dropped: list[str] = []
        """Where thinking stood that no longer held and was left out, because the request wishes so."""
        self._dropped_now: list[str] = []

    def thinks(self, asked: Asked) -> bool:
        return (asked.body.get("thinking") or {}).get("type") != "disabled"

    def shown(self, asked: Asked, thinking: str) -> str:
        return thinking if (asked.body.get("thinking") or {}).get("display") == "summarized" else ""

    def gave(self, asked: Asked, answer: list[Json]) -> None:
        if answer and answer[0]["type"] == "thinking":
            for block in answer:
                if block["type"] == "tool_use":
                    self._thought_before[block["id"]] = answer[0]["signature"]

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"model: {id}", 404)

    def no_key(self, given: str | None) -> Complaint:
        return Complaint("invalid x-api-key" if given else "x-api-key header is required", 401)

    def error(self, complaint: Complaint, request: Received) -> Response:
        return anthropic_error(complaint)

    def messages(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if "anthropic-version" not in request.headers:
            yield "anthropic-version: header is required"
        for name in unknown_fields(body, FIELDS):
            yield f"{name}: Extra inputs are not permitted"
        yield from self._of_fields(body)
        yield from self._of_marks(body)
        wish = ((body.get("thinking") or {}).get("block_binding") or {}).get("prefix_mismatch_behavior")
        if wish is not None and BINDING_BETA not in request.headers.get("anthropic-beta", ""):
            yield "thinking.block_binding: Extra inputs are not permitted"
        yield from self._of_thinking(body, drops=wish == "drop_block")

    def noted(self, asked: Asked) -> Json:
        gone = [
            {"type": "thinking_dropped", "path": path, "reason": "prefix_binding_mismatch"}
            for path in self._dropped_now
        ]
        return {"input_transformations": gone} if gone else {}

    def _of_fields(self, body: Json) -> Iterator[str]:
        model, thinking = body["model"], body.get("thinking") or {}
        if body["max_tokens"] > self.model(body).output:
            yield f"max_tokens: {body['max_tokens']} > {self.model(body).output}, which is the maximum for {model}"
        for name, default in (("temperature", 1), ("top_p", None), ("top_k", None)):
            if body.get(name, default) != default:
                yield f"`{name}` is not supported for this model"
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool") and "haiku" not in model:
            yield NO_FORCE
        kind = thinking.get("type", "adaptive")
        if kind == "enabled" or "budget_tokens" in thinking:
            yield 'thinking.type: "enabled" with `budget_tokens` is not supported for this model'
        elif kind not in _kinds(model):
            yield f'thinking.type: "{kind}" is not supported for this model'
        if thinking.get("display", "omitted") not in ("omitted", "summarized"):
            yield "thinking.display: Input should be 'omitted' or 'summarized'"
        effort = (body.get("output_config") or {}).get("effort")
        if effort is not None and effort not in EFFORTS:
            yield f"output_config.effort: Input should be one of {', '.join(EFFORTS)}"

    def _of_marks(self, body: Json) -> Iterator[str]:
        marks = list(_marked([body.get("tools"), body.get("system"), body.get("messages")]))
        if len(marks) > MARKS:
            yield f"A maximum of {MARKS} blocks with cache_control may be provided. Found {len(marks)}."
        for block in marks:
            if block.get("type") in ("thinking", "redacted_thinking") or block.get("text") == "":
                yield f"cache_control cannot be set for {block['type']} blocks or empty text"

    def _of_thinking(self, body: Json, drops: bool) -> Iterator[str]:
        """Signatures hold for the model that made them and for exactly what stood before them."""
        self._dropped_now = []
        before = prefix({**body, "messages": []})
        last = max((place for place, role, _ in merged(body["messages"]) if role == "assistant"), default=-1)
        for place, role, content in merged(body["messages"]):
            begins = list(before)
            for j, block in enumerate(content):
                if block.get("type") == "thinking":
                    path = f"messages.{place}.content.{j}"
                    for words in self._of_signature(path, body["model"], before, block, last):
                        if drops and words.endswith(BOUND):
                            self._dropped_now.append(path)
                        else:
                            yield words
                before.append((role, unmarked(block)))
            if role == "assistant":
                yield from self._of_loss(place, body["model"], begins, content)
        self.dropped += self._dropped_now

    def _of_signature(
        self, place: str, model: str, before: list[tuple[str, Json]], block: Json, last: int
    ) -> Iterator[str]:
        signature, text = block.get("signature"), block.get("thinking", "")
        if not signature:
            yield f"{place}.thinking.signature: Field required"
        elif signature not in self.signatures:
            yield f"{place}: {INVALID}"
        elif text != self.signatures[signature][1]:
            yield f"{place}: {CHANGED}" if place.startswith(f"messages.{last}.") else f"{place}: {INVALID}"
        elif signature != signature_of(model, before, text):
            yield f"{place}: {BOUND}"

    def _of_loss(self, place: int, model: str, before: list[tuple[str, Json]], content: list[Json]) -> Iterator[str]:
        """Thinking that still holds and was left out. What no longer holds may be left out."""
        for block in content:
            signature = self._thought_before.get(str(block.get("id"))) if block.get("type") == "tool_use" else None
            if signature is None or content[0].get("type") == "thinking":
                continue
            if signature == signature_of(model, before, self.signatures[signature][1]):
                yield f"messages.{place}.content.0.type: {EXPECTED.format(content[0]['type'])}"

    def pages(self) -> dict[str, Page]:
        return {"/v1/models": self._models, "/v1/messages/count_tokens": _count}

    def listed(self, model: Model) -> Json:
        kinds = ("adaptive", "disabled", "between_tools")
        supported = {kind: {"supported": kind in _kinds(model.id)} for kind in kinds}
        capabilities = {name: {"supported": True} for name in ("image_input", "structured_outputs", "effort")}
        capabilities["thinking"] = {"supported": True, "types": supported | {"enabled": {"supported": False}}}
        named = {"type": "model", "id": model.id, "display_name": model.id.title(), "lifecycle": "active"}
        return named | {
            "max_input_tokens": model.window,
            "max_tokens": model.output,
            "capabilities": capabilities,
        }

    def _models(self, request: Received) -> Response:
        """Two a page, unless more are asked for."""
        asked = dict(pair.split("=", 1) for pair in request.target.partition("?")[2].split("&") if "=" in pair)
        ids = [model.id for model in self.models]
        start = ids.index(asked["after_id"]) + 1 if "after_id" in asked else 0
        page = self.models[start : start + min(2, int(asked.get("limit", 20)))]
        ends = {"first_id": page[0].id if page else None, "last_id": page[-1].id if page else None}
        has_more = start + len(page) < len(ids)
        return json_response({"data": [self.listed(model) for model in page], "has_more": has_more} | ends)


def _kinds(model: str) -> tuple[str, ...]:
    """What `thinking.type` may be: some models always think, one stops only between tools."""
    if "sonnet" in model:
        return ("adaptive", "between_tools")
    return ("adaptive", "disabled") if "haiku" in model else ("adaptive",)


def _marked(part: Any) -> Iterator[Json]:
    if isinstance(part, dict):
        if "cache_control" in part:
            yield part
        for value in part.values():
            yield from _marked(value)
    elif isinstance(part, list):
        for value in part:
            yield from _marked(value)


def _count(request: Received) -> Response:
    said = [block for message in request.body["messages"] for block in blocks(message["content"])]
    return json_response({"input_tokens": max(1, len(str(said)) // 4)})
