"""A reply on Chat Completions: deltas, in the shapes in which servers send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from tests.scripted.asked import Asked, Counted, counted, is_reasoning
from tests.scripted.elements import Delta, Element, Interleaved, Json, Raw, ToolCall, Words
from tests.scripted.reply import Reply, Usage, encode

NULL_KEYS: Json = dict.fromkeys(("role", "content", "reasoning_content", "tool_calls", "audio", "function_call"))


class Rendering:
    """The chunks of one reply. The last delta waits, in case the finish reason goes with it."""

    content_type = "text/event-stream; charset=utf-8"
    half = b'data: {"choices"'

    def __init__(self, reply: Reply, asked: Asked) -> None:
        self.reply, self.asked, self.voice = reply, asked, asked.voice
        self.count = 0
        self.calls = 0
        self.held: Json | None = None
        self.said: dict[str, list[Any]] = {"role": ["assistant"], "content": []}
        """All that was said, by key, in the pieces in which it went out."""
        self.usage = reply.usage or self._counted()
        self.end = f"{reply.line_end}{reply.line_end}"
        envelope = {"id": f"chatcmpl-{asked.number}", "object": "chat.completion.chunk", "created": 1_700_000_000}
        self.prefix = f"data: {encode(envelope | {'model': asked.model})[:-1]},"
        self.null_usage = ',"usage":null' if self.usage.place == "last" and asked.include_usage else ""

    def _counted(self) -> Usage:
        numbers = counted(None, list(self.reply.elements), self.asked)
        said = self.voice.count(numbers) or Usage(usage_fields(numbers), "last")
        if said.place == "last" and not self.asked.include_usage:
            return Usage(said.fields, "none")
        return said

    def chunk(self, delta: Json | None, finish: str | None = None) -> bytes:
        self.count += 1
        if self.reply.null_keys and delta is not None:
            delta = NULL_KEYS | delta
        reason = "null" if finish is None else encode(finish)
        choice = f'{{"index":0,"delta":{encode(delta)},"finish_reason":{reason}'
        extra = self.null_usage
        if self.usage.place == "every":
            extra = f',"usage":{encode(self._usage_so_far())}'
        elif finish is not None and self.usage.place == "finish":
            extra = f',"usage":{encode(self.usage.fields)}'
        elif finish is not None and self.usage.place == "choice":
            choice += f',"usage":{encode(self.usage.fields)}'
        return f'{self.prefix}"choices":[{choice}}}]{extra}}}{self.end}'.encode()

    def _usage_so_far(self) -> Json:
        fields = dict(self.usage.fields or {})
        fields["completion_tokens"] = min(self.count, fields["completion_tokens"])
        fields["total_tokens"] = fields["prompt_tokens"] + fields["completion_tokens"]
        return fields

    def of(self, element: Element) -> Iterator[bytes]:
        if not self.count:
            yield self.chunk({"role": "assistant", "content": ""})
        for dressed in self._dressed(element):
            if isinstance(dressed, Raw):
                yield dressed.data
                continue
            for delta in self._deltas(dressed):
                if self.reply.finish_with_last:
                    if self.held is not None:
                        yield self.chunk(self.held)
                    self.held = delta
                else:
                    yield self.chunk(delta)

    def _dressed(self, element: Element) -> list[Element]:
        if is_reasoning(element) and not self.voice.thinks(self.asked):
            return []
        return self.voice.dress(element, self.asked, self.calls)

    def _deltas(self, element: Element) -> Iterator[Json | None]:
        if isinstance(element, Delta):
            self._keep(element.fields or {})
            yield element.fields
        elif isinstance(element, Words):
            for delta in element.deltas():
                self._keep(delta)
                yield delta
        elif isinstance(element, ToolCall | Interleaved):
            calls = element.calls if isinstance(element, Interleaved) else (element,)
            calls = tuple(replace(call, id=self._id_of(call, self.calls + i)) for i, call in enumerate(calls))
            runs = [call.fragments(self.calls + i, str(call.id)) for i, call in enumerate(calls)]
            self.calls += len(calls)
            self.said.setdefault("tool_calls", []).append([_whole_call(call) for call in calls])
            for round in zip_longest(*runs):
                yield from ({"tool_calls": [fragment]} for fragment in round if fragment is not None)

    def _keep(self, delta: Json) -> None:
        for key, value in delta.items():
            if value is not None:
                self.said.setdefault(key, []).append(value)

    def _message(self) -> Json:
        return {key: _joined(pieces) for key, pieces in self.said.items()}

    def _id_of(self, call: ToolCall, position: int) -> str:
        return call.id or self.voice.call_id(self.asked, position)

    def last(self) -> Iterator[bytes]:
        self.voice.gave(self.asked, [self._message()])
        finish = self.voice.finish(self.reply.finish, self.asked)
        if finish is not None:
            yield self.chunk(self.held or {}, finish)
        elif self.held is not None:
            yield self.chunk(self.held)
        if self.usage.place in ("last", "x_groq") and self.usage.fields is not None and finish is not None:
            usage = {"usage": self.usage.fields}
            fields = usage if self.usage.place == "last" else {"x_groq": usage}
            yield f'{self.prefix}"choices":[],{encode(fields)[1:]}{self.end}'.encode()
        if self.reply.done:
            yield b"data: [DONE]" + self.end.encode()

    def whole(self) -> Json:
        """The reply as one `chat.completion` object."""
        for element in self.reply.elements:
            if isinstance(element, Words | ToolCall | Interleaved):
                list(self.of(element))
        list(self.last())
        choice = {
            "index": 0,
            "message": self._message(),
            "finish_reason": self.voice.finish(self.reply.finish, self.asked),
        }
        envelope = {"id": f"chatcmpl-{self.asked.number}", "object": "chat.completion", "created": 1_700_000_000}
        whole = envelope | {"model": self.asked.model, "choices": [choice]}
        return whole | ({"usage": self.usage.fields} if self.usage.fields else {})


def _joined(pieces: list[Any]) -> Any:
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces) if pieces else None
    lists = [piece if isinstance(piece, list) else [{"type": "text", "text": piece}] for piece in pieces if piece]
    return [entry for entries in lists for entry in entries]


def usage_fields(counted: Counted) -> Json:
    fields: Json = {
        "prompt_tokens": counted.prompt,
        "completion_tokens": counted.completion,
        "total_tokens": counted.prompt + counted.completion,
    }
    if counted.cached is not None:
        fields["prompt_tokens_details"] = {"cached_tokens": counted.cached}
    return fields


def _whole_call(call: ToolCall) -> Json:
    arguments: Any = json.loads(call.arguments) if call.as_object else call.arguments
    whole = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
    return whole | ({"extra_content": call.extra} if call.extra else {})
