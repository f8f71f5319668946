"""A question is answered by single keys, but never by one that was meant for something else."""

from __future__ import annotations

import json
import re

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tui.core.events import ApprovalAsked
from tui.core.messages import Json, ToolCall
from tui.widgets.approval import ApprovalBar
from tui.widgets.approval_words import rule_text

RULE = {"tool": "run_command", "command": "make test", "folder": "/project"}
RUN = ApprovalAsked(
    "q1", ToolCall("c1", "run_command", {"command": "make test", "timeout": 5}), "runs a command", "make test", RULE
)
DIFF = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"
EDIT = ApprovalAsked(
    "q2", ToolCall("c2", "edit_file", {"path": "x", "old": "old", "new": "new"}), "changes a file", DIFF, None
)


class BarApp(App[None]):
    """The bar above a prompt, which has the focus at first."""

    AUTO_FOCUS = "#prompt"

    def __init__(self, question: ApprovalAsked = RUN, arm_delay_s: float = 0.0) -> None:
        super().__init__()
        self.bar = ApprovalBar(question, arm_delay_s=arm_delay_s)
        self.answers: list[tuple[str, str, str, Json | None, Json | None]] = []
        self.left_keys: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.bar
        yield Input(id="prompt")

    def on_approval_bar_answered(self, event: ApprovalBar.Answered) -> None:
        self.answers.append(
            (event.id, event.decision, event.reason, event.arguments, event.rules[0] if event.rules else None)
        )

    def on_key(self, event: events.Key) -> None:
        self.left_keys.append(event.key)

    def shown(self) -> str:
        """The words of the bar, line by line."""
        rows = range(self.bar.region.y, self.bar.region.bottom)
        return "\n".join("".join(s.text for s in self.screen._compositor.render_strips()[y]).rstrip() for y in rows)


async def press(pilot: Pilot[None], *keys: str) -> None:
    assert isinstance(pilot.app, BarApp)
    pilot.app.bar.focus()
    await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ("y", ("q1", "once", "", None, None)),
        ("n", ("q1", "no", "", None, None)),
        ("a a", ("q1", "always", "", None, RULE)),
        ("a enter", ("q1", "always", "", None, RULE)),
        ("a escape y", ("q1", "once", "", None, None)),
        ("r n o t enter", ("q1", "no", "not", None, None)),
        ("r enter", ("q1", "no", "", None, None)),
        ("r x escape n", ("q1", "no", "", None, None)),
        ("e escape y", ("q1", "once", "", None, None)),
        ("e x ctrl+s", ("q1", "once", "", {"command": "make testx", "timeout": 5}, None)),
        *(
            (f"e {key} x ctrl+s", ("q1", "once", "", {"command": "make test\nx", "timeout": 5}, None))
            for key in ("enter", "ctrl+j", "shift+enter", "alt+enter")
        ),
        ("e y ctrl+s y n", ("q1", "once", "", {"command": "make testy", "timeout": 5}, None)),
        ("y y n", ("q1", "once", "", None, None)),
    ],
)
async def test_keys_answer_once(keys: str, answer: tuple[str, str, str, Json | None, Json | None]) -> None:
    app = BarApp()
    async with app.run_test() as pilot:
        await press(pilot, *keys.split())
        assert app.answers == [answer]


async def test_always_shows_the_whole_rule_before_it_is_added() -> None:
    app = BarApp()
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot, "a")
        assert "From now on, unasked: run_command `make test` in /project" in app.shown()
        assert app.answers == []
        await pilot.press("x")
        assert app.answers == []
        assert "y once" in app.shown()


async def test_a_call_that_is_always_asked_has_no_always() -> None:
    app = BarApp(EDIT)
    async with app.run_test() as pilot:
        await press(pilot, "a", "a", "enter")
        assert app.answers == []
        assert "always" not in app.shown()


@pytest.mark.parametrize("key", ["x", "enter", "space", "Y", "tab", "ctrl+j", "ctrl+s", "escape"])
async def test_other_keys_answer_nothing_and_are_left_to_others(key: str) -> None:
    app = BarApp()
    async with app.run_test() as pilot:
        await press(pilot, key)
        assert app.answers == []
        if key != "tab":
            assert app.left_keys == [key]


async def test_it_does_not_take_the_focus_or_what_is_typed() -> None:
    app = BarApp()
    async with app.run_test() as pilot:
        await pilot.press("y", "a", "a", "enter")
        assert app.answers == []
        assert app.query_one("#prompt", Input).value == "yaa"


async def test_a_key_struck_as_it_appeared_does_not_answer() -> None:
    app = BarApp(arm_delay_s=3600.0)
    async with app.run_test() as pilot:
        await press(pilot, "y", "n", "a", "e", "r", "enter")
        assert app.answers == []
        assert app.left_keys == ["y", "n", "a", "e", "r", "enter"]
        assert "y once" not in app.shown()


async def test_the_keys_are_shown_as_soon_as_they_answer() -> None:
    app = BarApp(arm_delay_s=0.01)
    async with app.run_test() as pilot:
        while "y once" not in app.shown():
            await pilot.pause(0.01)
        await press(pilot, "y")
        assert len(app.answers) == 1


async def test_what_would_happen_is_shown_exactly() -> None:
    app = BarApp()
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot)
        assert [line[1:].strip() for line in app.shown().split("\n")] == [
            "run_command  runs a command",
            "make test",
            "y once   a always: run_command `make test` in /project   n no   e edit   r refuse with a reason",
        ]


async def test_it_says_how_to_get_there_while_the_keys_go_elsewhere() -> None:
    app = BarApp()
    async with app.run_test(size=(100, 20)) as pilot:
        assert "ctrl+y, then y once   a always: run_comma" in app.shown()
        await press(pilot)
        assert "ctrl+y" not in app.shown()
        await pilot.press("tab")
        await pilot.pause()
        assert "ctrl+y, then y once" in app.shown()


async def test_a_diff_can_be_read_without_colours() -> None:
    app = BarApp(EDIT)
    async with app.run_test(size=(100, 20)):
        assert [line[1:].strip() for line in app.shown().split("\n")][1:-1] == DIFF.strip().split("\n")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_a_long_preview_scrolls_and_leaves_room_for_the_work(size: tuple[int, int]) -> None:
    text = "\n".join(f"line {number}" for number in range(500))
    app = BarApp(ApprovalAsked("q", ToolCall("c", "run_command", {"command": text}), "why", text, None))
    async with app.run_test(size=size) as pilot:
        await press(pilot)
        assert app.bar.region.height <= max(size[1] // 2, 6)
        assert "line 0" in app.shown() and "r refuse" in app.shown()
        await pilot.press("down", "pagedown")
        await pilot.pause()
        assert "line 0\n" not in app.shown()
        await pilot.press("y")
        assert len(app.answers) == 1


async def test_other_arguments_than_a_command_are_edited_as_json() -> None:
    app = BarApp(EDIT)
    async with app.run_test() as pilot:
        await press(pilot, "e")
        area = app.query_one(TextArea)
        assert json.loads(area.text) == EDIT.call.arguments
        area.text = '{"path": "y"}'
        await pilot.press("ctrl+s")
        assert app.answers == [("q2", "once", "", {"path": "y"}, None)]


@pytest.mark.parametrize(("tool", "name"), [("write_file", "content"), ("apply_patch", "patch")])
async def test_the_text_of_a_file_is_edited_as_it_is(tool: str, name: str) -> None:
    call = ToolCall("c3", tool, {"path": "x", name: "1\n\t2\n"})
    app = BarApp(ApprovalAsked("q3", call, "changes a file", DIFF, None))
    async with app.run_test() as pilot:
        await press(pilot, "e")
        assert app.query_one(TextArea).text == "1\n\t2\n"
        assert "ctrl+s run it so   enter, ctrl+j new line   esc back" in app.shown()
        await pilot.press("3", "enter", "ctrl+s")
        assert app.answers == [("q3", "once", "", {"path": "x", name: "1\n\t2\n3\n"}, None)]


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\u200b\n"])
async def test_a_file_with_what_cannot_be_seen_keeps_it(text: str) -> None:
    call = ToolCall("c3", "write_file", {"path": "x", "content": text})
    app = BarApp(ApprovalAsked("q3", call, "changes a file", DIFF, None))
    async with app.run_test() as pilot:
        await press(pilot, "e")
        area = app.query_one(TextArea)
        area.text = area.text.replace('"x"', '"y"')
        await pilot.press("ctrl+s")
        assert app.answers == [("q3", "once", "", {"path": "y", "content": text}, None)]


@pytest.mark.parametrize("text", ["{", "[1]", "", '{"a": 1} x'])
async def test_what_is_no_json_object_is_not_run(text: str) -> None:
    app = BarApp(EDIT)
    async with app.run_test() as pilot:
        await press(pilot, "e")
        app.query_one(TextArea).text = text
        await pilot.press("ctrl+s")
        assert app.answers == []
        assert "This cannot be used: " in app.shown()
        await pilot.press("escape", "y")
        assert app.answers == [("q2", "once", "", None, None)]


async def test_an_empty_command_is_not_run() -> None:
    app = BarApp()
    async with app.run_test() as pilot:
        await press(pilot, "e")
        app.query_one(TextArea).text = " "
        await pilot.press("ctrl+s")
        assert app.answers == []
        assert "the command is empty" in app.shown()


async def test_hostile_text_is_shown_harmlessly() -> None:
    evil = "\x1b[2J[bold]\u202e\x07"
    call = ToolCall("c", evil, {"command": evil})
    app = BarApp(ApprovalAsked("q", call, evil, evil, {"tool": evil, "command": evil}))
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot)
        for key in ("a", "escape", "e"):
            text = app.shown()
            assert "␛[2J[bold]" in text
            assert not set("\x1b\x07\u202e") & set(text)
            await pilot.press(key)
            await pilot.pause()
        assert not set("\x1b\x07\u202e") & set(app.shown())
        await pilot.press("ctrl+s")
        assert app.answers == [("q", "once", "", {"command": evil}, None)]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"tool": "edit_file", "folder": "/p"}, "edit_file in /p"),
        ({"tool": "run_command", "words": ["git", "diff", "*"]}, "run_command git diff *"),
        ({"tool": "run_command", "command": "a b", "folder": None}, "run_command `a b`"),
        ({"tool": "x", "later": 1}, "x later=1"),
    ],
)
def test_a_rule_is_told_whole(rule: Json, words: str) -> None:
    assert rule_text(rule) == words


class Draft:
    """Words of `git diff`, which the rule has to keep."""

    text = "git diff\nmake test"

    def read(self, text: str) -> tuple[Json, ...]:
        lines = text.split("\n")
        if not lines[0].startswith("git"):
            raise ValueError("\x1bit is about git")
        return tuple({"tool": "run_command", "words": line.split(), "folder": "/project"} for line in lines)


class DraftApp(BarApp):
    def __init__(self) -> None:
        super().__init__()
        self.bar = ApprovalBar(RUN, Draft(), arm_delay_s=0)
        self.rules: list[tuple[Json, ...]] = []

    def on_approval_bar_answered(self, event: ApprovalBar.Answered) -> None:
        self.rules.append(event.rules)


@pytest.mark.parametrize("size", [(40, 14), (80, 24), (120, 40)])
async def test_the_words_of_the_rule_are_changed_in_place(size: tuple[int, int]) -> None:
    app = DraftApp()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "a")
        assert all(line in app.shown() for line in ("git diff", "make test", "enter add", "esc back"))
        await pilot.press("space", "*", "enter")
        await pilot.pause()
        words = [rule["words"] for rule in app.rules[0]]
        assert words == [["git", "diff"], ["make", "test", "*"]]
        assert {rule["folder"] for rule in app.rules[0]} == {"/project"}


async def test_what_is_no_rule_is_said_while_it_is_typed_and_not_added() -> None:
    app = DraftApp()
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot, "a")
        app.query_one(TextArea).text = "rm *"
        await pilot.pause()
        assert "Not yet a rule: ␛it is about git" in app.shown()
        await pilot.press("enter")
        assert app.rules == []
        app.query_one(TextArea).text = "git *"
        await pilot.pause()
        assert "Not yet" not in app.shown()


async def test_tab_makes_it_hold_everywhere_and_back() -> None:
    app = DraftApp()
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot, "a", "tab")
        assert "run_command everywhere" in app.shown() and "tab only in this folder" in app.shown()
        await pilot.press("enter")
        await pilot.pause()
        assert all("folder" not in rule for rule in app.rules[0])


async def test_a_rule_that_cannot_be_changed_can_hold_everywhere_too() -> None:
    app = BarApp()
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot, "a", "tab")
        assert "run_command `make test` everywhere" in app.shown()
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == [("q1", "always", "", None, {"tool": "run_command", "command": "make test"})]


async def test_esc_leaves_the_rule_as_it_was() -> None:
    app = DraftApp()
    async with app.run_test(size=(100, 20)) as pilot:
        await press(pilot, "a", "x", "escape")
        assert "y once" in app.shown() and app.rules == []
        await pilot.press("a")
        await pilot.pause()
        assert app.query_one(TextArea).text == Draft.text


def _asks(command: str) -> ApprovalAsked:
    return ApprovalAsked("q9", ToolCall("c9", "run_command", {"command": command}), "runs a command", command, None)


@pytest.mark.parametrize(
    ("command", "marks"),
    [
        ("ls" + " " * 3000 + "; touch HIDDEN", ["⟨3000 spaces⟩ ; touch HIDDEN"]),
        ("ls" + "\t" * 400 + "; touch HIDDEN", ["⟨400 tabs⟩ ; touch HIDDEN"]),
        ("ls" + "\n" * 61 + "touch HIDDEN", ["⟨60 empty lines⟩", "touch HIDDEN"]),
        ("ls" + "\n  \t" * 61 + "\ntouch HIDDEN", ["⟨61 empty lines⟩", "touch HIDDEN"]),
        ("ls" + "\u2003" * 900 + "; touch HIDDEN", ["⟨900 blanks⟩ ; touch HIDDEN"]),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_blanks_in_a_command_are_counted_instead_of_hiding_its_end(
    command: str, marks: list[str], size: tuple[int, int]
) -> None:
    app = BarApp(_asks(command))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for mark in marks:
            assert " ".join(mark.split()) in " ".join(app.shown().split())


@pytest.mark.parametrize("command", ["true " + "x" * 5000 + "; touch HIDDEN", "echo x\n" * 90 + "touch HIDDEN"])
@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_end_of_a_command_that_does_not_fit_is_shown(command: str, size: tuple[int, int]) -> None:
    app = BarApp(_asks(command))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "touch HIDDEN" in app.shown()
        told = re.search(r"· (\d+)\W+lines\W+↓", app.shown())
        assert told is not None
        left_out = re.search(r"── (\d+) lines left out", app.shown())
        assert left_out is not None and int(left_out[1]) == int(told[1]) - (2 if size[1] > 16 else 1)
        app.bar.focus()
        for _ in range(int(told[1])):  # as a burst: waiting for the screen after each key takes half a minute
            app.post_message(events.Key("down", None))
        await pilot.pause()
        await pilot.pause()
        assert "touch HIDDEN" in app.shown()
        assert "↓" not in app.shown()
