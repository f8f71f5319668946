"""A reply on Anthropic Messages: blocks one after another, each event with its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from tests.scripted.asked import Asked, Counted, counted, is_reasoning
from tests.scripted.elements import Delta, Element, Interleaved, Json, ToolCall, Words, cut
from tests.scripted.reply import Reply, encode

STOP_REASONS = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}
CONTENT_TYPE = "text/event-stream; charset=utf-8"


def prefix(body: Json) -> list[tuple[str, Json]]:
    """System, tools and messages as (role, block), without cache marks: what a thinking block is bound to."""
    parts: list[tuple[str, Json]] = [("tools", tool) for tool in body.get("tools") or []]
    parts += [("system", block) for block in blocks(body.get("system"))]
    for message in body.get("messages") or []:
        parts += [(str(message.get("role")), block) for block in blocks(message.get("content"))]
    return [(role, unmarked(block)) for role, block in parts]


def blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [block for block in content or [] if isinstance(block, dict)]


def unmarked(block: Any) -> Any:
    """Without cache marks, at any depth: they may move from request to request."""
    if isinstance(block, dict):
        return {key: unmarked(value) for key, value in block.items() if key != "cache_control"}
    return [unmarked(value) for value in block] if isinstance(block, list) else block


class Rendering:
    """The events of one reply. A block stays open while elements of its kind follow."""

    content_type = CONTENT_TYPE
    half = b'event: content_block_delta\ndata: {"typ'

    def __init__(self, reply: Reply, asked: Asked) -> None:
        self.reply, self.asked, self.voice = reply, asked, asked.voice
        self.content: list[Json] = []
        self.usage = usage_fields(counted(reply.usage, list(reply.elements), asked))
        self._is_open = self._is_begun = False
        self._said: list[str] = []
        """The pieces of the open block."""
        self._calls = 0

    def _event(self, type: str, **fields: Any) -> bytes:
        end = self.reply.line_end
        return f"event: {type}{end}data: {encode({'type': type} | fields)}{end}{end}".encode()

    def _begin(self) -> Iterator[bytes]:
        if not self._is_begun:
            self._is_begun = True
            message = whole(self.asked, [], None, self.usage | {"output_tokens": 1})
            yield self._event("message_start", message=message)
            yield self._event("ping")

    def of(self, element: Element) -> Iterator[bytes]:
        yield from self._begin()
        if isinstance(element, Words):
            yield from self._words(element)
        elif isinstance(element, ToolCall | Interleaved):
            yield from self._close()
            yield from self._tools(element.calls if isinstance(element, Interleaved) else (element,))
        elif isinstance(element, Delta):
            fields = element.fields or {}
            yield self._event(fields.get("type", "unknown"), **{k: v for k, v in fields.items() if k != "type"})

    def _words(self, words: Words) -> Iterator[bytes]:
        thinking = is_reasoning(words)
        if thinking and not self.voice.thinks(self.asked):
            return
        kind = "thinking" if thinking else "text"
        if not self._is_open or self.content[-1]["type"] != kind:
            yield from self._close()
            self.content.append({"type": kind, kind: ""})
            self._is_open, self._said = True, []
            start = {"type": kind, kind: ""} | ({"signature": ""} if thinking else {})
            yield self._event("content_block_start", index=len(self.content) - 1, content_block=start)
        for piece in words.pieces:
            shown = self.voice.shown(self.asked, piece) if thinking else piece
            self._said.append(shown)
            if shown:
                yield self._delta(len(self.content) - 1, {"type": f"{kind}_delta", kind: shown})

    def _delta(self, index: int, delta: Json) -> bytes:
        return self._event("content_block_delta", index=index, delta=delta)

    def _close(self) -> Iterator[bytes]:
        if not self._is_open:
            return
        self._is_open, block, index = False, self.content[-1], len(self.content) - 1
        block[block["type"]] = "".join(self._said)
        if block["type"] == "thinking":
            block["signature"] = self.voice.sign(self.asked, self.content[:-1], block["thinking"]) or ""
            if block["signature"]:
                yield self._delta(index, {"type": "signature_delta", "signature": block["signature"]})
        yield self._event("content_block_stop", index=index)

    def _tools(self, calls: tuple[ToolCall, ...]) -> Iterator[bytes]:
        first = len(self.content)
        for i, call in enumerate(calls):
            block = {
                "type": "tool_use",
                "id": call.id or self.voice.call_id(self.asked, self._calls),
                "name": call.name,
            }
            self._calls += 1
            self.content.append(block | {"input": arguments_of(call)})
            yield self._event("content_block_start", index=first + i, content_block=block | {"input": {}})
        runs = [["", *cut(call.arguments, call.pieces)] if call.pieces > 1 else [call.arguments] for call in calls]
        for round in zip_longest(*runs):
            for i, piece in enumerate(round):
                if piece is not None:
                    yield self._delta(first + i, {"type": "input_json_delta", "partial_json": piece})
        for i in range(len(calls)):
            yield self._event("content_block_stop", index=first + i)

    def last(self) -> Iterator[bytes]:
        yield from self._begin()
        yield from self._close()
        self.voice.gave(self.asked, self.content)
        if self.reply.finish is not None:
            reason = STOP_REASONS.get(self.reply.finish, self.reply.finish)
            delta = {"stop_reason": reason, "stop_sequence": None}
            yield self._event("message_delta", delta=delta, usage=self.usage)
        if self.reply.done and self.reply.finish is not None:
            yield self._event("message_stop")

    def whole(self) -> Json:
        for element in self.reply.elements:
            if isinstance(element, Words | ToolCall | Interleaved):
                list(self.of(element))
        list(self.last())
        reason = STOP_REASONS.get(self.reply.finish or "", self.reply.finish)
        return whole(self.asked, self.content, reason, self.usage)


def arguments_of(call: ToolCall) -> Any:
    """The arguments as the object they are; a string that is no JSON stays what it is."""
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments


def usage_fields(counted: Counted) -> Json:
    """Anthropic's: what was read from the cache and written to it does not count as `input_tokens`."""
    cached = counted.cached or 0
    fields: Json = {
        "input_tokens": counted.prompt - cached - counted.written,
        "cache_creation_input_tokens": counted.written,
        "cache_read_input_tokens": cached,
        "output_tokens": counted.completion,
    }
    if counted.reasoning is not None:
        fields["output_tokens_details"] = {"thinking_tokens": counted.reasoning}
    return fields


def whole(asked: Asked, content: list[Json], stop_reason: str | None, usage: Json) -> Json:
    return {
        "id": f"msg_{asked.number}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    } | asked.voice.noted(asked)
