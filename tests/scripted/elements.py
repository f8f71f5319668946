"""What a reply is made of, as a test writes it.

A string stands for `text(string)`. `text`, `reasoning`, `tool_call` and `interleaved` are what a model says and
also work in a reply that is not streamed; the others are about the stream itself. A pause or fault that comes first
acts before the head of the response is sent, unless `head()` stands before it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """Text in pieces, one chunk each, under the given keys of the delta."""

    pieces: tuple[str, ...]
    keys: tuple[str, ...]

    def deltas(self) -> Iterator[Json]:
        for piece in self.pieces:
            yield dict.fromkeys(self.keys, piece)


def text(words: str | Iterable[str], pieces: int | None = None) -> Words:
    """Text of the answer: a chunk for each word, for each string of a list, or `pieces` chunks of one size."""
    return Words(_pieces(words, pieces), ("content",))


def reasoning(words: str | Iterable[str], key: str = "reasoning_content", pieces: int | None = None) -> Words:
    """Reasoning under `key`: reasoning_content, reasoning, reasoning_text, or "both" for the first two at once."""
    return Words(_pieces(words, pieces), ("reasoning_content", "reasoning") if key == "both" else (key,))


def _pieces(words: str | Iterable[str], pieces: int | None) -> tuple[str, ...]:
    if not isinstance(words, str):
        return tuple(words)
    if pieces is None:
        return tuple(re.findall(r"\s*\S+(?:\s+\Z)?|\s+\Z", words)) or (words,)
    return tuple(cut(words, pieces))


def cut(words: str, pieces: int) -> list[str]:
    """The text in `pieces` parts of about one size, but no empty ones."""
    pieces = max(1, min(pieces, len(words)))
    bounds = [len(words) * i // pieces for i in range(pieces + 1)]
    return [words[a:b] for a, b in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call and the way in which the server cuts it into fragments; see `tool_call`."""

    name: str
    arguments: str
    id: str | None
    pieces: int
    index: Literal["own", "zero", "none"]
    ids: Literal["first", "every", "empty_later", "null_later", "none"]
    names: Literal["first", "every", "split"]
    as_object: bool
    repeat_whole: bool
    null_keys: bool
    extra: Json | None

    def fragments(self, position: int, id: str) -> Iterator[Json]:
        """Entries of `delta.tool_calls`, one chunk each."""
        if self.as_object:
            yield self._fragment(position, id, self.name, json.loads(self.arguments), first=True)
            return
        names = cut(self.name, 2) if self.names == "split" else [self.name]
        arguments: list[str] = ["", *cut(self.arguments, self.pieces)] if self.pieces > 1 else [self.arguments]
        if self.repeat_whole:
            arguments.append(self.arguments)
        for i, (name, piece) in enumerate(zip_longest(names, arguments)):
            shown = self.name if self.names == "every" else name
            yield self._fragment(position, id, shown, piece, first=i == 0)
        if self.extra:
            yield ({} if self.index == "none" else {"index": position}) | {"extra_content": self.extra}

    def _fragment(self, position: int, id: str, name: str | None, arguments: Any, first: bool) -> Json:
        fragment: Json = {}
        if self.index != "none":
            fragment["index"] = position if self.index == "own" else 0
        if self.ids == "every" or (first and self.ids != "none"):
            fragment["id"] = id
        elif self.ids == "empty_later":
            fragment["id"] = ""
        elif self.ids == "null_later" or self.null_keys:
            fragment["id"] = None
        if first or self.null_keys:
            fragment["type"] = "function" if first else None
        function: Json = {}
        if name is not None or self.null_keys:
            function["name"] = name
        if arguments is not None:
            function["arguments"] = arguments
        fragment["function"] = function
        return fragment


def tool_call(
    name: str,
    arguments: Json | str | None = None,
    *,
    id: str | None = None,
    pieces: int = 3,
    index: Literal["own", "zero", "none"] = "own",
    ids: Literal["first", "every", "empty_later", "null_later", "none"] = "first",
    names: Literal["first", "every", "split"] = "first",
    as_object: bool = False,
    repeat_whole: bool = False,
    null_keys: bool = False,
    extra: Json | None = None,
) -> ToolCall:
    """A call of a tool. A string as `arguments` is sent as it is, valid JSON or not.

    `id` None: the server makes one, `call_REPLY_POSITION`. `FRAGMENTATIONS` names the ways in which servers cut calls.
    """
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return ToolCall(name, raw, id, pieces, index, ids, names, as_object, repeat_whole, null_keys, extra)


FRAGMENTATIONS: dict[str, Json] = {
    "pieces": {},
    "whole": {"pieces": 1},
    "a character at a time": {"pieces": 1000},
    "no index": {"index": "none"},
    "index always zero": {"index": "zero"},
    "id in each fragment": {"ids": "every"},
    "id and name in each fragment": {"ids": "every", "names": "every"},
    "no index but the id each time": {"index": "none", "ids": "every"},
    "empty ids later": {"ids": "empty_later"},
    "null ids later": {"ids": "null_later"},
    "no id at all": {"ids": "none"},
    "name in two parts": {"names": "split"},
    "arguments as an object": {"as_object": True},
    "whole arguments again at the end": {"repeat_whole": True},
    "null for what is not there": {"null_keys": True},
    "a fragment with extra content only": {"extra": {"google": {"thought_signature": "c2ln"}}},
}
"""Keyword arguments of `tool_call`, by what a server does. With two calls in one reply, those with neither an index of
their own nor ids cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Interleaved:
    """Parallel calls whose fragments alternate."""

    calls: tuple[ToolCall, ...]


def interleaved(*calls: ToolCall) -> Interleaved:
    return Interleaved(calls)


@dataclass(frozen=True, slots=True)
class Delta:
    """A delta as given, in the usual chunk around it."""

    fields: Json | None


def delta(fields: Json | None) -> Delta:
    return Delta(fields)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes of the body, as they are."""

    data: bytes


def raw(data: bytes) -> Raw:
    return Raw(data)


def chunk(payload: Any) -> Raw:
    """An event with any JSON as its data, such as `{"error": {...}}` in mid-stream."""
    return Raw(b"data: " + json.dumps(payload).encode() + b"\n\n")


def comment(words: str = "keep-alive") -> Raw:
    return Raw(f": {words}\n\n".encode())


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for `seconds`, until `event` is set, or (neither given) until `server.release()`."""

    seconds: float | None = None
    event: threading.Event | None = None


def pause(until: float | threading.Event | None = None) -> Pause:
    if isinstance(until, int | float):
        return Pause(seconds=until)
    return Pause(event=until)


@dataclass(frozen=True, slots=True)
class Break:
    """The reply ends here in a bad way.

    reset: TCP RST; stall: silence until the client gives up; cut_off: closed in the middle of the chunked body;
    half_chunk: closed in the middle of a chunk.
    """

    kind: Literal["reset", "stall", "cut_off", "half_chunk"]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the response is sent now, before anything of the body."""


def reset() -> Break:
    return Break("reset")


def stall() -> Break:
    return Break("stall")


def cut_off() -> Break:
    return Break("cut_off")


def half_chunk() -> Break:
    return Break("half_chunk")


def head() -> Head:
    return Head()


Element = Words | ToolCall | Interleaved | Delta | Raw | Pause | Break | Head
