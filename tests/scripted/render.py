"""From a reply to bytes: chunks of the model's answer, server-sent events around them, HTTP's chunks around those."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import zip_longest
from typing import Any

from tests.scripted.elements import Break, Delta, Head, Interleaved, Json, Pause, Raw, ToolCall, Words
from tests.scripted.reply import Reply, Response, Usage, encode

BATCH_BYTES = 65_536
"""Bytes that may go to the socket in one write when nothing asks for smaller ones."""

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
NULL_KEYS: Json = dict.fromkeys(("role", "content", "reasoning_content", "tool_calls", "audio", "function_call"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request shapes the rendering of its reply."""

    number: int
    """How many replies this server gave before; makes ids of tool calls unique."""
    model: str = "scripted"
    stream: bool = True
    include_usage: bool = True
    prompt_tokens: int = 1


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes for the socket. The head of the response is among them."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Until so many seconds after the reply began (how a rate is kept)."""

    until_s: float


Action = Bytes | Wait | Pause | Break


def actions(reply: Reply | Response, asked: Asked) -> Iterator[Action]:
    """What the server is to do for a reply, in order. A reply that ends without a Break ends well."""
    if isinstance(reply, Reply):
        if asked.stream and reply.stream:
            yield from _stream(reply, asked)
            return
        body = encode(whole(reply, asked)).encode()
        reply = Response(200, body, {"content-type": "application/json"} | reply.headers)
    yield reply.broken or Bytes(_head(reply.status, reply.headers, len(reply.body)) + reply.body)


def _head(status: int, headers: Json, length: int | None) -> bytes:
    """Status line and headers; `length` None: a chunked body follows."""
    framing = {"transfer-encoding": "chunked"} if length is None else {"content-length": length}
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in (framing | headers).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _stream(reply: Reply, asked: Asked) -> Iterator[Action]:
    """The head comes with the first bytes of the body, so that a pause or fault in first place comes before it."""
    head: bytes | None = _head(200, EVENT_STREAM | reply.headers, None)
    waiting, size, sent = [], 0, 0
    for part in _pieces(reply, asked):
        if isinstance(part, bytes | Head):
            if head:
                waiting.append(head)
                head = None
            if isinstance(part, bytes):
                framed = b"%x\r\n%b\r\n" % (len(part), part)
                waiting.append(framed)
                size += len(framed)
                sent += 1
            if size < BATCH_BYTES and not reply.rate and not reply.cut and isinstance(part, bytes):
                continue
        if waiting:
            yield Bytes(b"".join(waiting))
            waiting, size = [], 0
        if isinstance(part, Break) and part.kind == "half_chunk":
            yield Bytes((head or b"") + b'28\r\ndata: {"choices"')
            yield Break("cut_off")
            return
        if isinstance(part, Pause | Break):
            yield part
        elif reply.rate:
            yield Wait(sent / reply.rate)
    yield Bytes(b"".join([head or b"", *waiting, b"0\r\n\r\n"]))


def _pieces(reply: Reply, asked: Asked) -> Iterator[bytes | Pause | Break | Head]:
    """Bytes of the body, one HTTP chunk each, and what happens between them."""
    left = b""
    for part in _events(reply, asked):
        if not isinstance(part, bytes):
            if left:
                yield left
                left = b""
            yield part
        elif reply.cut:
            left += part
            whole = len(left) - len(left) % reply.cut
            yield from (left[i : i + reply.cut] for i in range(0, whole, reply.cut))
            left = left[whole:]
        else:
            yield part
    if left:
        yield left


def _events(reply: Reply, asked: Asked) -> Iterator[bytes | Pause | Break | Head]:
    chunks = _Chunks(reply, asked)
    end = reply.line_end.encode()
    for element in reply.elements:
        if isinstance(element, Raw):
            yield element.data.replace(b"\n", end) if reply.line_end != "\n" else element.data
        elif isinstance(element, Pause | Break | Head):
            yield element
        else:
            if not chunks.count:
                yield chunks.chunk({"role": "assistant", "content": ""})
            yield from chunks.of(element)
    yield from chunks.last()
    if reply.done:
        yield b"data: [DONE]" + end + end


class _Chunks:
    """The chunks of one reply. The last delta waits, in case the finish reason goes with it."""

    def __init__(self, reply: Reply, asked: Asked) -> None:
        self.reply = reply
        self.asked = asked
        self.count = 0
        self.calls = 0
        self.held: Json | None = None
        self.usage = reply.usage or self._counted()
        self.end = f"{reply.line_end}{reply.line_end}"
        envelope = {"id": f"chatcmpl-{asked.number}", "object": "chat.completion.chunk", "created": 1_700_000_000}
        self.prefix = f"data: {encode(envelope | {'model': asked.model})[:-1]},"
        self.null_usage = ',"usage":null' if self.usage.place == "last" and asked.include_usage else ""

    def _counted(self) -> Usage:
        words = sum(len(element.pieces) for element in self.reply.elements if isinstance(element, Words))
        tokens = {"prompt_tokens": self.asked.prompt_tokens, "completion_tokens": max(1, words)}
        return Usage(tokens | {"total_tokens": sum(tokens.values())}, "last" if self.asked.include_usage else "none")

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

    def of(self, element: Words | ToolCall | Interleaved | Delta) -> Iterator[bytes]:
        for delta in self._deltas(element):
            if self.reply.finish_with_last:
                if self.held is not None:
                    yield self.chunk(self.held)
                self.held = delta
            else:
                yield self.chunk(delta)

    def _deltas(self, element: Words | ToolCall | Interleaved | Delta) -> Iterator[Json | None]:
        if isinstance(element, Delta):
            yield element.fields
        elif isinstance(element, Words):
            yield from element.deltas()
        else:
            calls = element.calls if isinstance(element, Interleaved) else (element,)
            runs = [call.fragments(self.calls + i, self.id_of(call, self.calls + i)) for i, call in enumerate(calls)]
            self.calls += len(calls)
            for round in zip_longest(*runs):
                yield from ({"tool_calls": [fragment]} for fragment in round if fragment is not None)

    def id_of(self, call: ToolCall, position: int) -> str:
        return call.id or f"call_{self.asked.number}_{position}"

    def last(self) -> Iterator[bytes]:
        if self.reply.finish is not None:
            yield self.chunk(self.held or {}, self.reply.finish)
        elif self.held is not None:
            yield self.chunk(self.held)
        if self.usage.place in ("last", "x_groq") and self.usage.fields is not None and self.reply.finish is not None:
            usage = {"usage": self.usage.fields}
            fields = usage if self.usage.place == "last" else {"x_groq": usage}
            yield f'{self.prefix}"choices":[],{encode(fields)[1:]}{self.end}'.encode()


def whole(reply: Reply, asked: Asked) -> Json:
    """The reply as one `chat.completion` object."""
    message: Json = {"role": "assistant", "content": None}
    chunks = _Chunks(reply, asked)
    calls: list[ToolCall] = []
    for element in reply.elements:
        if isinstance(element, Words):
            for key in element.keys:
                message[key] = (message.get(key) or "") + "".join(element.pieces)
        elif isinstance(element, ToolCall | Interleaved):
            calls += element.calls if isinstance(element, Interleaved) else [element]
    if calls:
        message["tool_calls"] = [_whole_call(call, chunks.id_of(call, i)) for i, call in enumerate(calls)]
    choice = {"index": 0, "message": message, "finish_reason": reply.finish}
    usage = (reply.usage or chunks.usage).fields
    return {
        "id": f"chatcmpl-{asked.number}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": asked.model,
        "choices": [choice],
    } | ({"usage": usage} if usage else {})


def _whole_call(call: ToolCall, id: str) -> Json:
    arguments: Any = json.loads(call.arguments) if call.as_object else call.arguments
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
