"""Records as database rows and back. The deltas of a finished step are made again from its message's blocks."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tui.core.codec import dumps, event_from_json, to_json
from tui.core.events import Delta, Event, Notice, ReasoningDelta, Record, StepFinished, TextDelta, ToolCallDelta
from tui.core.messages import Block, Json, Reasoning, Text, ToolCall

DELTA_TYPES = (TextDelta.type, ReasoningDelta.type, ToolCallDelta.type)
_KINDS: dict[type[Block], str] = {Text: TextDelta.type, Reasoning: ReasoningDelta.type, ToolCall: ToolCallDelta.type}


class Row(NamedTuple):
    """A record as it is stored. `parent` and `body` are JSON, and so is `starts`: what `starts_of` gives."""

    turn: int
    step: int | None
    parent: str | None
    time: float
    type: str
    body: str
    starts: str | None = None


COLUMNS = ", ".join(Row._fields)
_CHUNK = 200
"""Rows whose bodies are parsed in one call: fast, and short enough for the other threads to have their turn."""
_LONG = 2000
"""Rows that make a session a long one."""


def row_of(record: Record) -> Row:
    parent = None if record.parent is None else dumps(record.parent)
    return Row(record.turn, record.step, parent, record.time, record.event.type, dumps(to_json(record.event)))


def records_of(session: str, rows: Sequence[Row]) -> list[Record]:
    """The records of rows, with the deltas of finished steps."""
    found: list[Record] = []
    with _no_collection(len(rows)):
        for at in range(0, len(rows), _CHUNK):
            chunk = rows[at : at + _CHUNK]
            bodies = json.loads(f"[{','.join([row[5] for row in chunk])}]")
            for row, body in zip(chunk, bodies, strict=True):
                _add(found, session, row, body)
    return found


def _add(found: list[Record], session: str, row: Row, body: Json) -> None:
    turn, step, parent, time, kind, _, starts = row
    try:
        event = event_from_json(body)
    except ValueError:
        event = Notice(f"An event that this version does not know is left out: {kind}.")
    where = None if parent is None else json.loads(parent)
    if isinstance(event, StepFinished):
        found += [Record(session, turn, step, at, delta, where) for at, delta in _deltas(event, starts)]
    found.append(Record(session, turn, step, time, event, where))


@contextmanager
def _no_collection(rows: int) -> Iterator[None]:
    """No garbage collection: what is only built up holds no garbage, and looking for it took a third of the time.

    Of a long session nothing is looked at later either: each full collection would go through all of it, 50 ms for
    5,000 turns, in the middle of somebody's typing. What is frozen is still freed when nothing refers to it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if rows >= _LONG:
            gc.freeze()
        if was_enabled:
            gc.enable()


def starts_of(deltas: Iterable[tuple[float, Event]]) -> list[list[str | float]]:
    """When each block of a reply began, from its deltas (time, event) in order: a list of [type, seconds]."""
    starts: list[list[str | float]] = []
    last: tuple[str, int] | None = None
    for time, event in deltas:
        run = (event.type, event.index if isinstance(event, ToolCallDelta) else 0)
        if run != last:
            starts.append([event.type, time])
            last = run
    return starts


def _deltas(step: StepFinished, starts: str | None) -> Iterator[tuple[float, Delta]]:
    """One delta for each block, at the time when the block began as far as that is known."""
    times: list[list[str | float]] = json.loads(starts) if starts else []
    at = step.timings.started + (step.timings.first_token_s or 0.0)
    calls = 0
    for block in step.message.blocks:
        kind = _KINDS.get(type(block))
        mine = next((start for start in times if start[0] == kind), None)
        if mine is not None:
            times.remove(mine)
            at = float(mine[1])
        if isinstance(block, Text) and block.text:
            yield at, TextDelta(block.text)
        elif isinstance(block, Reasoning) and block.text:
            yield at, ReasoningDelta(block.text)
        elif isinstance(block, ToolCall):
            yield at, ToolCallDelta(calls, block.name, block.raw if block.raw is not None else dumps(block.arguments))
            calls += 1
