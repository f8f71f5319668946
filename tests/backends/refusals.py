"""Refusals in the vendors' own words, each with a request that meets it and the rule that it teaches."""

from __future__ import annotations

from typing import Any

from tests.backends.asking import HELLO
from tests.scripted import Response, fault
from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.core.messages import Image, Json, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user

OTHER = Origin("other", "https://elsewhere/v1", "x", "chat-completions")
LS = ToolSpec("ls", "Lists.", {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}}})
SEEN = Request("s", (Message("user", (Text("what is it"), Image("image/png", "AAAA", "cat.png"))),))
TOOLS = Request("s", (user("list"),), (LS,), tool_choice="required")
SCHEMA = Request("s", (user("list"),), schema={"type": "object"})


def calls(*blocks: Any, origin: Origin | None = None) -> Request:
    """A conversation with a call, of `origin` or the asked model's own."""
    made = Message("assistant", blocks or (ToolCall("c1", "ls", {}),), origin)
    return Request("s", (user("list"), made, Message("tool", (ToolResult("c1", "a.py"),)), user("thanks")))


def own(spec: BackendSpec, request: Request) -> Request:
    """The conversation as if the asked model had made it."""
    messages = tuple(
        Message(message.role, message.blocks, message.origin or (spec.origin if message.role == "assistant" else None))
        for message in request.messages
    )
    return Request(request.system, messages, request.tools, request.schema, request.tool_choice, request.body)


def said(message: str = "Bad Request", **fields: Any) -> Response:
    return fault(fields.pop("status", 400), {"error": {"message": message, "type": "invalid_request_error"} | fields})


def detail(*loc: Any) -> Response:
    error = {"type": "extra_forbidden", "loc": ["body", *loc], "msg": "Extra inputs are not permitted", "input": 1}
    return fault(422, {"detail": [error]})


OWN_CALLS = calls(Reasoning("hm"), ToolCall("c1", "ls", {}))
BARE_CALLS = calls(ToolCall("c1", "ls", {}))
FOREIGN_CALLS = calls(ToolCall("c1", "ls", {}), origin=OTHER)

# The vendors' own words: (refusal, request, spec, rule, value)
LESSONS: dict[str, tuple[Response, Request, Json, str, Any]] = {
    "OpenAI: max_tokens": (
        said(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        ),
        HELLO,
        {"max_output": 100},
        "max_tokens_field",
        "max_completion_tokens",
    ),
    "FastAPI: max_completion_tokens": (
        detail("max_completion_tokens"),
        HELLO,
        {"max_output": 100, "rules": Rules(max_tokens_field="max_completion_tokens")},
        "max_tokens_field",
        "max_tokens",
    ),
    "FastAPI: stream_options": (detail("stream_options"), HELLO, {}, "stream_usage", False),
    "OpenAI: stream_options": (
        said("Unrecognized request argument supplied: stream_options"),
        HELLO,
        {},
        "stream_usage",
        False,
    ),
    "OpenAI: temperature": (
        said("Unsupported value: 'temperature' does not support 0.2 with this model.", param="temperature"),
        HELLO,
        {"body": {"temperature": 0.2}},
        "unknown_fields",
        ("temperature",),
    ),
    "OpenAI: a parameter named in param alone": (
        said("Unknown parameter.", param="seed", code="unknown_parameter"),
        HELLO,
        {"body": {"seed": 1}},
        "unknown_fields",
        ("seed",),
    ),
    "Gemini: unknown name": (
        fault(
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.',
                    }
                }
            ],
        ),
        HELLO,
        {"body": {"seed": 1}},
        "unknown_fields",
        ("seed",),
    ),
    "serde: unknown field": (
        said("unknown field `top_k`, expected one of `model`, `messages`, `temperature`"),
        HELLO,
        {"body": {"temperature": 1, "top_k": 1}},
        "unknown_fields",
        ("top_k",),
    ),
    "Ollama: thinking": (
        fault(400, {"error": '"smollm2" does not support thinking'}),
        HELLO,
        {"rules": Rules(thinking={"high": {"think": True, "reasoning_effort": "high"}}), "thinking": "high"},
        "unknown_fields",
        ("reasoning_effort", "think"),
    ),
    "OpenAI: max_tokens too large": (
        said("max_tokens is too large: 200000. This model supports at most 128000 completion tokens."),
        HELLO,
        {"max_output": 200_000},
        "max_output",
        128_000,
    ),
    "DeepSeek: max_tokens too large": (
        said("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"),
        HELLO,
        {"max_output": 9000},
        "max_output",
        8192,
    ),
    "Groq: max_tokens too large": (
        said("`max_tokens` must be less than or equal to `32,768`, the maximum value for this model"),
        HELLO,
        {"max_output": 65_536},
        "max_output",
        32_768,
    ),
    "Qwen: max_tokens too large": (
        said("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 16384]"),
        HELLO,
        {"max_output": 65_536},
        "max_output",
        16_384,
    ),
    "vLLM: max_tokens beyond what is left of the window": (
        said(
            "'max_tokens' is too large: 8192. This model's maximum context length is 8192 tokens and your request has "
            "20 input tokens (8192 > 8192 - 20)."
        ),
        HELLO,
        {"max_output": 8192},
        "unknown_fields",
        ("max_tokens",),
    ),
    "DeepSeek: tool_choice": (
        said("Thinking mode does not support this tool_choice"),
        TOOLS,
        {},
        "tool_choice_while_thinking",
        False,
    ),
    "Kimi: tool_choice": (
        said("tool_choice 'required' is incompatible with thinking enabled"),
        TOOLS,
        {},
        "tool_choice_while_thinking",
        False,
    ),
    "Qwen: tool_choice": (
        said("The tool_choice parameter does not support being set to required or object in thinking mode"),
        TOOLS,
        {},
        "tool_choice_while_thinking",
        False,
    ),
    "Kimi: any_of": (
        said("when using anyOf, type should be defined in anyOf items instead of the parent schema"),
        TOOLS,
        {},
        "tool_schema",
        "subset",
    ),
    "Gemini: schema": (
        said(
            "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[n].enum: only "
            "allowed for STRING type"
        ),
        TOOLS,
        {},
        "tool_schema",
        "subset",
    ),
    "Gemini: enum": (said("Invalid value at 'ls.n.enum' (TYPE_STRING)"), TOOLS, {}, "tool_schema", "subset"),
    "Gemini: required": (said("ls.required: property is not defined: zz"), TOOLS, {}, "tool_schema", "subset"),
    "Kimi: thinking that cannot be switched off": (
        said("invalid thinking: this model does not support disabling thinking"),
        HELLO,
        {"rules": Rules(thinking={"off": {"thinking": {"type": "disabled"}}}), "thinking": "off"},
        "unknown_fields",
        ("thinking",),
    ),
    "Claude: a kind of thinking": (
        said('thinking.type: "enabled" with `budget_tokens` is not supported for this model'),
        HELLO,
        {"rules": Rules(thinking={"high": {"thinking": {"type": "enabled"}}}), "thinking": "high"},
        "unknown_fields",
        ("thinking",),
    ),
    "Qwen: image": (said("Unexpected item type in content."), SEEN, {}, "images", False),
    "MiMo: an image for a model without vision": (fault(404), SEEN, {}, "images", False),
    "OpenRouter: image": (said("No endpoints found that support image input", status=404), SEEN, {}, "images", False),
    "llama.cpp: image": (
        said(
            "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", status=500
        ),
        SEEN,
        {},
        "images",
        False,
    ),
    "vLLM: image": (said("At most 0 image(s) may be provided in one prompt."), SEEN, {}, "images", False),
    "DeepSeek: image": (
        said("Failed to deserialize the JSON body: messages[1]: unknown variant `image_url`, expected `text`"),
        SEEN,
        {},
        "images",
        False,
    ),
    "Gemma's template: system": (said("System role not supported", status=500), SEEN, {}, "system_role", "user"),
    "OpenAI o1: system": (
        said("Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        SEEN,
        {},
        "system_role",
        "user",
    ),
    "Gemini: system": (
        said("Developer instruction is not enabled for models/gemma-3-27b-it"),
        SEEN,
        {},
        "system_role",
        "user",
    ),
    "MiMo: null content": (
        said("Param Incorrect", code="400", param="`text` is not present"),
        OWN_CALLS,
        {},
        "empty_content",
        "",
    ),
    "MiMo: empty content": (
        said("Param Incorrect", code="400", param="`text` is not set"),
        OWN_CALLS,
        {"rules": Rules(empty_content="")},
        "empty_content",
        " ",
    ),
    "MiMo: text is not set for want of reasoning": (
        said("Param Incorrect", code="400", param="`text` is not set"),
        BARE_CALLS,
        {"rules": Rules(empty_content="")},
        "reasoning_required",
        True,
    ),
    "OpenAI: json_schema": (
        said("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
        SCHEMA,
        {},
        "response_format",
        "json_object",
    ),
    "DeepSeek: json_schema": (
        said("This response_format type is unavailable now"),
        SCHEMA,
        {},
        "response_format",
        "json_object",
    ),
    "json_object": (
        said("response_format is not supported"),
        SCHEMA,
        {"rules": Rules(response_format="json_object")},
        "response_format",
        "none",
    ),
    "DeepSeek: reasoning": (
        said("The `reasoning_content` in the thinking mode must be passed back to the API."),
        FOREIGN_CALLS,
        {},
        "reasoning_required",
        True,
    ),
    "Kimi: reasoning": (
        said("thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"),
        OWN_CALLS,
        {"rules": Rules(replay_reasoning="none")},
        "reasoning_required",
        True,
    ),
    "MiMo: reasoning, in param": (
        fault(
            400,
            'data:{"error":{"code":"400","message":"Param Incorrect","param":"The reasoning_content in the thinking '
            'mode must be passed back to the API.","type":""}}',
        ),
        BARE_CALLS,
        {},
        "reasoning_required",
        True,
    ),
    "older DeepSeek: reasoning of plain answers": (
        said("Missing `reasoning_content` field in the assistant message at message index 1"),
        Request("", (user("a"), Message("assistant", (Reasoning("hm"), Text("b"))), user("c"))),
        {},
        "replay_reasoning",
        "all",
    ),
    "a filled line is not taken": (
        said("The `reasoning_content` in the thinking mode must be passed back to the API."),
        FOREIGN_CALLS,
        {"rules": Rules(reasoning_required=True)},
        "reasoning_fill",
        " ",
    ),
    "Groq: reasoning": (
        said("'messages.1' : for 'role:assistant' : property 'reasoning_content' is unsupported"),
        OWN_CALLS,
        {},
        "replay_reasoning",
        "none",
    ),
    "Mistral: reasoning": (
        detail("messages", 1, "assistant", "reasoning_content"),
        OWN_CALLS,
        {},
        "replay_reasoning",
        "none",
    ),
    "Gemini: thought signature": (
        said("Function call is missing a thought_signature in functionCall parts."),
        FOREIGN_CALLS,
        {},
        "dummy_signature",
        "skip_thought_signature_validator",
    ),
    "Mistral: ids": (
        said("Tool call id was c1 but must be a-z, A-Z, 0-9, with a length of 9."),
        OWN_CALLS,
        {},
        "call_ids",
        "nine",
    ),
    "Mistral: roles": (
        said("Unexpected role 'user' after role 'tool'"),
        OWN_CALLS,
        {},
        "assistant_before_user",
        True,
    ),
    "OpenAI: an organisation that may not stream": (
        said("Your organization must be verified to stream this model.", param="stream", code="unsupported_value"),
        HELLO,
        {},
        "unknown_fields",
        ("stream",),
    ),
}
