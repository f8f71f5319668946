"""A turn that was cut off: its program was killed, so nothing said how it ended. Here that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.core.events import (
    Event,
    Record,
    StepFinished,
    StepStarted,
    TurnFailed,
    TurnFinished,
)
from tui.core.partial import Partial
from tui.core.usage import Timings, Usage


@dataclass(slots=True)
class _OpenStep:
    start: Record
    came: Partial = field(default_factory=Partial)
    first: float | None = None
    last: float = 0.0

    def add(self, record: Record) -> None:
        self.first = record.time if self.first is None else self.first
        self.last = record.time
        self.came.add(record.event)

    def end(self) -> Record:
        event = self.start.event
        assert isinstance(event, StepStarted)
        began = self.start.time
        timings = Timings(began, None if self.first is None else self.first - began, max(self.last - began, 0.0))
        finished = StepFinished(self.came.message(event.origin), Usage(), "interrupted", timings)
        return _at(self.start, max(self.last, began), finished)


def endings(records: Sequence[Record]) -> list[Record]:
    """What is missing at the end of a session: the ends of the steps that were cut, then that of the turn."""
    steps: dict[tuple[int, int | None, str | None], _OpenStep] = {}
    turn: Record | None = None
    for record in records:
        place = (record.turn, record.step, record.parent)
        match record.event:
            case StepStarted():
                steps[place] = _OpenStep(record)
            case StepFinished():
                steps.pop(place, None)
            case TurnFinished() | TurnFailed() if record.parent is None:
                turn = None
                steps.clear()
                continue
            case event if place in steps and event.type.endswith("_delta"):
                steps[place].add(record)
        if record.parent is None:
            turn = record
    if turn is None:
        return []
    ends = [step.end() for step in steps.values()]
    last = max(end.time for end in [*ends, records[-1]])
    return [*ends, Record(turn.session, turn.turn, None, last, TurnFinished("interrupted"))]


def _at(record: Record, time: float, event: Event) -> Record:
    return Record(record.session, record.turn, record.step, time, event, record.parent)
