"""A reply that was cut off: what came of it is a message all the same."""

from __future__ import annotations

from tui.core.events import Event, ReasoningDelta, TextDelta
from tui.core.messages import Block, Message, Origin, Reasoning, Text


class Partial:
    """What came of a reply so far, for the case that no more comes. Tool calls are not kept: they were not closed."""

    def __init__(self) -> None:
        self._runs: list[tuple[type[Text] | type[Reasoning], list[str]]] = []

    def add(self, event: Event) -> None:
        """Take in a delta; other events say nothing here."""
        if not isinstance(event, TextDelta | ReasoningDelta):
            return
        kind = Text if isinstance(event, TextDelta) else Reasoning
        if not self._runs or self._runs[-1][0] is not kind:
            self._runs.append((kind, []))
        self._runs[-1][1].append(event.text)

    def message(self, origin: Origin, reasoning_key: str | None = None) -> Message:
        """As a message of `origin`, whose reasoning came under `reasoning_key` (None: where most servers have it)."""
        blocks: list[Block] = []
        for kind, pieces in self._runs:
            text = "".join(pieces)
            blocks.append(kind(text) if kind is Text or reasoning_key is None else Reasoning(text, reasoning_key))
        return Message("assistant", tuple(blocks), origin)
