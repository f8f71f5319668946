"""A request's body as bytes."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import msgspec

from tui.core.messages import Json
from tui.core.requests import LISTS

_NONE = object()


def json_body(body: Any) -> bytes:
    """A body as JSON without spaces. Halves of characters, which no server takes, become `?`."""
    try:
        return msgspec.json.encode(body)  # a tenth of the time that `json` takes
    except UnicodeEncodeError:
        import json

        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class GrowingBody:
    """The bodies of one request after the other: what was sent before is not encoded anew.

    Entries of the conversation and other fields (the tools) are known by being the same object: wires replace them,
    never alter them.
    """

    def __init__(self) -> None:
        self._entries: list[Any] = []
        self._pieces: list[bytes] = []
        self._fields: dict[str, tuple[Any, msgspec.Raw]] = {}

    def encode(self, body: Json) -> bytes:
        """The same bytes as `json_body` gives."""
        raw = {name: self._field(name, value) for name, value in body.items() if isinstance(value, list | dict)}
        try:
            return msgspec.json.encode(body | raw)
        except UnicodeEncodeError:  # in what is neither
            return json_body(body)

    def _field(self, name: str, value: Any) -> msgspec.Raw:
        if name in LISTS and isinstance(value, list):
            return self._conversation(value)
        known = self._fields.get(name)
        if known is None or known[0] is not value:
            known = self._fields[name] = value, msgspec.Raw(json_body(value))
        return known[1]

    def _conversation(self, entries: list[Any]) -> msgspec.Raw:
        before = chain(zip(self._entries, self._pieces, strict=True), repeat((_NONE, b"")))
        self._pieces = [
            piece if entry is old else json_body(entry) for entry, (old, piece) in zip(entries, before, strict=False)
        ]
        self._entries = list(entries)
        return msgspec.Raw(b"[" + b",".join(self._pieces) + b"]")
