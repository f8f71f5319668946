"""What a real server refuses on Chat Completions, so that a test notices a request that would fail in real life."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.scripted.elements import Json
from tests.scripted.reply import Response, fault

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
NOT_ANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
)
NO_REASONING = (
    "The `reasoning_content` in the thinking mode must be passed back to the API: "
    "it is missing in an assistant message with tool calls"
)


@dataclass(frozen=True, slots=True)
class Demands:
    """How strict the server is beyond what all are."""

    models: tuple[str, ...] | None = None
    """Any other model is a 404; None: any name will do."""
    reasoning: bool = False
    """Tool calls must come back with reasoning_content (MiMo, DeepSeek, Kimi)."""
    refused_fields: tuple[str, ...] = ()
    """Fields at the top of the body that are a 400, such as stream_options on old servers."""
    refuses_null_content: bool = False
    """`content: null` beside tool calls is a 400 (MiMo)."""
    roles: tuple[str, ...] = ("system", "user")
    """Who may speak beside the assistant and its tools."""
    context_tokens: int | None = None
    """More than this, at four characters a token, is a 400 in llama.cpp's words."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a request is refused. `fields`: what else the error says, such as `code` and `param`."""

    message: str
    status: int = 400
    fields: Json = field(default_factory=dict)


def refusal(body: Any, demands: Demands) -> Response | None:
    """The error that a server of no special kind answers to such a body; None if it is fit to be answered."""
    for complaint in complaints(body, demands):
        error = {"message": complaint.message, "type": "invalid_request_error", "code": None} | complaint.fields
        return fault(complaint.status, {"error": error})
    return None


def complaints(body: Any, demands: Demands) -> Iterator[Complaint]:
    """All that is wrong with a body, the first first."""
    if not isinstance(body, dict):
        yield Complaint("We could not parse the JSON body of your request: an object is expected.")
        return
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield Complaint("you must provide a model parameter")
    elif demands.models is not None and body["model"] not in demands.models:
        message = f"The model `{body['model']}` does not exist or you do not have access to it."
        yield Complaint(message, 404, {"code": "model_not_found"})
    for name in demands.refused_fields:
        if name in body:
            yield Complaint(f"Unrecognized request argument supplied: {name}")
    for words in (*_of_messages(body.get("messages"), demands), *_of_tools(body.get("tools"))):
        yield Complaint(words)
    tokens = len(json.dumps(body.get("messages"))) // 4
    if demands.context_tokens is not None and tokens > demands.context_tokens:
        yield _too_long(tokens, demands.context_tokens)


def _too_long(tokens: int, limit: int) -> Complaint:
    message = f"request ({tokens} tokens) exceeds the available context size ({limit} tokens), try increasing it"
    fields = {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": tokens, "n_ctx": limit}
    return Complaint(message, 400, fields)


def _of_messages(messages: Any, demands: Demands) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "[] is too short - 'messages'"
        return
    unanswered: list[str] = []
    for i, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role == "tool":
            if message.get("tool_call_id") not in unanswered:
                yield f"messages[{i}]: 'tool' must be a response to preceding 'tool_calls', once for each id."
            else:
                unanswered.remove(message["tool_call_id"])
            if not isinstance(message.get("content"), str):
                yield f"messages[{i}]: `text` is not set"
            continue
        if unanswered:
            yield f"{NOT_ANSWERED} The following tool_call_ids did not have response messages: {', '.join(unanswered)}"
        if role == "assistant":
            yield from _of_assistant(i, message, demands)
            unanswered = [str(call.get("id")) for call in message.get("tool_calls") or []]
        elif role in demands.roles:
            yield from _of_content(i, message.get("content"))
        else:
            yield f"messages[{i}].role: {role!r} is not one of {', '.join(demands.roles)}, assistant, tool"
    if unanswered:
        yield NOT_ANSWERED
    if messages[-1].get("role") == "assistant":
        yield "This model does not support assistant message prefill. The conversation must end with a user message."


def _of_content(i: int, content: Any) -> Iterator[str]:
    if isinstance(content, list) and content:
        for part in content:
            kind = part.get("type") if isinstance(part, dict) else None
            if kind not in ("text", "image_url") or not part.get(kind):
                yield f"messages[{i}].content: a part must be a `text` or an `image_url`, with its value"
    elif not isinstance(content, str) or not content:
        yield f"messages[{i}].content: must not be empty"


def _of_assistant(i: int, message: Json, demands: Demands) -> Iterator[str]:
    calls, content = message.get("tool_calls"), message.get("content")
    if not content and not calls:
        yield f"messages[{i}]: an assistant message must have either content or tool_calls, but not none."
    if calls is not None and not calls:
        yield f"[] is too short - 'messages.{i}.tool_calls'"
    if content is None and demands.refuses_null_content:
        yield f"messages[{i}]: `text` is not present"
    if calls and demands.reasoning and not message.get("reasoning_content"):
        yield NO_REASONING
    ids = [call.get("id") for call in calls or []]
    if len(set(ids)) != len(ids):
        yield f"messages[{i}].tool_calls: ids must be unique"
    for call in calls or []:
        function = call.get("function") or {}
        if not isinstance(call.get("id"), str) or not call["id"] or call.get("type") != "function":
            yield f"messages[{i}].tool_calls: each must have an `id` and the type `function`"
        if not TOOL_NAME.match(str(function.get("name"))):
            yield f"messages[{i}].tool_calls: the name must match ^[a-zA-Z0-9_-]{{1,64}}$"
        if not is_json_object(function.get("arguments")):
            yield f"messages[{i}].tool_calls: `arguments` must be a string that holds a JSON object"


def is_json_object(arguments: Any) -> bool:
    try:
        return isinstance(arguments, str) and isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


def _of_tools(tools: Any) -> Iterator[str]:
    if tools is None:
        return
    if not isinstance(tools, list) or not tools:
        yield "[] is too short - 'tools'"
        return
    names = [(tool.get("function") or {}).get("name") for tool in tools]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"tools contains duplicate names: {name}"
    for tool in tools:
        function = tool.get("function") or {}
        if tool.get("type") != "function" or not TOOL_NAME.match(str(function.get("name"))):
            yield "tools: each must be of the type `function` and have a name that matches ^[a-zA-Z0-9_-]{1,64}$"
        schema = function.get("parameters", {"type": "object"})
        if schema.get("type") != "object" or {"anyOf", "oneOf", "allOf"} & schema.keys():
            yield f"tools: the schema of {function.get('name')} must be a plain object at its root"
