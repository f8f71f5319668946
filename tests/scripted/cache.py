"""A prefix cache as servers have it, and the check that requests extend each other, which such a cache lives from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from tests.scripted.asked import Wire
from tests.scripted.connection import Received
from tests.scripted.elements import Json
from tests.scripted.reply import encode
from tests.scripted.wires.messages import blocks, unmarked

LOOKBACK = 20
"""So many blocks before a cache mark the Messages API looks for what it has stored."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a prompt in its place: the tools, the system prompt, a message, or a block of one."""

    where: str
    data: bytes
    marked: bool = False
    """The Messages API stores what comes up to here."""


def segments(body: Json, wire: Wire) -> list[Segment]:
    """The prompt in the order in which servers read it."""
    system = body.get("instructions" if wire == "responses" else "system")
    if wire == "messages":
        return [*_blocks("tools", body.get("tools")), *_blocks("system", blocks(system)), *_messages(body)]
    parts = [("tools", body.get("tools")), ("system", system)]
    found = [Segment(where, _bytes(part)) for where, part in parts if part]
    said = body.get("input" if wire == "responses" else "messages")
    entries = said if isinstance(said, list) else [said]
    return found + [Segment(f"messages[{i}]", _bytes(entry)) for i, entry in enumerate(entries)]


def _messages(body: Json) -> list[Segment]:
    found = []
    for i, message in enumerate(body.get("messages") or []):
        found += _blocks(f"messages[{i}]", blocks(message.get("content")), message.get("role"))
    return found


def _blocks(where: str, content: Any, role: Any = None) -> list[Segment]:
    return [
        Segment(f"{where}.{i}", _bytes([role, unmarked(block)]), _is_marked(block))
        for i, block in enumerate(content or [])
    ]


def _is_marked(block: Json) -> bool:
    inner = block.get("content")
    return "cache_control" in block or (isinstance(inner, list) and any("cache_control" in part for part in inner))


def _bytes(part: Any) -> bytes:
    return encode(part).encode()


class PrefixCache:
    """Which beginnings of prompts were seen before, for each model."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def ask(self, model: str, prompt: list[Segment], kind: Literal["automatic", "marks"]) -> tuple[int, int]:
        """Bytes of this prompt that were read from the cache, and that were put into it because of a mark."""
        digest, size, read, written = hashlib.sha256(model.encode()), 0, 0, 0
        ends, new = [], []
        for segment in prompt:
            digest.update(b"%d:" % len(segment.data) + segment.data)
            size += len(segment.data)
            ends.append((digest.digest(), size))
        for i, (end, size) in enumerate(ends):
            if kind == "automatic":
                read = size if end in self._seen else read
                new.append(end)
            elif prompt[i].marked:
                found = [size for end, size in ends[max(0, i - LOOKBACK) : i + 1] if end in self._seen]
                read, written = max([read, *found]), size
                new.append(end)
        self._seen.update(new)
        return read, max(0, written - read)


@dataclass(frozen=True, slots=True)
class PrefixBreak:
    """A request that does not extend the one before."""

    request: int
    """Its place in `server.requests`."""
    where: str
    before: bytes
    after: bytes

    def __str__(self) -> str:
        return f"request {self.request} changes {self.where}: {self.before[:200]!r} became {self.after[:200]!r}"


def prefix_breaks(requests: list[Received]) -> list[PrefixBreak]:
    """Requests that change or leave out what the one before had in tools, system or messages; refused ones are not
    looked at, and cache marks do not count."""
    breaks = []
    last: list[Segment] = []
    for number, request in enumerate(requests):
        if request.refused or request.wire is None or not isinstance(request.body, dict):
            continue
        now = segments(request.body, request.wire)
        for i, old in enumerate(last):
            new = now[i] if i < len(now) else Segment("the end", b"")
            if (old.where, old.data) != (new.where, new.data):
                breaks.append(PrefixBreak(number, old.where, old.data, new.data))
                break
        last = now
    return breaks
