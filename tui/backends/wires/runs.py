"""The words of a reply as they come, in runs of one key: text, or the reasoning of a wire's own name."""

from __future__ import annotations

from collections.abc import Iterator

from tui.backends.wires.surrogates import mend, split_open
from tui.core.events import Delta, ReasoningDelta, TextDelta
from tui.core.messages import Block, Reasoning, Text

TEXT = ""
"""The key of a piece of the answer itself."""


class Runs:
    """Takes in pieces, makes whole the characters that were cut between two of them, and keeps the order."""

    def __init__(self) -> None:
        self._runs: list[tuple[str, list[str]]] = []
        self._half = ""  # of a character that was cut in two

    def say(self, key: str, text: str) -> Iterator[Delta]:
        """A piece as a delta; nothing while it is only half of a character."""
        if not text.isascii() or self._half:
            text, self._half = split_open(self._half + text)
            text = mend(text)
        if not text:
            return
        if not self._runs or self._runs[-1][0] != key:
            self._runs.append((key, []))
        self._runs[-1][1].append(text)
        yield ReasoningDelta(text) if key else TextDelta(text)

    def rest(self) -> Iterator[Delta]:
        """What stands for half a character whose other half never came."""
        if self._half:
            self._half = ""
            yield from self.say(self._runs[-1][0] if self._runs else TEXT, "\ufffd")

    def blocks(self) -> list[Block]:
        """All of it, a block a run."""
        return [Reasoning("".join(pieces), key) if key else Text("".join(pieces)) for key, pieces in self._runs]
