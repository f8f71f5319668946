"""What every server of Anthropic Messages refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.scripted.checks import TOOL_NAME, Complaint
from tests.scripted.elements import Json
from tests.scripted.wires.messages import blocks

CALL_ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
OF_USER = {"text", "image", "tool_result", "document"}
OF_ASSISTANT = {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result"}
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
NO_RESULT = (
    "`tool_use` ids were found without `tool_result` blocks immediately after: {}. "
    "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
)
UNEXPECTED = (
    "unexpected `tool_use_id` found in `tool_result` blocks: {}. "
    "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
)


def complaints(body: Any) -> Iterator[Complaint]:
    if not isinstance(body, dict):
        yield Complaint("The request body is not valid JSON: an object is expected.")
        return
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield Complaint("model: Field required")
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        yield Complaint("max_tokens: Field required")
    for words in (*_of_system(body.get("system")), *_of_tools(body.get("tools")), *_of_messages(body.get("messages"))):
        yield Complaint(words)


def merged(messages: list[Json]) -> list[tuple[int, str, list[Json]]]:
    """Messages as the server reads them: those of one role in a row are one. With the place of the first of each."""
    found: list[tuple[int, str, list[Json]]] = []
    for i, message in enumerate(messages):
        role, content = str(message.get("role")), blocks(message.get("content"))
        if found and found[-1][1] == role:
            found[-1][2].extend(content)
        else:
            found.append((i, role, content))
    return found


def _of_system(system: Any) -> Iterator[str]:
    if system is None or isinstance(system, str):
        return
    for i, block in enumerate(system):
        if block.get("type") != "text" or not str(block.get("text", "")).strip():
            yield f"system.{i}: text content blocks must be non-empty"


def _of_tools(tools: Any) -> Iterator[str]:
    names = [tool.get("name") for tool in tools or []]
    if len(set(names)) != len(names):
        yield "tools: Tool names must be unique."
    for i, tool in enumerate(tools or []):
        schema = tool.get("input_schema")
        if not TOOL_NAME.match(str(tool.get("name"))):
            yield f"tools.{i}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield f"tools.{i}.custom.input_schema.type: Input should be 'object'"
        elif {"anyOf", "oneOf", "allOf"} & schema.keys():
            words = "input_schema does not support oneOf, allOf, or anyOf at the top level"
            yield f"tools.{i}.custom.input_schema: {words}"


def _of_messages(messages: Any) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    for i, message in enumerate(messages):
        content = message.get("content")
        if message.get("role") not in ("user", "assistant"):
            yield f"messages.{i}.role: Input should be 'user' or 'assistant'"
        if not content:
            yield f"messages.{i}: all messages must have non-empty content"
        elif not isinstance(content, str):
            yield from _of_blocks(i, message.get("role"), content)
        elif not content.strip():
            yield f"messages.{i}: text content blocks must contain non-whitespace text"
    if messages[0].get("role") != "user":
        yield "messages: first message must use the user role"
    yield from _of_calls(merged(messages))
    if messages[-1].get("role") == "assistant":
        yield "This model does not support assistant message prefill. The conversation must end with a user message."


def _of_blocks(i: int, role: Any, content: list[Any]) -> Iterator[str]:
    allowed = OF_ASSISTANT if role == "assistant" else OF_USER
    for j, block in enumerate(content):
        kind, place = block.get("type"), f"messages.{i}.content.{j}"
        if kind not in allowed:
            yield f"{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
        elif kind == "text" and not str(block.get("text", "")).strip():
            yield f"{place}: text content blocks must be non-empty"
        elif kind == "image":
            yield from _of_image(place, block.get("source") or {})
        elif kind == "tool_use":
            yield from _of_call(place, block)
        elif kind == "tool_result":
            yield from _of_result(place, block)


def _of_image(place: str, source: Json) -> Iterator[str]:
    if source.get("type") != "base64" or source.get("media_type") not in IMAGE_TYPES or not source.get("data"):
        yield f"{place}.image.source: a base64 image of a known media_type is expected"
    elif len(source["data"]) > 5 * 1024 * 1024:
        yield f"{place}.image.source.base64: image exceeds 5 MB maximum"


def _of_call(place: str, block: Json) -> Iterator[str]:
    if not CALL_ID.match(str(block.get("id", ""))):
        yield f"{place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
    if not TOOL_NAME.match(str(block.get("name"))):
        yield f"{place}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
    if not isinstance(block.get("input"), dict):
        yield f"{place}.tool_use.input: Input should be a valid dictionary"


def _of_result(place: str, block: Json) -> Iterator[str]:
    content = block.get("content")
    if isinstance(content, list):
        for part in content:
            if part.get("type") not in ("text", "image"):
                yield f"{place}.tool_result.content: a part must be a text or an image"
            elif part["type"] == "text" and not part.get("text"):
                yield f"{place}.tool_result.content: text content blocks must be non-empty"
            elif part["type"] == "image":
                yield from _of_image(place, part.get("source") or {})
    elif content is not None and not isinstance(content, str):
        yield f"{place}.tool_result.content: Input should be a valid string or list"


def _of_calls(messages: list[tuple[int, str, list[Json]]]) -> Iterator[str]:
    seen: set[str] = set()
    open_ids: list[str] = []
    for place, role, content in messages:
        kinds = [block.get("type") for block in content]
        if role == "user":
            results = [str(block.get("tool_use_id")) for block in content if block.get("type") == "tool_result"]
            if kinds[: len(results)] != ["tool_result"] * len(results) and open_ids:
                yield f"messages.{place}: `tool_result` blocks must come first in the message"
            for id in results:
                if id not in open_ids:
                    yield f"messages.{place}.content: {UNEXPECTED.format(id)}"
                else:
                    open_ids.remove(id)
        if open_ids:
            yield f"messages.{place}: {NO_RESULT.format(', '.join(open_ids))}"
        open_ids = [str(block.get("id")) for block in content if block.get("type") == "tool_use"]
        if len(set(open_ids)) != len(open_ids) or seen & set(open_ids):
            yield f"messages.{place}.content: `tool_use` ids must be unique"
        seen.update(open_ids)
        if open_ids and kinds[-len(open_ids) :] != ["tool_use"] * len(open_ids):
            yield f"messages.{place}.content: `tool_use` blocks must come last; text after a `tool_use` is not allowed"
    if open_ids:
        yield f"messages.{messages[-1][0]}: {NO_RESULT.format(', '.join(open_ids))}"
