"""Whatever a model, a tool or a server writes, the terminal gets harmless text."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.content import Content

from tests.widgets.transcript.stage import (
    Stage,
    answered,
    asked,
    call,
    finished,
    record,
    said,
    step_finished,
    step_started,
)
from tui.core import events
from tui.core.errors import ErrorInfo
from tui.core.events import Record
from tui.core.messages import ToolCall
from tui.core.text import clean
from tui.widgets.transcript import engines
from tui.widgets.transcript.answer import Answer
from tui.widgets.transcript.palette import palette_of
from tui.widgets.transcript.stack import Pen

EVIL = "\x1b]8;;http://evil\x1b\\x\x1b[31m\x07\x9b31m\u202e\u2066\ud800\r[red]markup[/red]"
HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def everything_evil() -> list[Record]:
    evil_call = call("c1", EVIL, path=EVIL)
    raw = ToolCall("c2", "run_command", {}, raw=EVIL)
    return [
        asked(EVIL),
        step_started(),
        record(events.ReasoningDelta(EVIL)),
        *said(f"# {EVIL}\n\n- {EVIL}\n\n[{EVIL}](http://x/{EVIL})\n\n`{EVIL}`\n\n```{EVIL}\n{EVIL}\n```\n"),
        *said(
            f"\n| {EVIL} | b |\n|---|---|\n| {EVIL} | 1 |\n\n<http://x/%1b%5d8%3b%3b> &#x202e; &#27;\n\n![{EVIL}](x)"
        ),
        record(events.ToolCallDelta(0, EVIL, EVIL)),
        step_finished(evil_call, raw),
        record(events.ToolStarted(evil_call)),
        record(events.ToolOutput("c1", EVIL)),
        finished("c1", EVIL, is_error=True),
        record(events.ApprovalAsked("q", raw, EVIL, EVIL, None)),
        record(events.ApprovalGiven("q", "no", EVIL)),
        record(events.Retrying(1.0, 1, ErrorInfo("server", EVIL))),
        record(events.Repaired(EVIL, EVIL, EVIL)),
        record(events.Notice(EVIL)),
        record(events.TurnFinished("limit", EVIL), None),
        record(events.TurnFailed(ErrorInfo("server", EVIL, EVIL)), None),
    ]


async def test_no_event_brings_a_control_character_or_a_link_to_the_terminal() -> None:
    app = Stage()
    async with app.run_test(size=(100, 60)) as pilot:
        app.show(everything_evil())
        for _ in range(3):
            app.finish_frames()
            for strip in app.transcript.render_lines(app.transcript.outer_size.region):
                assert not HARMFUL.search(strip.text), repr(strip.text)
                assert not any(segment.style.link for segment in strip if segment.style)
            app.transcript.scroll_page_up()
        await pilot.pause()


async def test_nothing_is_read_as_markup() -> None:
    app = Stage()
    async with app.run_test(size=(100, 24)):
        app.show([asked("[red]one[/red]"), step_started(), *said("[red]two[/red] [@click=app.quit]x[/]")])
        assert "▌ [red]one[/red]" in app.text()
        assert "[red]two[/red] [@click=app.quit]x[/]" in app.text()


async def test_an_evil_address_is_shown_and_given_clean() -> None:
    app = Stage()
    async with app.run_test(size=(100, 24)) as pilot:
        app.show(answered("[x](<http://a/[red]\u202eb>)"))
        row = next(y for y, line in enumerate(app.lines()) if line == " x")
        await pilot.hover(offset=(1, row))
        tooltip = app.transcript.tooltip
        assert isinstance(tooltip, Content)
        assert not HARMFUL.search(tooltip.plain)


async def test_what_is_copied_is_clean() -> None:
    app = Stage()
    async with app.run_test(size=(100, 60)):
        app.show(everything_evil())
        app.transcript.text_select_all()
        text = app.screen.get_selected_text() or ""
        assert clean(text) == text
        assert not HARMFUL.search(app.transcript.source_at(30).replace("\n", ""))


MARKDOWN = st.lists(
    st.one_of(st.sampled_from("# |-*_`[]()<>!\\\n\n\t~=:&;1.x "), st.characters()).map(str), max_size=60
).map("".join)


@pytest.mark.parametrize("width", [12, 80])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(text=MARKDOWN)
def test_any_text_at_all_is_drawn_to_the_width_and_harmless(width: int, text: str) -> None:
    engines.warm()
    answer = Answer(width)
    answer.grow(text)
    pen = Pen(width, palette_of({}))
    answer.prepare(0, 10_000, pen)
    for line in answer.rows(0, answer.height):
        assert line.strip.cell_length == width
        assert not HARMFUL.search(line.strip.text)
