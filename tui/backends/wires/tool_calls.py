"""Tool calls put together from fragments, in all the ways in which servers cut them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from tui.backends.wires.surrogates import mend
from tui.core.events import ToolCallDelta
from tui.core.messages import Json, ToolCall

_OWN_KEYS = ("index", "id", "type", "function")


def new_id() -> str:
    """An id for a call that came without one: as every server takes it, and not twice in a conversation."""
    return f"call_{secrets.token_hex(8)}"


class _Call:
    """A call that is being written."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.extra: Json = {}

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    @property
    def is_whole(self) -> bool:
        """The arguments are a JSON object, so more of them would spoil it."""
        return bool(self.pieces) and self.pieces[-1].rstrip().endswith("}") and _object(self.arguments) is not None


class ToolCalls:
    """The calls of one reply, in the order in which they began."""

    def __init__(self, make_id: Callable[[], str] = new_id) -> None:
        self._make_id = make_id
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragment: Json) -> ToolCallDelta | None:
        """Take in one entry of `tool_calls`; what a reader should be told of it, if anything."""
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        name, arguments = function.get("name"), function.get("arguments")
        name = name if isinstance(name, str) else ""
        if isinstance(arguments, dict | list):
            piece, is_everything = json.dumps(arguments, ensure_ascii=False), True
        else:
            piece, is_everything = arguments if isinstance(arguments, str) else "", False

        if not (self._calls or name or piece or fragment.get("id")):
            return None  # it says something of a call that there is not
        call = self._call_of(fragment, name, piece)
        named_before = bool(call.name)
        if name and name != call.name:  # a few servers split the name, many repeat it
            call.name += name
        for key, value in fragment.items():
            if key not in _OWN_KEYS and value is not None:
                call.extra[key] = value
        added = self._add_arguments(call, piece, is_everything) if piece else ""
        if added or (call.name and not named_before):
            return ToolCallDelta(call.position, call.name, added)
        return None

    def finish(self) -> tuple[ToolCall, ...]:
        """The calls as blocks, each with an id of its own."""
        used: set[str] = set()
        blocks = []
        for call in self._calls:
            id = call.id if call.id and call.id not in used else self._make_id()
            used.add(id)
            text = mend(call.arguments).strip()
            arguments = _object(text) if text else {}
            raw = text if arguments is None else None
            blocks.append(ToolCall(id, mend(call.name), arguments or {}, raw, call.extra or None))
        return tuple(blocks)

    def _call_of(self, fragment: Json, name: str, piece: str) -> _Call:
        """The call that a fragment belongs to: by index, by id, else the last one; a new one where none of these fits.

        A different id under the same index is another call, for some servers number every parallel call 0.
        """
        index, id = fragment.get("index"), fragment.get("id")
        index = index if isinstance(index, int) else None
        id = id if isinstance(id, str) else ""
        if index is not None:
            call = self._by_index.get(index)
            if call and id and call.id and id != call.id:
                call = self._by_id.get(id)
        elif id:
            call = self._by_id.get(id)
        else:
            call = self._calls[-1] if self._calls else None
        if call is None or (not id and _is_another(call, name, piece)):
            call = _Call(len(self._calls))
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        if id and not call.id:
            call.id = id
            self._by_id[id] = call
        return call

    def _add_arguments(self, call: _Call, piece: str, is_everything: bool) -> str:
        """Append a piece; returns what a reader has not been shown yet."""
        if call.pieces and (is_everything or (piece.lstrip().startswith("{") and call.is_whole)):
            call.pieces = [piece]  # all of it once more (or `{}` as a placeholder before the real ones)
            return ""
        call.pieces.append(piece)
        return piece


def _is_another(call: _Call, name: str, piece: str) -> bool:
    """A named fragment without an id, after a call that is whole: the server sends whole calls and no ids."""
    if not name or not call.name or not call.is_whole:
        return False
    if name != call.name:
        return True
    return _object(piece) is not None and _object(piece) != _object(call.arguments)


def _object(text: str) -> Json | None:
    """The JSON object that `text` is; None if it is anything else. Line breaks within strings are let through."""
    try:
        value: Any = json.loads(text, strict=False, parse_constant=_refuse)
        if "\\u" in text:  # half of a surrogate pair can be written as an escape
            value = json.loads(mend(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
