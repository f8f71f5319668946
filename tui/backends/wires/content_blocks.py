"""The content blocks of an Anthropic message, put together from their pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tui.backends.wires.messages_encode import REDACTED, THINKING
from tui.backends.wires.reading import as_list, as_text, parse
from tui.backends.wires.surrogates import mend, split_open
from tui.backends.wires.tool_calls import ToolCalls
from tui.core.events import Delta, ReasoningDelta, TextDelta
from tui.core.messages import Block, Json, Reasoning, Text

_TEXT = "text"
_CALL = "tool_use"
_PIECES = {
    _TEXT: ("text_delta", "citations_delta"),
    THINKING: ("thinking_delta", "signature_delta"),
    _CALL: ("input_json_delta",),
}
"""What comes for which kind of block."""


class ContentBlock:
    """A block that is being written; `fields` are those it began with, `call` its place if it is one of the `calls`.

    A kind that is not known (a tool that the server runs itself, and its result) is kept whole, to be given back.
    """

    def __init__(self, fields: Json, calls: ToolCalls, call: int) -> None:
        self.kind = as_text(fields.get("type"))
        self.call = call if self.kind == _CALL else None
        """Which of the answer's calls it is; None for what is none."""
        self._fields = dict(fields)
        self._calls = calls
        self._pieces: list[str] = []
        self._half = ""  # of a character that was cut in two
        self._signature: list[str] = []
        self._json: list[str] = []

    @property
    def has_said(self) -> bool:
        return bool(self._pieces)

    def takes(self, piece: str) -> bool:
        """Whether a delta of that type can belong to this block."""
        wanted = _PIECES.get(self.kind)
        return wanted is None or piece in wanted or not any(piece in others for others in _PIECES.values())

    def open(self) -> Iterator[Delta]:
        """What the beginning itself says: a few servers send the first words, or all, with it."""
        if self.kind in (_TEXT, THINKING):
            yield from self._say(as_text(self._fields.pop(self.kind, "")))
            if self.kind == THINKING:
                self._signature.append(as_text(self._fields.pop("signature", "")))
        elif self.kind == _CALL:
            own = {"index": self.call, "id": self._fields.get("id"), "function": {"name": self._fields.get("name")}}
            extra = {key: value for key, value in self._fields.items() if key not in ("id", "type", "name", "input")}
            if told := self._calls.add(extra | own):
                yield told

    def add(self, type: str, delta: Json) -> Iterator[Delta]:
        if self.kind in _PIECES and type not in _PIECES[self.kind]:
            return
        if type in ("text_delta", "thinking_delta") and self.kind in _PIECES:
            yield from self._say(as_text(delta.get(self.kind)))
        elif self.kind == THINKING:
            self._signature.append(as_text(delta.get("signature")))
        elif self.kind == _TEXT:
            self._fields["citations"] = [*as_list(self._fields.get("citations")), delta.get("citation")]
        elif type == "input_json_delta":
            piece = delta.get("partial_json")
            piece = piece if isinstance(piece, str) else json.dumps(piece, ensure_ascii=False)
            self._json.append(piece)
            if self.call is not None and piece:
                yield from self._write(piece)
        else:
            self._keep(delta)

    def close(self) -> Iterator[Delta]:
        """What was held back for what might follow, at the block's end."""
        if self._half:
            self._half = ""
            yield from self._say("\ufffd")
        if self.call is not None and (given := self._fields.get("input")) and not "".join(self._json).strip():
            yield from self._write(json.dumps(given, ensure_ascii=False))

    def finish(self) -> list[Block]:
        """The block, unless there is nothing in it. Not for calls: those are finished together."""
        if self.kind == REDACTED:
            return [Reasoning("", REDACTED, data=self._fields)]
        if self.kind in (_TEXT, THINKING):
            text = "".join(self._pieces)
            signature = "".join(self._signature)
            rest = {key: value for key, value in self._fields.items() if key != "type" and value is not None}
            if self.kind == THINKING:
                is_there = text or signature
                return [Reasoning(text, THINKING, signature or None, rest or None)] if is_there else []
            return [Text(text, rest or None)] if text else []
        if self._json:
            written = "".join(self._json)
            value = parse(written) if written.strip() else {}
            self._fields["input"] = written if value is None else value
        return [Reasoning("", self.kind, data=self._fields)] if self.kind else []

    def _say(self, text: str) -> Iterator[Delta]:
        """A piece as a delta, with characters that were cut in two made whole."""
        if not text.isascii() or self._half:
            text, self._half = split_open(self._half + text)
            text = mend(text)
        if text:
            self._pieces.append(text)
            yield TextDelta(text) if self.kind == _TEXT else ReasoningDelta(text)

    def _write(self, piece: str) -> Iterator[Delta]:
        if told := self._calls.add({"index": self.call, "function": {"arguments": piece}}):
            yield told

    def _keep(self, delta: Json) -> None:
        """A piece of a block that is not known: words are appended, the rest replaces what was there."""
        for key, value in delta.items():
            if key == "type" or value is None:
                continue
            old = self._fields.get(key)
            self._fields[key] = old + value if isinstance(old, str) and isinstance(value, str) else value
