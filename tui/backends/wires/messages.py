"""The Anthropic Messages wire: `POST {base}/v1/messages`. Pure: values in, values out.

Spoken by Claude, by the /anthropic addresses of MiMo, DeepSeek and Kimi, and by llama.cpp, vLLM and Ollama.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from tui.backends.errors import explain
from tui.backends.spec import BackendSpec, Reply
from tui.backends.sse import Parser
from tui.backends.wires.content_blocks import ContentBlock
from tui.backends.wires.messages_encode import REFUSAL, encode
from tui.backends.wires.reading import as_count, as_list, as_object, as_text, cut_off, not_a_reply, parse
from tui.backends.wires.tool_calls import ToolCalls, new_id
from tui.core.events import Delta
from tui.core.messages import Block, Json, Message, Reasoning
from tui.core.usage import Usage

__all__ = ["HEADERS", "KEY_HEADER", "PATH", "Decoder", "Parser", "encode", "explain"]

PATH = "/v1/messages"
KEY_HEADER = "x-api-key"
HEADERS = {"anthropic-version": "2023-06-01"}

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "window_full",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "content_filter",
}
_KINDS = {
    "text_delta": "text",
    "citations_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "input_json_delta": "tool_use",
}
"""The kind of block that a piece without an open block belongs to."""


class Decoder:
    """Puts one answer together from its events: feed it the data of each, then `finish`."""

    def __init__(self, spec: BackendSpec, make_id: Callable[[], str] = new_id) -> None:
        self._spec = spec
        self.is_done = False
        """The end mark came."""
        self._stop_reason = ""
        self._stop_details: Json = {}
        self._blocks: list[ContentBlock] = []
        self._open: dict[int, ContentBlock] = {}
        self._calls = ToolCalls(make_id)
        self._usage: Json = {}

    def feed(self, data: str) -> list[Delta]:
        """What an event adds. Raises BackendError for one that says that the server failed, or is not JSON."""
        if data.strip() == "[DONE]":  # of another wire; some gateways add it
            return []
        event = self._parse(data)
        kind = event.get("type")
        if kind == "content_block_delta":
            return list(self._delta(self._index(event), as_object(event.get("delta"))))
        if kind == "content_block_start":
            return list(self._start(self._index(event), as_object(event.get("content_block"))))
        if kind == "content_block_stop":
            block = self._open.pop(self._index(event), None)
            return list(block.close()) if block else []
        if kind == "message_start":
            self._count(as_object(event.get("message")))
        elif kind == "message_delta":
            self._count(event)
            return list(self._stop(as_object(event.get("delta"))))
        elif kind == "message_stop":
            return list(self._end())
        elif kind == "message":
            return list(self._whole(event))
        return []

    def finish(self) -> Reply:
        """The whole answer. Raises BackendError when no end came: it is cut then, however complete it looks."""
        if not self.is_done:
            raise cut_off(self._spec)
        is_refused = self._stop_reason == "refusal"
        reason = _FINISH_REASONS.get(self._stop_reason, self._stop_reason) or "stop"
        if self._calls and reason == "stop":
            reason = "tool_calls"
        calls = iter(self._calls.finish())
        blocks: list[Block] = []
        for block in self._blocks:
            if block.call is None:
                blocks += block.finish()
            elif not is_refused:
                blocks += islice(calls, 1)  # none for one of which nothing came
        if is_refused:
            blocks.append(Reasoning("", REFUSAL, data={"type": REFUSAL} | self._stop_details))
        return Reply(Message("assistant", tuple(blocks), self._spec.origin), _usage(self._usage), reason)

    def _parse(self, data: str) -> Json:
        """The event's object. Raises BackendError for one that says that the server failed, or is no object."""
        event = parse(data)
        if isinstance(event, dict):
            is_error = event.get("error") or event.get("type") == "error"
            if "type" in event and not is_error:
                return event
            if not is_error and not event.keys() & {"message", "detail", "code", "choices"}:
                return event
            if "choices" in event and not is_error:
                raise not_a_reply(data, self._spec)
        elif not isinstance(event, list):
            raise not_a_reply(data, self._spec)
        raise explain(200, {}, data, self._spec)

    def _index(self, event: Json) -> int:
        """Which block an event is about; without a number the one that is open, for they come one after another."""
        index = event.get("index")
        return index if isinstance(index, int) else next(reversed(self._open), 0)

    def _start(self, index: int, fields: Json) -> Iterator[Delta]:
        """A block begins. One that is still open under this index is over then: some servers number all blocks 0."""
        if (before := self._open.get(index)) is not None:
            yield from before.close()
        block = ContentBlock(fields, self._calls, sum(block.call is not None for block in self._blocks))
        self._blocks.append(block)
        self._open[index] = block
        yield from block.open()

    def _delta(self, index: int, delta: Json) -> Iterator[Delta]:
        kind = as_text(delta.get("type"))
        block = self._open.get(index)
        if block is None or not block.takes(kind):
            if kind not in _KINDS:
                return
            yield from self._start(index, {"type": _KINDS[kind]})
            block = self._open[index]
        yield from block.add(kind, delta)

    def _stop(self, delta: Json) -> Iterator[Delta]:
        """Why it ended. What a refusal says about itself is for the user, who sees nothing else of it."""
        before, self._stop_details = self._stop_details, as_object(delta.get("stop_details")) or self._stop_details
        self._stop_reason = as_text(delta.get("stop_reason")) or self._stop_reason
        why = as_text(self._stop_details.get("explanation"))
        if self._stop_reason == "refusal" and why and self._stop_details != before:
            has_text = any(block.kind == "text" and block.has_said for block in self._blocks)
            yield from self._start(len(self._blocks), {"type": "text", "text": f"\n\n{why}" if has_text else why})

    def _end(self) -> Iterator[Delta]:
        self.is_done = True
        for block in self._open.values():
            yield from block.close()
        self._open = {}

    def _whole(self, message: Json) -> Iterator[Delta]:
        """A message in one piece, from a server that does not stream."""
        for index, fields in enumerate(as_list(message.get("content"))):
            yield from self._start(index, as_object(fields))
        self._count(message)
        yield from self._stop(message)
        yield from self._end()

    def _count(self, event: Json) -> None:
        """Usage comes in parts, and again: the last number wins, and null is none."""
        self._usage |= {key: value for key, value in as_object(event.get("usage")).items() if value is not None}


def _usage(usage: Json) -> Usage:
    """On this wire cached tokens, and those put into the cache, stand beside `input_tokens`, not in them."""
    cached, written = as_count(usage.get("cache_read_input_tokens")), as_count(usage.get("cache_creation_input_tokens"))
    told = [count for count in (as_count(usage.get("input_tokens")), cached, written) if count is not None]
    return Usage(
        input_tokens=sum(told) if told else None,
        output_tokens=as_count(usage.get("output_tokens")),
        cached_tokens=cached,
        written_tokens=written,
        reasoning_tokens=as_count(as_object(usage.get("output_tokens_details")).get("thinking_tokens")),
    )
