"""A model that says the same passage over and over is noticed while it still does."""

from __future__ import annotations

_LOOK_EVERY = 400
"""Characters between two looks."""
_KEPT_CHARACTERS = 12_000
_SIGN = 48
"""Characters of the newest text whose last appearance gives the length of what might repeat itself."""
_PASSAGE = 12
"""Characters of the shortest passage: a row of the same sign or word is mostly meant."""
_REASONING = (8, 1500)
"""So many repetitions, of so many characters together, are no thinking any more."""
_ANSWER = (20, 4000)
"""What an agent says beside its work may repeat itself more, a table or a listing."""


class Spiral:
    """Takes in the pieces of one reply; `found` once it goes round in circles."""

    def __init__(self) -> None:
        self.found = False
        self._text, self._is_reasoning, self._unseen = "", False, 0

    def add(self, text: str, *, is_reasoning: bool) -> None:
        if is_reasoning != self._is_reasoning:
            self._text, self._is_reasoning = "", is_reasoning
        self._text = (self._text + text)[-_KEPT_CHARACTERS:]
        self._unseen += len(text)
        if self._unseen >= _LOOK_EVERY:
            self._unseen = 0
            times, characters = _REASONING if is_reasoning else _ANSWER
            self.found = self.found or repeats(self._text, times, characters)


def repeats(text: str, times: int, characters: int) -> bool:
    """Whether `text` ends with the same passage at least `times` over, which together are `characters` long or more."""
    if len(text) < characters:
        return False
    sign = text[-_SIGN:]
    before = text.rfind(sign, 0, len(text) - 1)
    if before < 0:
        return False
    period = len(text) - _SIGN - before
    if period < _PASSAGE:
        return False
    length = max(times * period, characters)
    if length > len(text):
        return False
    tail = text[len(text) - length :]
    return tail[period:] == tail[:-period] and bool(tail[:period].strip())
