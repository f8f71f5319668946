"""The trace as it is read: a line a step, in whatever width, and at no cost while nothing happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.strip import Strip

from tui.core.errors import ErrorInfo
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Event,
    Notice,
    ReasoningDelta,
    Record,
    Repaired,
    Retrying,
    RuleLearned,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolFinished,
    ToolOutput,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tui.core.messages import Block, Message, Origin, Reasoning, Text, ToolCall, user
from tui.core.usage import Timings, Usage
from tui.widgets.trace import TracePane

ORIGIN = Origin("lab", "http://lab/v1", "m", "chat-completions")
READ = ToolCall("c1", "read_file", {"path": "src/a.py", "start": 3})
RUN = ToolCall("c2", "run_command", {"command": "pytest -q"})


class Session:
    """Makes records; its clock is moved by hand and is the pane's too."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.turn = 0
        self.step: int | None = None

    def record(self, event: Event, after_s: float = 0.0) -> Record:
        self.now += after_s
        return Record("s", self.turn, self.step, self.now, event)

    def ask(self, words: str = "Do it") -> Record:
        self.turn, self.step = self.turn + 1, None
        return self.record(TurnStarted(user(words), "agent", "ask"))

    def begin(self) -> Record:
        self.step = (self.step or 0) + 1
        return self.record(StepStarted(ORIGIN, "http://lab/v1", {}))

    def finish(
        self, *blocks: Block, reason: str = "stop", usage: Usage | None = None, cost: float | None = 0.0123
    ) -> Record:
        """After two seconds, of which one was waiting."""
        began, self.now = self.now, self.now + 2.0
        usage = Usage(1234, 56) if usage is None else usage
        message = Message("assistant", blocks, ORIGIN)
        return self.record(StepFinished(message, usage, reason, Timings(began, 1.0, 2.0), cost))

    def end(self, reason: str = "done") -> Record:
        self.step = None
        return self.record(TurnFinished(reason))

    def answer(self) -> list[Record]:
        return [self.ask(), self.begin(), self.finish(Text("Done.")), self.end()]

    def run(self, call: ToolCall, seconds: float = 1.5, is_error: bool = False) -> list[Record]:
        return [
            self.record(ToolStarted(call)),
            self.record(ToolFinished(call.id, is_error, "out", seconds, {}), seconds),
        ]


class TraceApp(App[None]):
    """The pane alone, `width` cells wide."""

    AUTO_FOCUS = None

    def __init__(self, session: Session, width: int = 60) -> None:
        super().__init__()
        self.pane = TracePane(clock=lambda: session.now)
        self.pane.styles.width = width
        self.opened: list[tuple[int, int]] = []
        self.places: list[tuple[int, int, str | None]] = []
        """Those that were opened, with the call of a subagent."""

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_trace_pane_step_opened(self, event: TracePane.StepOpened) -> None:
        self.opened.append((event.turn, event.step))
        self.places.append((event.turn, event.step, event.parent_call))

    def lines(self) -> list[str]:
        """What is seen, without the empty lines at the end."""
        shown = [self.pane.render_line(y).text.rstrip() for y in range(self.pane.size.height)]
        while shown and not shown[-1]:
            shown.pop()
        return shown


@pytest.fixture
def session() -> Session:
    return Session()


async def seen(session: Session, records: list[Record], width: int = 61) -> list[str]:
    app = TraceApp(session, width)
    async with app.run_test(size=(80, 24)) as pilot:
        for record in records:
            app.pane.show(record)
        await pilot.pause()
        return app.lines()


async def test_a_step_is_a_line_with_all_that_is_known_of_it(session: Session) -> None:
    lines = await seen(session, session.answer())
    assert lines == [
        " Do it                                                 2.0s",
        "  1 answer          ──────━━━━━  2.0s        1.2k→56 $0.012",
    ]


async def test_what_is_unknown_is_a_dash_and_never_zero(session: Session) -> None:
    records = [session.ask(), session.begin(), session.finish(Text("a"), usage=Usage(), cost=None)]
    assert (await seen(session, records))[1].split()[-2:] == ["–", "–"]
    records = [session.ask(), session.begin(), session.finish(Text("a"), usage=Usage(10, None), cost=0.0)]
    assert (await seen(session, records))[1].split()[-2:] == ["10→–", "$0"]


async def test_tools_stand_below_their_step_and_in_its_bar(session: Session) -> None:
    records = [session.ask(), session.begin(), session.finish(Reasoning("hm"), READ, RUN, reason="tool_calls")]
    records += [*session.run(READ, 1.0), *session.run(RUN, 3.0, is_error=True)]
    records += [session.begin(), session.finish(Text("Done.")), session.end()]
    assert await seen(session, records) == [
        " Do it                                                 8.0s",
        "  1 read_file, run… ─━━╍╍╍╍╍╍    6.0s        1.2k→56 $0.012",
        "    ✓ read_file src/a.py         1.0s",
        "    ✗ run_command pytest -q      3.0s",
        "  2 answer                  ──━  2.0s        1.2k→56 $0.012",
    ]


async def test_where_there_is_room_it_says_how_much_of_what_was_sent_was_cached(session: Session) -> None:
    usage = Usage(29_480, 1234, cached_tokens=27_900)
    records = [session.ask(), session.begin(), session.finish(Text("a"), usage=usage)]
    assert "   28k/29k→1.2k $0.012" in (await seen(session, records, 61))[1]
    assert " 29k→1.2k $0.012" in (await seen(session, records, 50))[1]
    assert "   28k/29k→1.2k" in (await seen(session, records, 46))[1]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (21, "  1 answer      2.0s"),
        (37, "  1 answer         ─────━━━━  2.0s"),
        (45, "  1 answer          ────━━━━  2.0s 1.2k→56"),
    ],
)
async def test_columns_give_way_where_there_is_no_room(session: Session, width: int, line: str) -> None:
    lines = await seen(session, session.answer(), width)
    assert lines[1].split() == line.split()
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [1, 5, 12, 20, 36, 60, 79])
async def test_no_width_breaks_a_line(session: Session, width: int) -> None:
    wide = ToolCall("c9", "名前" * 20, {"path": "ファイル" * 30})
    records = [session.ask("質問" * 50), session.begin(), session.record(Notice("長い" * 50))]
    records += [session.finish(wide, READ, reason="tool_calls"), *session.run(wide, 90000.0), session.begin()]
    app = TraceApp(session, width)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show_all(records)
        await pilot.pause()
        assert {app.pane.render_line(y).cell_length for y in range(24)} == {max(width - 1, 1)}  # beside the scrollbar


async def test_a_step_says_what_it_is_doing(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test():
        app.pane.show(session.ask())
        app.pane.show(session.begin())
        labels = [app.lines()[1].split()[1]]
        for event in (
            ReasoningDelta("h"),
            TextDelta("a"),
            ToolCallDelta(0, "read_file", ""),
            ToolCallDelta(0, "", "{"),
        ):
            app.pane.show(session.record(event, 0.5))
            labels.append(app.lines()[1].split()[1])
        assert labels == ["waiting", "reasoning", "answer", "read_file", "read_file"]


TOOL_STATES: list[tuple[list[Event], str]] = [
    ([], "· read_file src/a.py"),
    ([ApprovalAsked("q", READ, "why", "", None)], "? read_file src/a.py 2.0s"),
    ([ApprovalAsked("q", READ, "why", "", None), ApprovalGiven("q", "once")], "· read_file src/a.py"),
    ([ApprovalAsked("q", READ, "why", "", None), ApprovalGiven("q", "no")], "⊘ read_file src/a.py"),
    ([ToolFinished("c1", True, "Not allowed", 0.0, {"refused": True})], "⊘ read_file src/a.py"),
    ([ToolFinished("c1", True, "No such tool", 0.0, {"refused": True, "invalid": True})], "✗ read_file src/a.py"),
    ([ToolStarted(READ)], "▸ read_file src/a.py 2.0s"),
    ([ToolStarted(READ), ToolOutput("c1", "x")], "▸ read_file src/a.py 2.0s"),
    ([ToolStarted(ToolCall("c1", "read_file", {"path": "b"}))], "▸ read_file b 2.0s"),
    ([ToolStarted(READ), ToolFinished("c1", False, "x", 0.02, {})], "✓ read_file src/a.py 20ms"),
    ([ToolStarted(READ), ToolFinished("c1", True, "x", 75.0, {})], "✗ read_file src/a.py 75s"),
    ([ToolStarted(READ), TurnFinished("interrupted")], "– read_file src/a.py 0ms"),
    ([TurnFinished("interrupted")], "– read_file src/a.py"),
]


async def test_a_tool_shows_its_state(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test():
        for events, line in TOOL_STATES:
            app.pane.clear()
            app.pane.show_all([session.ask(), session.begin(), session.finish(READ, reason="tool_calls")])
            for event in events:
                app.pane.show(session.record(event))
            session.now += 2.0
            assert " ".join(app.lines()[2].split()) == line


REMARKS: list[tuple[Event, str]] = [
    (Repaired("the arguments", "{", "{}"), "    ✎ mended the arguments"),
    (RuleLearned("stream_usage", "false", "no"), "    i learned stream_usage = false: no"),
    (Notice("the answer was cut"), "    ! the answer was cut"),
    (TurnFailed(ErrorInfo("auth", "the key is wrong")), "    ✗ the key is wrong"),
    (TurnFinished("limit", "200 steps"), "    – 200 steps"),
    (TurnFinished("interrupted"), "    – interrupted"),
]


async def test_what_went_wrong_has_a_line(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test():
        for event, line in REMARKS:
            app.pane.clear()
            app.pane.show_all([session.ask(), session.begin(), session.record(event)])
            assert app.lines()[2] == line


async def test_a_retry_is_counted_down_until_something_comes(session: Session) -> None:
    app = TraceApp(session, 90)
    async with app.run_test(size=(100, 24)):
        app.pane.show_all([session.ask(), session.begin()])
        app.pane.show(session.record(Retrying(12.0, 1, ErrorInfo("overloaded", "too much to do"), 4)))
        assert app.lines()[2] == "    ↻ retrying in 12 s, try 2 of 5 (esc stops): too much to do"
        session.now += 2.5
        app.pane._tick()
        assert app.lines()[2] == "    ↻ retrying in 10 s, try 2 of 5 (esc stops): too much to do"
        app.pane.show(session.record(TextDelta("here")))
        assert app.lines()[2] == "    ↻ again after 12 s: too much to do"


async def test_a_cut_step_says_so(session: Session) -> None:
    records = [session.ask(), session.begin(), session.finish(Text("Half"), reason="interrupted")]
    records += [session.begin(), session.finish(reason="error")]
    lines = await seen(session, records)
    assert [line[4:15].strip() for line in lines[1:]] == ["answer, cut", "failed"]


async def test_hostile_text_is_shown_harmlessly(session: Session) -> None:
    evil = "\x1b[31mred\x07[bold]x[/bold]\n\u202ey"
    call = ToolCall("c1", evil, {"path": evil})
    records = [
        session.ask(evil),
        session.begin(),
        session.finish(call),
        *session.run(call),
        session.record(Notice(evil)),
    ]
    text = "".join(await seen(session, records))
    assert not set("\x1b\x07\n\u202e") & set(text)
    assert "␛[31mred␇[bold]x[/bold]" in text


async def test_a_subagents_steps_are_not_the_turns(session: Session) -> None:
    records = session.answer()
    inner = Record("s", 1, 1, session.now, StepStarted(ORIGIN, "u", {}), "c1")
    assert await seen(session, [*records[:-1], inner, records[-1]]) == await seen(session, records)


def many(session: Session, turns: int) -> Iterator[Record]:
    for _ in range(turns):
        yield from session.answer()


async def test_the_end_is_followed_until_one_moves_away(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test(size=(80, 10)) as pilot:
        app.pane.show_all(many(session, 30))
        await pilot.pause()
        assert app.pane.is_following
        assert len(app.lines()) == 10
        app.pane.focus()
        await pilot.press("up")
        before = app.pane.scroll_offset.y
        for record in session.answer():
            app.pane.show(record)
        await pilot.pause()
        assert (app.pane.scroll_offset.y, app.pane.is_following) == (before, False)
        await pilot.press("end")
        assert app.pane.is_following
        for record in session.answer():
            app.pane.show(record)
        await pilot.pause()
        assert app.pane.is_vertical_scroll_end


async def test_a_pane_that_grows_as_rows_come_still_follows_the_end(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test(size=(80, 10)) as pilot:
        app.pane.show_all(many(session, 30))
        for height in (16, 8, 12):
            await pilot.pause()
            for record in session.answer():
                app.pane.show(record)
            await pilot.resize_terminal(80, height)
            await pilot.pause()
            assert app.pane.is_following
            assert app.pane.is_vertical_scroll_end


async def test_the_wheel_lets_go_of_the_end_and_takes_it_up_again(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test(size=(80, 10)) as pilot:
        app.pane.show_all(many(session, 30))
        await pilot.pause()
        app.pane.scroll_to(y=5, animate=False)
        await pilot.pause()
        app.pane.show_all(session.answer())
        await pilot.pause()
        assert app.pane.scroll_offset.y == 5
        app.pane.scroll_end(animate=False)
        await pilot.pause()
        app.pane.show_all(session.answer())
        await pilot.pause()
        assert app.pane.is_vertical_scroll_end


async def test_the_end_stays_in_view_when_the_pane_shrinks(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test(size=(80, 40)) as pilot:
        app.pane.show_all(many(session, 15))
        await pilot.resize_terminal(80, 8)
        await pilot.pause()
        assert app.pane.is_vertical_scroll_end


@pytest.mark.parametrize(
    ("keys", "opened"),
    [
        ("enter", (3, 1)),
        ("up enter", (2, 1)),
        ("up up enter", (1, 1)),
        ("up up up up enter", (1, 1)),
        ("home enter", (1, 1)),
        ("home down enter", (2, 1)),
        ("home down down down down enter", (3, 1)),
        ("pageup enter", (1, 1)),
        ("pageup pagedown enter", (3, 1)),
        ("home end enter", (3, 1)),
    ],
)
async def test_keys_choose_a_step_and_enter_opens_it(session: Session, keys: str, opened: tuple[int, int]) -> None:
    app = TraceApp(session)
    async with app.run_test() as pilot:
        app.pane.show_all(many(session, 3))
        app.pane.focus()
        await pilot.press(*keys.split())
        assert app.opened == [opened]


async def test_a_click_opens_the_step_of_a_line(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test() as pilot:
        app.pane.show_all([session.ask(), session.begin(), session.finish(READ), *session.run(READ)])
        await pilot.pause()
        for y in (0, 2, 9):
            await pilot.click(app.pane, offset=(5, y))
        assert app.opened == [(1, 1)]


async def test_keys_do_nothing_where_there_is_nothing(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test() as pilot:
        app.pane.focus()
        await pilot.press("up", "down", "pageup", "pagedown", "home", "end", "enter")
        assert app.opened == []
        assert "Steps appear here" in "".join(app.lines())


async def test_the_chosen_line_can_be_told_without_colours(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test() as pilot:
        app.pane.show_all(many(session, 2))
        app.pane.focus()
        await pilot.press("home")
        assert [line[0] for line in app.lines()] == [" ", "›", " ", " "]


async def test_a_cleared_pane_begins_anew(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test(size=(80, 10)) as pilot:
        app.pane.show_all(many(session, 30))
        app.pane.focus()
        await pilot.press("up")
        app.pane.clear()
        app.pane.show_all(session.answer())
        await pilot.pause()
        assert len(app.lines()) == 2
        assert app.pane.is_following


async def test_time_is_shown_passing_while_something_runs_and_no_clock_runs_else(session: Session) -> None:
    app = TraceApp(session)
    async with app.run_test():
        assert app.pane._timer is None
        app.pane.show(session.ask())
        app.pane.show(session.begin())
        assert app.pane._timer is not None
        session.now += 3.0
        assert app.lines()[1].split()[3] == "3.0s"
        app.pane.show(session.finish(Text("a")))
        app.pane.show(session.end())
        assert app.pane._timer is None


def counted(app: TraceApp, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many lines were drawn since the last call."""
    drawn = 0
    original = TracePane.render_line

    def render_line(pane: TracePane, y: int) -> Strip:
        nonlocal drawn
        drawn += 1
        return original(pane, y)

    def take() -> int:
        nonlocal drawn
        count, drawn = drawn, 0
        return count

    monkeypatch.setattr(TracePane, "render_line", render_line)
    return take


async def test_an_event_draws_no_more_lines_when_there_is_more_above(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TraceApp(session)
    async with app.run_test(size=(80, 20)) as pilot:
        drawn = counted(app, monkeypatch)
        app.pane.show_all(many(session, 2000))
        await pilot.pause()
        assert drawn() <= 40
        app.pane.show_all([session.ask(), session.begin()])
        await pilot.pause()
        drawn()
        for _ in range(500):
            app.pane.show(session.record(TextDelta("word ")))
        await pilot.pause()
        assert drawn() <= 2
        app.pane.show(session.finish(Text("word")))
        await pilot.pause()
        assert drawn() <= 2


async def test_a_short_step_in_a_long_turn_still_has_a_cell_and_shows_what_took_longest(session: Session) -> None:
    records = [session.ask(), session.begin(), session.finish(READ, reason="tool_calls"), *session.run(READ, 0.2)]
    session.now += 600.0
    lines = await seen(session, [*records, session.end()])
    assert set(lines[1]) & set("─━╍") == {"─"}
