"""What subagents do, in the trace: below the call that they work for, and out of the way when it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.widgets.test_trace import READ, Session, TraceApp, session
from tui.core.events import Notice, Record, StepStarted, ToolFinished, ToolStarted
from tui.core.messages import Text, ToolCall
from tui.core.usage import Usage

__all__ = ["session"]
FIRST = ToolCall("d1", "delegate", {"task": "Find it.", "agent": "look"})
SECOND = ToolCall("d2", "delegate", {"task": "Count them."})


def below(call: ToolCall, step: int | None, *records: Record) -> list[Record]:
    """The records as those of a subagent."""
    return [replace(record, parent=call.id, step=step) for record in records]


def look(session: Session, call: ToolCall, step: int = 1) -> list[Record]:
    """A step of a subagent that reads a file; its window is a quarter full then."""
    begun = session.begin()
    assert isinstance(begun.event, StepStarted)
    begun = replace(begun, event=replace(begun.event, window=8000))
    finished = session.finish(READ, reason="tool_calls", usage=Usage(1900, 100), cost=0.001)
    return below(call, step, begun, finished, *session.run(READ, 0.5))


def begun(session: Session) -> list[Record]:
    """Two calls that work."""
    records = [session.ask(), session.begin(), session.finish(FIRST, SECOND, reason="tool_calls")]
    return [*records, session.record(ToolStarted(FIRST)), session.record(ToolStarted(SECOND))]


def ended(session: Session, call: ToolCall) -> Record:
    detail = {"agent": "look", "steps": 2, "tokens": 4100, "cost": 0.002}
    return session.record(ToolFinished(call.id, False, "It is there.", 3.0, detail))


@pytest.mark.parametrize(("width", "name"), [(53, "read_fi…"), (79, "read_file")])
async def test_its_steps_stand_below_its_call_though_others_come_between(
    session: Session, width: int, name: str
) -> None:
    app = TraceApp(session, width)
    async with app.run_test(size=(120, 40)) as pilot:
        for record in begun(session):
            app.pane.show(record)
        nested = [*look(session, FIRST), *look(session, SECOND), *look(session, FIRST, 2)]
        for record in [*nested, *below(SECOND, None, session.record(Notice("Going on elsewhere.")))]:
            app.pane.show(record)
        await pilot.pause()
        lines = app.lines()
        assert [line.split()[:3] for line in lines[2:]] == [
            ["▸", "▾", "delegate"],
            ["1", name, "25%"],
            ["✓", "read_file", "src/a.py"],
            ["2", name, "25%"],
            ["✓", "read_file", "src/a.py"],
            ["▸", "▾", "delegate"],
            ["1", name, "25%"],
            ["✓", "read_file", "src/a.py"],
            ["!", "Going", "on"],
        ]
        assert lines[3].startswith("     1") and lines[4].startswith("       ✓")
        assert all(len(line) < width for line in lines)


async def test_one_that_is_done_is_a_line_with_what_it_used(session: Session) -> None:
    app = TraceApp(session, 64)
    async with app.run_test(size=(80, 24)) as pilot:
        for record in [*begun(session), *look(session, FIRST), ended(session, FIRST)]:
            app.pane.show(record)
        await pilot.pause()
        assert len(app.lines()) == 4
        assert app.lines()[2].split() == ["✓", "▸", "delegate", "look:", "Find", "it.", "3.0s", "4.1k", "$0.002"]


async def test_space_shows_what_it_did_and_folds_it(session: Session) -> None:
    app = TraceApp(session, 60)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show_all([*begun(session), *look(session, FIRST), ended(session, FIRST)])
        app.pane.focus()
        await pilot.press("home", "down", "space")
        assert len(app.lines()) == 6 and "▾" in app.lines()[2]
        await pilot.press("down", "enter")
        await pilot.press("space")  # from a row below it: the call is chosen then
        assert len(app.lines()) == 4
        await pilot.press("enter")
        await pilot.pause()
        assert app.places == [(1, 1, "d1"), (1, 1, None)]


async def test_what_the_user_folded_stays_folded_while_it_works(session: Session) -> None:
    app = TraceApp(session, 60)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show_all([*begun(session), *look(session, FIRST)])
        app.pane.focus()
        await pilot.press("home", "down", "space")
        for record in look(session, FIRST, 2):
            app.pane.show(record)
        await pilot.pause()
        assert len(app.lines()) == 4


async def test_the_chosen_row_stays_chosen_when_rows_come_above_it(session: Session) -> None:
    app = TraceApp(session, 60)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show_all([*begun(session), *look(session, SECOND)])
        app.pane.focus()
        await pilot.press("up")  # the step of the second one
        for record in look(session, FIRST):
            app.pane.show(record)
        await pilot.press("enter")
        await pilot.pause()
        assert app.places == [(1, 1, "d2")]


async def test_no_width_breaks_a_line_of_it(session: Session) -> None:
    for width in (1, 8, 20, 30):
        app = TraceApp(session, width)
        async with app.run_test(size=(80, 24)) as pilot:
            app.pane.show_all([*begun(session), *look(session, FIRST), *below(FIRST, 2, session.finish(Text("x")))])
            await pilot.pause()
            assert {app.pane.render_line(y).cell_length for y in range(24)} == {max(width - 1, 1)}
