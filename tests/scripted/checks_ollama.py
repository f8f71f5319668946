"""What Ollama refuses on its own wire, and what it would take but could not use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.scripted.checks import TOOL_NAME, Complaint
from tests.scripted.elements import Json

ROLES = ("system", "user", "assistant", "tool")


def complaints(body: Any) -> Iterator[Complaint]:
    if not isinstance(body, dict):
        yield Complaint("invalid character: a JSON object is expected")
        return
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield Complaint("model is required")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield Complaint("messages are required")
    else:
        for words in _of_messages(messages):
            yield Complaint(words)
    if not isinstance(body.get("options", {}), dict):
        yield Complaint("json: cannot unmarshal options into a map")
    if not isinstance(body.get("think"), bool | str | None):
        yield Complaint("think must be a boolean or a level")
    for tool in body.get("tools") or []:
        function = tool.get("function") or {}
        if tool.get("type") != "function" or not TOOL_NAME.match(str(function.get("name"))):
            yield Complaint("tools: each must be of the type `function` and have a name")
        elif (function.get("parameters") or {}).get("type") != "object":
            yield Complaint(f"tools: the schema of {function['name']} must be an object at its root")


def _of_messages(messages: list[Any]) -> Iterator[str]:
    waiting: list[Json] = []
    for i, message in enumerate(messages):
        role = message.get("role")
        if role not in ROLES:
            yield f"messages[{i}]: invalid role {role!r}"
        if not isinstance(message.get("content", ""), str):
            yield "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string"
        for image in message.get("images") or []:
            if not isinstance(image, str) or image.startswith("data:"):
                yield f"messages[{i}]: illegal base64 data at input byte 4"
        if role == "tool":
            yield from _of_result(i, message, waiting)
            continue
        if waiting:
            yield f"messages[{i}]: {len(waiting)} tool calls before it have no result"
        waiting = list(message.get("tool_calls") or [])
        if role == "assistant":
            yield from _of_calls(i, message)
    if waiting:
        yield f"{len(waiting)} tool calls at the end have no result"
    if messages[-1].get("role") == "assistant":
        yield "the conversation ends with a message of the assistant"


def _of_calls(i: int, message: Json) -> Iterator[str]:
    if not message.get("content") and not message.get("tool_calls"):
        yield f"messages[{i}]: an assistant message without content and calls"
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        if not isinstance(function.get("arguments"), dict):
            yield "json: cannot unmarshal string into Go struct field ToolCallFunction.arguments of type map"
        if not TOOL_NAME.match(str(function.get("name"))):
            yield f"messages[{i}].tool_calls: a call needs a name"


def _of_result(i: int, message: Json, waiting: list[Json]) -> Iterator[str]:
    """Results come in the order of the calls: the name is all that ties them together, unless there is an id."""
    if not message.get("tool_name"):
        yield f"messages[{i}]: a tool's result needs `tool_name`"
    if not waiting:
        yield f"messages[{i}]: a tool's result without a call"
        return
    call = waiting.pop(0)
    name, due = message.get("tool_name"), call["function"].get("name")
    if name != due:
        yield f"messages[{i}]: the result of {name} stands where {due}'s is due"
    if message.get("tool_call_id") and call.get("id") and message["tool_call_id"] != call["id"]:
        yield f"messages[{i}]: tool_call_id {message['tool_call_id']} is not that of the call"
