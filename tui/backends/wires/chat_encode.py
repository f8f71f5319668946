"""A request as the body of Chat Completions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tui.backends.spec import BackendSpec, Request, ToolSpec
from tui.backends.wires.replay import CallIds, fill_text, is_same_origin, legal_name
from tui.backends.wires.think_tags import CLOSE, OPEN
from tui.core.messages import Image, Json, Message, Reasoning, Text, ToolCall, ToolResult

IN_TEXT = "<think>"
"""The key of reasoning that came inside the text, in tags."""
IN_PARTS = "thinking"
"""The key of reasoning that came as a part of a list (Mistral)."""


def encode(request: Request, spec: BackendSpec) -> Json:
    """The body that asks `request`. The same request gives the same body, so that prefix caches work."""
    rules = spec.rules
    system = request.system
    body: Json = {"model": spec.model} if spec.model else {}
    body["messages"] = []
    body["stream"] = True
    if rules.stream_usage:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.schema is not None:
        body["response_format"], words = _response_format(request.schema, spec)
        system = f"{system}\n\n{words}".strip()
    if spec.max_output:
        body[rules.max_tokens_field] = spec.max_output
    if system:
        body["messages"].append({"role": "system", "content": system})
    body["messages"] += _Messages(spec).encode(request.messages)
    return body | rules.thinking.get(spec.thinking or "", {}) | spec.body | request.body


def _tool(tool: ToolSpec) -> Json:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }


def _response_format(schema: Json, spec: BackendSpec) -> tuple[Json, str]:
    """The field, and what the system prompt has to say beside it. `json_object` wants the word "json" in a prompt."""
    if spec.rules.response_format == "json_object":
        words = f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{json.dumps(schema)}"
        return {"type": "json_object"}, words
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}, ""


class _Messages:
    """Encodes a conversation. Ids of calls that another server made, and of their results, are made acceptable."""

    def __init__(self, spec: BackendSpec) -> None:
        self._spec = spec
        self._rules = spec.rules
        self._ids = CallIds()

    def encode(self, messages: tuple[Message, ...]) -> Iterator[Json]:
        for message in messages:
            if message.role == "assistant":
                yield from self._assistant(message)
            elif message.role == "tool":
                yield from self._results(message)
            elif content := _content(message):
                yield {"role": message.role, "content": content}

    def _results(self, message: Message) -> Iterator[Json]:
        """One entry each. Always a plain string: MiMo and others refuse a list here."""
        for block in message.blocks:
            if isinstance(block, ToolResult):
                id = self._ids.of_result(block.call_id)
                yield {"role": "tool", "tool_call_id": id, "content": block.content}

    def _assistant(self, message: Message) -> Iterator[Json]:
        """Nothing at all for a message with neither text nor calls: most servers refuse one."""
        calls, text = message.tool_calls, message.text
        if not calls and not text:
            return
        is_own = is_same_origin(message.origin, self._spec.origin)
        reasoning = self._reasoning(message, is_own)
        content: Any = text or self._rules.empty_content
        if thought := reasoning.pop(IN_TEXT, None):
            content = f"{OPEN}{thought}{CLOSE}{text}"
        if thought := reasoning.pop(IN_PARTS, None):
            content = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
            content += [{"type": "text", "text": text}] if text else []
        entry: Json = {"role": "assistant", "content": content} | reasoning
        if calls:
            entry["tool_calls"] = [self._call(call, is_own) for call in calls]
        yield entry

    def _reasoning(self, message: Message, is_own: bool) -> Json:
        """The fields that carry a message's reasoning back, by the rules (PROTOCOLS: reasoning, what must go back)."""
        rules, calls = self._rules, message.tool_calls
        if rules.replay_reasoning == "none" or (rules.replay_reasoning == "tool_calls" and not calls):
            return {}
        blocks = [block for block in message.blocks if isinstance(block, Reasoning)]
        fields: Json = {}
        for block in blocks if is_own else ():
            if block.text:
                fields[block.key] = fields.get(block.key, "") + block.text
            fields |= block.data or {}
        if calls and rules.reasoning_required and not fields:
            fields[rules.reasoning_key] = fill_text(message)
        return fields

    def _call(self, call: ToolCall, is_own: bool) -> Json:
        entry: Json = {
            "id": self._ids.of_call(call.id, is_own),
            "type": "function",
            "function": {
                "name": legal_name(call.name),
                "arguments": json.dumps(call.arguments, ensure_ascii=False),
            },
        }
        return entry | (call.extra or {}) if is_own else entry


def _content(message: Message) -> Any:
    """A string, or a list of parts when there is a picture among the blocks."""
    if not any(isinstance(block, Image) for block in message.blocks):
        return message.text
    parts: list[Json] = []
    for block in message.blocks:
        if isinstance(block, Image):
            url = f"data:{block.media_type};base64,{block.data}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        elif isinstance(block, Text) and block.text:
            parts.append({"type": "text", "text": block.text})
    return parts
