"""A question of the model's is answered by a key, or in words, but never by keys that were meant for something else."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from tui.core.events import (
    QuestionAnswered,
    QuestionAsked,
    Record,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
    TurnStarted,
)
from tui.core.messages import Message, Origin, ToolCall, user
from tui.core.usage import Timings, Usage
from tui.widgets.question import QuestionBar
from tui.widgets.trace.model import Trace
from tui.widgets.trace.rows import ToolRow

CHOICES = QuestionAsked("q1", "c1", "Which one?", ("the red", "the blue", "neither"))
OPEN = QuestionAsked("q2", "c2", "What shall it be called?", ())


class BarApp(App[None]):
    """The bar above a prompt, which has the focus at first."""

    AUTO_FOCUS = "#prompt"

    def __init__(self, question: QuestionAsked = CHOICES, arm_delay_s: float = 0.0) -> None:
        super().__init__()
        self.bar = QuestionBar(question, arm_delay_s=arm_delay_s)
        self.answers: list[str | None] = []
        self.left_keys: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.bar
        yield Input(id="prompt")

    def on_question_bar_answered(self, event: QuestionBar.Answered) -> None:
        assert event.id == self.bar.question.id
        self.answers.append(event.answer)

    def on_key(self, event: events.Key) -> None:
        self.left_keys.append(event.key)

    def shown(self) -> list[str]:
        rows = range(self.bar.region.y, self.bar.region.bottom)
        return ["".join(s.text for s in self.screen._compositor.render_strips()[y]).strip(" ▌▐█▎▊") for y in rows]


async def press(pilot: Pilot[None], *keys: str) -> None:
    assert isinstance(pilot.app, BarApp)
    pilot.app.bar.focus()
    await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize(
    ("question", "keys", "answer"),
    [
        (CHOICES, "1", "the red"),
        (CHOICES, "3", "neither"),
        (CHOICES, "enter", "the red"),
        (CHOICES, "down enter", "the blue"),
        (CHOICES, "up enter", "neither"),
        (CHOICES, "down down down enter", "the red"),
        (CHOICES, "g r e y enter", "grey"),
        (CHOICES, "9 enter", "9"),
        (CHOICES, "g 1 2 enter", "g12"),
        (CHOICES, "g escape 2", "the blue"),
        (CHOICES, "escape", None),
        (CHOICES, "g escape escape", None),
        (CHOICES, "1 2 3", "the red"),
        (OPEN, "x enter", "x"),
        (OPEN, "1 enter", "1"),
        (OPEN, "enter x space y enter", "x y"),
        (OPEN, "space enter x enter", "x"),
        (OPEN, "escape", None),
        (OPEN, "x escape escape", None),
    ],
)
async def test_keys_answer(question: QuestionAsked, keys: str, answer: str | None) -> None:
    app = BarApp(question)
    async with app.run_test() as pilot:
        await press(pilot, *keys.split())
        assert app.answers == [answer]


async def test_what_is_pasted_is_an_answer_to_be_sent() -> None:
    app = BarApp()
    async with app.run_test() as pilot:
        app.bar.focus()
        await pilot.pause()
        app.bar.post_message(events.Paste("two\rlines"))
        await pilot.pause()
        assert app.answers == []
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == ["two\nlines"]


async def test_keys_that_come_at_once_are_left_to_others() -> None:
    app = BarApp(arm_delay_s=3600)
    async with app.run_test() as pilot:
        await press(pilot, "1", "x", "enter")
        assert app.answers == []
        assert app.left_keys == ["1", "x", "enter"]


async def test_it_says_what_can_be_done() -> None:
    app = BarApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.shown()[-1].startswith("ctrl+y, then 1-3 choose")
        await press(pilot, "down")
        lines = app.shown()
        assert lines[0] == "Which one?"
        assert [line.split() for line in lines[1:4]] == [
            ["1", "the", "red"],
            ["❯", "2", "the", "blue"],
            ["3", "neither"],
        ]
        assert lines[-1] == "1-3 choose   enter the marked   type your own   esc no answer"
        await pilot.press("x")
        await pilot.pause()
        assert app.shown()[-1] == "enter answer   esc back"


@pytest.mark.parametrize("size", [(80, 24), (40, 16), (200, 60)])
async def test_a_long_question_with_all_choices_leaves_room_for_the_prompt(size: tuple[int, int]) -> None:
    question = QuestionAsked("q", "c", "word " * 400, tuple(f"choice {n} " * 20 for n in range(9)))
    app = BarApp(question)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "x")
        assert app.bar.region.bottom < size[1]
        assert app.query_one("#prompt").region.bottom <= size[1]
        assert all(str(number) in "\n".join(app.shown()) for number in range(1, 10))


@pytest.mark.parametrize("count", [3, 9])
async def test_long_choices_are_whole_as_far_as_there_is_room(count: int) -> None:
    choices = tuple(f"{'word ' * 58} end{n}" for n in range(count))
    app = BarApp(QuestionAsked("q", "c", "Which?", choices))
    async with app.run_test(size=(80, 24)) as pilot:
        for marked in range(count):
            await press(pilot, *["down"] * bool(marked))
            text = "\n".join(app.shown())
            assert f"end{marked}" in text
            assert all(f"{number} word" in text for number in range(1, count + 1))
            if count == 9:
                assert text.count("…") == 8
            assert app.query_one("#prompt").region.bottom <= 24


@pytest.mark.parametrize("size", [(80, 24), (40, 16)])
async def test_the_marked_choice_is_in_sight_where_there_is_no_room(size: tuple[int, int]) -> None:
    choices = tuple(f"{'word ' * 20} end{n}" for n in range(9))
    app = BarApp(QuestionAsked("q", "c", "word " * 400, choices))
    async with app.run_test(size=size) as pilot:
        for marked in range(9):
            await press(pilot, *["down"] * bool(marked))
            await pilot.pause()
            assert f"end{marked}" in "\n".join(app.shown())
            assert app.query_one("#prompt").region.bottom <= size[1]


async def test_what_the_model_says_cannot_draw_or_style() -> None:
    evil = QuestionAsked("q", "c", "a\x1b[31mb [bold]c[/] \u202e", ("d\x1b]0;t\x07", "[red]e[/]"))
    app = BarApp(evil)
    async with app.run_test() as pilot:
        await pilot.pause()
        text = "\n".join(app.shown())
        assert "\x1b" not in text and "\u202e" not in text
        assert "[bold]c[/]" in text and "[red]e[/]" in text


def test_the_trace_says_that_the_user_is_asked() -> None:
    call = ToolCall("c1", "ask_user", {"question": "Which one?"})
    origin = Origin("lab", "http://127.0.0.1/v1", "m", "chat-completions")
    trace = Trace()
    states = []
    for number, event in enumerate(
        (
            TurnStarted(user("Go"), "agent", "ask"),
            StepStarted(origin, "http://127.0.0.1/v1", {}),
            StepFinished(Message("assistant", (call,), origin), Usage(), "tool_calls", Timings(0.0, 0.1, 0.2)),
            ToolStarted(call),
            CHOICES,
            QuestionAnswered("q1", "the red"),
            ToolFinished("c1", False, "the red", 1.0, {"answered": True}),
        )
    ):
        trace.add(Record("s", 1, 1, float(number), event))
        states += [row.state for row in trace.rows if isinstance(row, ToolRow)][-1:]
    assert states == ["called", "running", "asked", "running", "done"]
