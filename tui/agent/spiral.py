"""A model that says the same passage over and over is noticed while it still does."""

from __future__ import annotations

import re

_LOOK_EVERY = 400
"""Characters between two looks."""
_KEPT_CHARACTERS = 32_000
_SIGN = 48
"""Characters of the newest text whose last appearance gives the length of what might repeat itself."""
_PASSAGE = 12
"""Characters of the shortest passage: a row of the same sign or word is mostly meant."""
_REASONING = (8, 1500)
"""So many repetitions, of so many characters together, are no thinking any more."""
_ANSWER = (20, 4000)
"""What an agent says beside its work may repeat itself more, a table or a listing."""
_NUMBERED = (20, 5000)
"""The same sentence but for its numbers. Rows of a table with few words are one thing after another."""
_CODE = (200, 30_000)
"""In a fence tables of bytes and rows of data are meant, for long."""
_SENTENCE_WORDS = 4
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


class Spiral:
    """Takes in the pieces of one reply; `found` once it goes round in circles."""

    def __init__(self) -> None:
        self.found = False
        self._is_reasoning = False
        self._begin()

    def _begin(self) -> None:
        self._text, self._numberless, self._line, self._is_code = "", "", "", False
        self._new: list[str] = []
        self._unseen = 0

    def add(self, text: str, *, is_reasoning: bool) -> None:
        if is_reasoning != self._is_reasoning:
            self._is_reasoning = is_reasoning
            self._begin()
        self._new.append(text)
        self._unseen += len(text)
        if self._unseen >= _LOOK_EVERY:
            self._look()

    def _look(self) -> None:
        came = "".join(self._new)
        new = came.rstrip("0123456789")  # a number at the end may go on
        self._new, self._unseen = [came[len(new) :]], 0
        self._text = (self._text + new)[-_KEPT_CHARACTERS:]
        self._numberless = (self._numberless + _NUMBER.sub("0", new))[-_KEPT_CHARACTERS:]
        lines, _, self._line = (self._line + new).rpartition("\n")
        self._is_code ^= len(_FENCE.findall(lines)) % 2 == 1
        self.found = self.found or self._goes_round()

    def _goes_round(self) -> bool:
        if self._is_code:
            return bool(repeated(self._numberless, *_CODE))
        if repeated(self._text, *(_REASONING if self._is_reasoning else _ANSWER)):
            return True
        return len(_WORD.findall(repeated(self._numberless, *_NUMBERED))) >= _SENTENCE_WORDS


def repeated(text: str, times: int, characters: int) -> str:
    """The passage that `text` ends with at least `times` over, together `characters` long or more; empty for none."""
    if len(text) < characters:
        return ""
    sign = text[-_SIGN:]
    before = text.rfind(sign, 0, len(text) - 1)
    if before < 0:
        return ""
    period = len(text) - _SIGN - before
    if period < _PASSAGE:
        return ""
    length = max(times * period, characters)
    if length > len(text):
        return ""
    tail = text[len(text) - length :]
    return tail[:period] if tail[period:] == tail[:-period] and tail[:period].strip() else ""
