"""Reasoning that a server leaves inside the text: `<think>...</think>` at its very beginning, `<thought>` by Gemini."""

from __future__ import annotations

import re

OPEN, CLOSE = "<think>", "</think>"
_TAGS = {OPEN: CLOSE, "<thought>": "</thought>"}


class ThinkTags:
    """Splits pieces of text into (is reasoning, piece). What could be part of a tag waits until that is clear."""

    def __init__(self) -> None:
        self._held = ""
        self._close = ""
        self.tag = OPEN
        """What the reasoning began with."""
        self.is_over = False
        """All that follows is text: feed it nothing more."""

    def feed(self, text: str) -> list[tuple[bool, str]]:
        self._held += text
        if not self._close:
            start = self._held.lstrip()
            if any(tag.startswith(start) for tag in _TAGS):
                return []
            tag = next((tag for tag in _TAGS if start.startswith(tag)), None)
            if tag is None:
                return self.finish()
            self._held, self.tag, self._close = start[len(tag) :], tag, _TAGS[tag]
        thought, closed, answer = self._held.partition(self._close)
        if closed:
            self._held, self._close, self.is_over = "", "", True
            return [(True, thought), (False, answer)]
        close = self._close
        kept = next((n for n in range(len(close) - 1, 0, -1) if thought.endswith(close[:n])), 0)
        self._held = thought[len(thought) - kept :]
        return [(True, thought[: len(thought) - kept])]

    def finish(self) -> list[tuple[bool, str]]:
        """What is held back, now that nothing follows that could make it a tag."""
        self.is_over = True
        held, self._held = self._held, ""
        return [(bool(self._close), held)]


def tagged(tag: str, thought: str) -> str:
    """Reasoning as it came, between its tags."""
    return f"{tag}{thought}{_TAGS.get(tag, CLOSE)}"


def closed_only(text: str) -> tuple[str, str] | None:
    """Reasoning and answer of a text whose `<think>` stood in the server's template, so that only its end came.

    None for all other texts: the end must be alone on its line, come once, and not stand in a block of code.
    """
    if text.count(CLOSE) != 1 or OPEN in text:
        return None
    thought, _, answer = text.partition(CLOSE)
    is_alone = (not thought or thought.endswith("\n")) and re.match(r"[ \t]*(\n|\Z)", answer) is not None
    return (thought, answer) if is_alone and thought.count("```") % 2 == 0 else None
