"""A step, opened: what was sent, what came back, what it took."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from textual.app import App

from tui.core.errors import ErrorInfo
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Event,
    Notice,
    Record,
    Repaired,
    Retrying,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolOutput,
    ToolStarted,
)
from tui.core.messages import Json, Message, Origin, Reasoning, Text, ToolCall
from tui.core.usage import Timings, Usage
from tui.screens.step import StepScreen

ORIGIN = Origin("lab", "http://lab/v1", "m-large", "chat-completions")
EDIT = ToolCall("c1", "edit_file", {"path": "a.py"})
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old\n+new\n"
BODY: Json = {"model": "m-large", "messages": [{"role": "user", "content": 'Größe\n"x"'}]}


def records(*events: Event, finished: bool = True, usage: Usage | None = None) -> list[Record]:
    usage = usage or Usage(12345, 678, 10000, 500)
    message = Message("assistant", (Reasoning("Think."), Text("Let me."), EDIT), ORIGIN)
    step: list[Event] = [StepStarted(ORIGIN, "http://lab/v1/chat/completions", {})]
    if finished:
        step.append(StepFinished(message, usage, "tool_calls", Timings(1000.0, 2.5, 4.5), None))
    return [Record("s", 3, 2, 1000.0, event) for event in [*step, *events]]


class StepApp(App[None]):
    def __init__(self, records: Sequence[Record], request: Json | None = None) -> None:
        super().__init__()
        self.step = StepScreen(records, BODY if request is None else request)

    def on_mount(self) -> None:
        self.push_screen(self.step)

    def text(self) -> str:
        """The section that is shown, as it is read: fields with one space."""
        return "\n".join(" ".join(line.split()) for line in self.step.lines.text.split("\n"))


async def section(app: StepApp, *keys: str) -> str:
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        return app.text()


async def test_the_overview_says_who_how_long_and_how_much() -> None:
    lines = (await section(StepApp(records(ToolFinished("c1", False, "", 0.25, {}))))).split("\n")
    for line in (
        "model m-large",
        "backend lab",
        "sent to http://lab/v1/chat/completions",
        "ended tool_calls",
        "first token 2.5 s",
        "streaming 2.0 s (339 tokens/s)",
        "reply in all 4.5 s",
        "tools 250 ms",
        "tokens in 12,345 (10,000 cached)",
        "tokens out 678 (500 reasoning)",
        "cost –",
        "retries 0",
        "repairs 0",
    ):
        assert line in lines


async def test_what_is_not_known_is_a_dash() -> None:
    lines = (await section(StepApp(records(usage=Usage(None, 0, 0))))).split("\n")
    assert "tokens in –" in lines
    assert "tokens out 0" in lines


async def test_the_overview_tells_what_went_wrong() -> None:
    text = await section(
        StepApp(
            records(
                Retrying(2.0, 1, ErrorInfo("overloaded", "too\nmuch")),
                Repaired("the arguments", "{,}", "{}"),
                Notice("the answer was cut"),
            )
        )
    )
    assert "retries 1\nafter 2 s: too much" in text
    assert "repairs 1\nthe arguments\n- {,}\n+ {}" in text
    assert text.endswith("the answer was cut")


async def test_the_request_is_shown_as_it_was_sent() -> None:
    app = StepApp(records())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("right")
        assert json.loads(app.step.lines.text) == BODY
        assert "Größe\\n" in app.step.lines.text


async def test_the_response_is_shown_block_by_block() -> None:
    text = await section(StepApp(records()), "right", "right")
    assert text == (
        'reasoning (reasoning_content)\nThink.\n\ntext\nLet me.\n\ntool call: edit_file\n{\n"path": "a.py"\n}\n'
    )


async def test_a_tool_shows_its_arguments_the_users_word_its_diff_and_its_result() -> None:
    edited = ToolCall("c1", "edit_file", {"path": "b.py"})
    events = [
        ApprovalAsked("q", EDIT, "changes a file", DIFF, None),
        ApprovalGiven("q", "once"),
        ToolStarted(edited),
        ToolFinished("c1", False, "Replaced.", 0.02, {"diff": DIFF, "exit_code": 0, "timed_out": False}),
    ]
    text = await section(StepApp(records(*events)), "left", "left")
    assert text == (
        'edit_file\narguments\n{\n"path": "a.py"\n}\n'
        "asked: changes a file\nallowed once\n"
        'run with other arguments, by the user\n{\n"path": "b.py"\n}\n'
        f"done after 20 ms, exit code: 0\n{DIFF}result, as the model gets it\nReplaced.\n"
    )


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([ToolFinished("c1", True, "no", 1.5, {"exit_code": 2})], "failed after 1.5 s, exit code: 2"),
        ([ToolFinished("c1", True, "no", 0.0, {"refused": True})], "refused after 0 ms"),
        ([ApprovalAsked("q", EDIT, "r", "", None), ApprovalGiven("q", "no", "not now")], "not allowed: not now"),
        ([ToolStarted(EDIT), ToolOutput("c1", "half a li")], "output so far"),
        ([ToolStarted(EDIT)], "no result yet"),
    ],
)
async def test_a_tool_says_how_it_ended(events: list[Event], line: str) -> None:
    assert line in (await section(StepApp(records(*events)), "left", "left")).split("\n")


async def test_a_step_that_still_runs_can_be_opened() -> None:
    app = StepApp(records(finished=False), {})
    async with app.run_test() as pilot:
        await pilot.pause()
        texts = []
        for _ in range(4):
            texts.append(app.text())
            await pilot.press("tab")
        assert "ended not yet" in texts[0]
        assert texts[1:] == [
            "The request is not known.",
            "The reply is not complete yet.",
            "The model called no tools in this step.",
        ]


async def test_c_copies_the_section_that_is_shown() -> None:
    app = StepApp(records())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("right", "c")
        assert json.loads(app.clipboard) == BODY


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_it_closes(key: str) -> None:
    app = StepApp(records())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(key)
        assert app.screen is not app.step


async def test_a_click_on_a_name_shows_that_section() -> None:
    app = StepApp(records())
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        await pilot.click("#step-sections", offset=(14, 0))
        assert json.loads(app.step.lines.text) == BODY


async def test_hostile_text_is_shown_harmlessly() -> None:
    evil = "\x1b[2J[bold]\u202e\x07"
    origin = Origin(evil, evil, evil, evil)
    call = ToolCall("c1", evil, {}, raw=evil)
    message = Message("assistant", (Reasoning(evil, key=evil), Text(evil), call), origin)
    events: list[Event] = [
        StepStarted(origin, evil, {}),
        Retrying(1.0, 1, ErrorInfo("server", evil)),
        Repaired(evil, evil, evil),
        StepFinished(message, Usage(), evil, Timings(1.0, None, 1.0), None),
        ApprovalAsked("q", call, evil, evil, None),
        ApprovalGiven("q", "no", evil),
        ToolFinished("c1", True, evil, 0.0, {"diff": evil, evil: evil}),
        Notice(evil),
    ]
    app = StepApp([Record("s", 1, 1, 1.0, event) for event in events], {evil: evil})
    async with app.run_test() as pilot:
        await pilot.pause()
        for _ in range(4):
            assert not set("\x1b\x07\u202e") & set(app.step.lines.text)
            await pilot.press("right")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_it_fits_every_terminal(size: tuple[int, int]) -> None:
    app = StepApp(records())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for widget in app.step.query("#step > *"):
            assert widget.region.height >= 1
            assert app.screen.region.contains_region(widget.region)
