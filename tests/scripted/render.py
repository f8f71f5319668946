"""From a reply to bytes: events of the asked wire with the model's answer, HTTP's chunks around those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.scripted.asked import Asked, Wire
from tests.scripted.elements import Break, Head, Json, Pause, Raw
from tests.scripted.reply import Reply, Response, encode
from tests.scripted.wires import chat, messages, ollama, responses

BATCH_BYTES = 65_536
"""Bytes that may go to the socket in one write when nothing asks for smaller ones."""

RENDERINGS: dict[Wire, Any] = {
    "chat": chat.Rendering,
    "messages": messages.Rendering,
    "responses": responses.Rendering,
    "ollama": ollama.Rendering,
}


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
        body = encode(RENDERINGS[asked.wire](reply, asked).whole()).encode()
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
    rendering = RENDERINGS[asked.wire](reply, asked)
    headers = {"content-type": rendering.content_type, "cache-control": "no-cache"}
    head: bytes | None = _head(200, headers | reply.headers, None)
    waiting, size, sent = [], 0, 0
    for part in _pieces(reply, rendering):
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
            yield Bytes((head or b"") + b"28\r\n" + rendering.half)
            yield Break("cut_off")
            return
        if isinstance(part, Pause | Break):
            yield part
        elif reply.rate:
            yield Wait(sent / reply.rate)
    yield Bytes(b"".join([head or b"", *waiting, b"0\r\n\r\n"]))


def _pieces(reply: Reply, rendering: Any) -> Iterator[bytes | Pause | Break | Head]:
    """Bytes of the body, one HTTP chunk each, and what happens between them."""
    left = b""
    for part in _events(reply, rendering):
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


def _events(reply: Reply, rendering: Any) -> Iterator[bytes | Pause | Break | Head]:
    end = reply.line_end.encode()
    for element in reply.elements:
        if isinstance(element, Raw):
            yield element.data.replace(b"\n", end) if reply.line_end != "\n" else element.data
        elif isinstance(element, Pause | Break | Head):
            yield element
        else:
            yield from rendering.of(element)
    yield from rendering.last()
