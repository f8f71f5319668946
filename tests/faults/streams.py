"""Faults of connections and streams that any wire can meet, a few lines each."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.faults.dialects import OLLAMA, Dialect
from tests.faults.raw_server import Action

LAST = b"0\r\n\r\n"
HTML = b"<!doctype html><html><head><title>Sign in</title></head><body>" + b"<p>please</p>\n" * 50 + b"</body></html>"
MEGABYTE = 1 << 20


def head(dialect: Dialect, *lines: str, status: str = "200 OK", framing: str = "transfer-encoding: chunked") -> bytes:
    kind = "application/x-ndjson" if dialect is OLLAMA else "text/event-stream"
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-type: {kind}", framing, *lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(dialect: Dialect, body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    return head(dialect, *lines, status=status, framing=f"content-length: {len(body)}") + body


def begun(dialect: Dialect, *parts: str) -> bytes:
    """Head and some parts of the answer, each in a chunk, and no end."""
    return head(dialect) + b"".join(chunk(dialect.events(part)) for part in parts if dialect.events(part))


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def slowly(dialect: Dialect) -> Iterator[bytes]:
    """A head whose lines come one by one, without end."""
    import time

    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x-line: 1\r\n"
        time.sleep(0.01)


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def packed(data: bytes) -> bytes:
    """The beginning of something packed, whose end is missing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


def bomb(megabytes: int, start: bytes = b"") -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    zeros = b"x" * MEGABYTE
    return packer.compress(start) + b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


@dataclass(frozen=True)
class Fault:
    """What a server does, and how it ends: in an error of `kind`, or (None) in an answer; `text` came of it."""

    name: str
    reply: Callable[[Dialect], list[Action]]
    kind: str | None = None
    text: str = "Hello"
    limit: Literal["", "first_byte", "idle"] = ""
    """The time limit that ends it."""
    says: str = ""
    """Words in the error's message."""


def fails(name: str, kind: str, reply: Callable[[Dialect], list[Action]], text: str = "", says: str = "") -> Fault:
    return Fault(name, reply, kind, text, says=says)


def stalls(name: str, limit: Literal["first_byte", "idle"], reply: Callable[[Dialect], bytes], text: str = "") -> Fault:
    return Fault(name, lambda d: [reply(d), "stall"], "timeout", text, limit, f"`{limit}`")


BREAKS = [
    fails("reset before the head", "network", lambda d: ["reset"]),
    fails("closed before the head", "network", lambda d: ["end"]),
    fails("reset in the status line", "network", lambda d: [b"HTTP/1.1 2", "reset"]),
    fails("closed in the status line", "network", lambda d: [b"HTTP/1.1 2"]),
    fails("closed in the middle of a header", "network", lambda d: [b"HTTP/1.1 200 OK\r\ncontent-ty"]),
    fails("reset behind the head", "network", lambda d: [head(d), "reset"]),
    fails("closed behind the head", "network", lambda d: [head(d)]),
    fails("closed in the size of a chunk", "network", lambda d: [begun(d, "begin") + b"f"], "Hel"),
    fails("closed in a chunk", "network", lambda d: [begun(d, "begin") + b"ff\r\ndata: {"], "Hel"),
    fails("closed between chunks", "network", lambda d: [begun(d, "begin")], "Hel"),
    fails("closed in an event", "network", lambda d: [begun(d, "begin") + chunk(d.events("more")[:-9])], "Hel"),
    fails("ended in an event", "network", lambda d: [begun(d, "begin") + chunk(d.events("more")[:-9]) + LAST], "Hel"),
    fails("ended between events", "network", lambda d: [begun(d, "begin", "more") + LAST], "Hello"),
    fails("an empty body", "network", lambda d: [head(d) + LAST]),
    fails("an empty body with a length", "network", lambda d: [whole(d, b"")]),
    fails("no content", "network", lambda d: [b"HTTP/1.1 204 No Content\r\n\r\n"]),
    fails("comments alone", "network", lambda d: [head(d) + chunk(b"\n\n\n") + LAST]),
    fails(
        "a length that is too long",
        "network",
        lambda d: [head(d, framing="content-length: 99999") + d.events("begin")],
        "Hel",
    ),
    fails(
        "a length that is too short",
        "network",
        lambda d: [head(d, framing=f"content-length: {len(d.events('begin'))}") + d.events()],
        "Hel",
    ),
]

STALLS = [
    stalls("silence", "first_byte", lambda d: b""),
    stalls("silence in the status line", "first_byte", lambda d: b"HTTP/1.1 20"),
    stalls("silence in the headers", "first_byte", lambda d: b"HTTP/1.1 200 OK\r\ncontent-type: te"),
    stalls("silence behind the head", "first_byte", head),
    stalls("silence in the first size", "first_byte", lambda d: head(d) + b"1"),
    stalls("one interim reply, then silence", "first_byte", lambda d: b"HTTP/1.1 102 Processing\r\n\r\n"),
    stalls("silence in a chunk", "idle", lambda d: begun(d, "begin") + b"ff\r\ndata: {", "Hel"),
    stalls("silence between chunks", "idle", lambda d: begun(d, "begin"), "Hel"),
    stalls("silence behind a comment", "idle", lambda d: head(d) + chunk(b"\n")),
    stalls("silence in a refusal", "idle", lambda d: b"HTTP/1.1 500 Oh\r\ncontent-length: 99\r\n\r\nhalf"),
    Fault("a head without end, line by line", lambda d: [slowly(d)], "timeout", "", "first_byte", says="`first_byte`"),
]

UNFINISHED = [
    Fault(name, lambda d, end=end: [begun(d, "begin", "more", "finish"), end], kind, limit=limit)  # type: ignore[misc]
    for name, end, kind, limit in (
        ("ended before the end mark", LAST, "network", ""),
        ("closed before the end mark", "end", "network", ""),
        ("reset before the end mark", "reset", "network", ""),
        ("silence before the end mark", "stall", "timeout", "idle"),
    )
]
"""What a server that sends no end mark does, too: of a wire that knows such servers it is an answer."""

GARBLED = [
    fails("another protocol", "protocol", lambda d: [b"SSH-2.0-OpenSSH_9.9\r\n\r\n"]),
    fails("a status that is no number", "protocol", lambda d: [b"HTTP/1.1 OK 200\r\n\r\n"]),
    fails("a protocol's name that is none", "protocol", lambda d: [b"HTPT/1.1 200 OK\r\n\r\n"]),
    fails("HTTP 2 unasked", "protocol", lambda d: [b"HTTP/2 200\r\ncontent-length: 0\r\n\r\n"]),
    fails("a body without a head", "protocol", lambda d: [d.events() + b"\r\n\r\n"]),
    fails("zero bytes in place of a head", "protocol", lambda d: [b"\0" * 100 + b"\r\n\r\n"]),
    fails("a header without a colon", "protocol", lambda d: [b"HTTP/1.1 200 OK\r\noh no\r\n\r\n"]),
    fails("a length that is no number", "protocol", lambda d: [head(d, framing="content-length: many")]),
    fails("a length below zero", "protocol", lambda d: [head(d, framing="content-length: -5")]),
    fails("two lengths", "protocol", lambda d: [head(d, "content-length: 7", framing="content-length: 5")]),
    fails("a size that is no number", "protocol", lambda d: [begun(d, "begin") + b"zz\r\n"], "Hel"),
    fails("a size without end", "protocol", lambda d: [head(d), endless(b"f" * 1000)]),
    fails("an unknown way to frame", "protocol", lambda d: [head(d, framing="transfer-encoding: pigeon")]),
    fails("a header of 300,000 bytes", "protocol", lambda d: [b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000]),
    fails("headers without end", "protocol", lambda d: [b"HTTP/1.1 200 OK\r\n", endless(b"x-line: 1\r\n" * 1000)]),
    fails(
        "packed twice", "protocol", lambda d: [whole(d, b"x", "content-encoding: gzip, gzip")], says="more than once"
    ),
    fails("packed in a way unasked", "protocol", lambda d: [whole(d, b"x", "content-encoding: br")], says="'br'"),
    fails("said to be packed, and not", "protocol", lambda d: [whole(d, d.events(), "content-encoding: gzip")]),
    fails(
        "packed, and cut",
        "network",
        lambda d: [whole(d, packed(d.events("begin")), "content-encoding: gzip")],
        "Hel",
    ),
    fails("a web page", "protocol", lambda d: [whole(d, HTML)], says="'Sign in'"),
    fails("a web page behind an empty line", "protocol", lambda d: [whole(d, b"\n\n" + HTML)], says="'Sign in'"),
    fails("an event of plain words", "protocol", lambda d: [whole(d, d.event("It works!"))], says="It works!"),
    fails("plain words", "protocol", lambda d: [whole(d, b"It works!\nReally.\n")], says="It works!"),
    fails("plain words without a line end", "protocol", lambda d: [whole(d, b"It works!")], says="It works!"),
    fails("an event that is no JSON", "protocol", lambda d: [whole(d, d.events("begin") + d.event("{oops"))], "Hel"),
    fails("an event that is a number", "protocol", lambda d: [whole(d, d.events("begin") + d.event("7"))], "Hel"),
    fails("an event that is text", "protocol", lambda d: [whole(d, d.events("begin") + d.event('"hm"'))], "Hel"),
    fails("JSON that is too deep", "protocol", lambda d: [whole(d, d.events("begin") + d.event("[" * 99_999))], "Hel"),
]


def _events(cut_into: int = 0, **changes: bytes) -> Callable[[Dialect], list[Action]]:
    """The whole answer, with bytes replaced and cut."""

    def reply(dialect: Dialect) -> list[Action]:
        body = dialect.events()
        if "line_end" in changes:
            body = body.replace(b"\n", changes["line_end"])
        body = changes.get("before", b"") + body + changes.get("after", b"")
        pieces = cut(body, cut_into) if cut_into else [body]
        return [head(dialect), iter([chunk(piece) for piece in pieces]), LAST]

    return reply


def says(name: str, text: str, expected: str | None = None, cut_into: int = 0) -> Fault:
    """An answer with an odd text in it."""

    def reply(dialect: Dialect) -> list[Action]:
        pieces = cut(dialect.events(text=text), cut_into or 1000)
        return [head(dialect), b"".join(map(chunk, pieces)), LAST]

    return Fault(name, reply, None, f"Hel{text if expected is None else expected}")


def _gzip_in_pieces(dialect: Dialect) -> list[Action]:
    packed = gzip.compress(dialect.events())
    return [head(dialect, "content-encoding: gzip"), b"".join(map(chunk, cut(packed, 3))), LAST]


ODD = [
    Fault("byte by byte", _events(1)),
    Fault("three bytes at a time", _events(3)),
    Fault("CRLF", _events(line_end=b"\r\n")),
    Fault("CRLF, byte by byte", _events(1, line_end=b"\r\n")),
    Fault("a byte order mark", _events(before=b"\xef\xbb\xbf")),
    Fault("a byte order mark, byte by byte", _events(1, before=b"\xef\xbb\xbf")),
    Fault("empty lines first", _events(before=b"\n\n\n")),
    Fault("empty lines between", lambda d: [whole(d, d.events("begin") + b"\n\n" + d.events("more", "finish", "end"))]),
    Fault("garbage behind the end mark", _events(after=b"\0\xff{oops\n\n<html>\n\n")),
    Fault("an answer once more behind the end mark", lambda d: [whole(d, d.events() + d.events())]),
    Fault("a reset behind the end mark", lambda d: [head(d) + chunk(d.events()), "reset"]),
    Fault("silence behind the end mark", lambda d: [head(d) + chunk(d.events()), "stall"]),
    Fault("garbage in place of the last chunk", lambda d: [head(d) + chunk(d.events()) + b"zz\r\n"]),
    Fault(
        "a length that is too long for a whole answer",
        lambda d: [head(d, framing="content-length: 99999") + d.events()],
    ),
    Fault("HTTP 1.0", lambda d: [b"HTTP/1.0 200 OK\r\n\r\n" + d.events()]),
    Fault("no length, and closed", lambda d: [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + d.events()]),
    Fault("bare line ends in the head", lambda d: [whole(d, d.events()).replace(b"\r\n", b"\n")]),
    Fault(
        "interim replies first", lambda d: [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 9 + whole(d, d.events())]
    ),
    Fault("chunks with extensions", lambda d: [head(d), chunk(d.events()).replace(b"\r\n", b";x=y\r\n", 1), LAST]),
    Fault("trailers", lambda d: [head(d) + chunk(d.events()) + b"0\r\nx-sum: 1\r\n\r\n"]),
    Fault("no content type", lambda d: [b"HTTP/1.1 200 OK\r\n\r\n" + d.events()]),
    Fault("a wrong content type", lambda d: [whole(d, d.events(), "content-type: image/png")]),
    Fault("status 206", lambda d: [whole(d, d.events(), status="206 Partial Content")]),
    Fault("status 201 without a phrase", lambda d: [whole(d, d.events(), status="201 ")]),
    Fault("the answer in one piece", lambda d: [whole(d, json.dumps(d.whole).encode())]),
    Fault("the answer in one piece, indented", lambda d: [whole(d, json.dumps(d.whole, indent=2).encode())]),
    Fault("the answer in one piece behind blank lines", lambda d: [whole(d, b"\n \n" + json.dumps(d.whole).encode())]),
    Fault("gzip", lambda d: [whole(d, gzip.compress(d.events()), "content-encoding: gzip")]),
    Fault("gzip, three bytes at a time", _gzip_in_pieces),
    Fault("deflate", lambda d: [whole(d, zlib.compress(d.events()), "content-encoding: deflate")]),
    Fault("an encoding that is none", lambda d: [whole(d, d.events(), "content-encoding: identity")]),
    says("characters of several bytes, cut", "ł🌍é", cut_into=1),
    says("half of a character", "\ud83c", "\ufffd"),
    says("the other half of a character", "\udf0d", "\ufffd"),
    says("zero bytes in the text", "\0"),
    says("escape sequences in the text", "\x1b]0;owned\x07\x1b[2J"),
    says("line separators in the text", "\u2028\u2029\x85\x0b\x0c"),
    says("an end mark in the text", "data: [DONE]\n\n"),
]

LARGE = [
    says("an event of 10 MB", "x" * (10 * MEGABYTE), cut_into=70_000),
    fails("an event without end", "protocol", lambda d: [head(d), endless(chunk(b'data: {"x' + b"y" * 65_536))]),
    fails("a document without end", "protocol", lambda d: [head(d), chunk(b"<"), endless(chunk(b"p" * 65_536))]),
    fails(
        "a few bytes that become gigabytes",
        "protocol",
        lambda d: [whole(d, bomb(200, d.events("begin") + b"data: "), "content-encoding: gzip")],
        "Hel",
    ),
]
