"""Reasoning that a server leaves inside the text: `<think>...</think>` at its very beginning."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


class ThinkTags:
    """Splits pieces of text into (is reasoning, piece). What could be part of a tag waits until that is clear."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self.is_over = False
        """All that follows is text: feed it nothing more."""

    def feed(self, text: str) -> list[tuple[bool, str]]:
        self._held += text
        if not self._inside:
            start = self._held.lstrip()
            if OPEN.startswith(start):
                return []
            if not start.startswith(OPEN):
                return self.finish()
            self._held, self._inside = start[len(OPEN) :], True
        thought, closed, answer = self._held.partition(CLOSE)
        if closed:
            self._held, self._inside, self.is_over = "", False, True
            return [(True, thought), (False, answer)]
        kept = next((n for n in range(len(CLOSE) - 1, 0, -1) if thought.endswith(CLOSE[:n])), 0)
        self._held = thought[len(thought) - kept :]
        return [(True, thought[: len(thought) - kept])]

    def finish(self) -> list[tuple[bool, str]]:
        """What is held back, now that nothing follows that could make it a tag."""
        self.is_over = True
        held, self._held = self._held, ""
        return [(self._inside, held)]
