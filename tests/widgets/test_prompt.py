"""The prompt, driven by keys."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.widgets import history
from tui.widgets.completions import CompletionList
from tui.widgets.history import History
from tui.widgets.prompt import Completion, Prompt

COMMANDS = [Completion("/mode", "switch"), Completion("/model", "choose a model"), Completion("/new", "start")]


class Desk(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.queued: list[str] = []
        self.leave_asked = False

    def compose(self) -> ComposeResult:
        yield CompletionList(id="completions")
        yield Prompt(COMMANDS, lambda: self.queued.pop() if self.queued else None, id="prompt")

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.sent.append(event.text)
        self.prompt.clear_into_past()

    def on_prompt_completing(self, event: Prompt.Completing) -> None:
        self.completions.show(event.items, event.index)

    def on_prompt_leave_asked(self) -> None:
        self.leave_asked = True

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)

    @property
    def completions(self) -> CompletionList:
        return self.query_one(CompletionList)


@asynccontextmanager
async def desk(height: int = 24) -> AsyncIterator[tuple[Desk, Pilot[None]]]:
    app = Desk()
    async with app.run_test(size=(60, height)) as pilot:
        app.prompt.focus()
        await pilot.pause()
        yield app, pilot


async def write(pilot: Pilot[None], text: str) -> None:
    """Letters as the terminal sends them when they come fast: no pause between."""
    for letter in text:
        pilot.app.post_message(events.Key(letter, letter))
    await pilot.pause()


async def test_enter_sends_and_empties_the_prompt() -> None:
    async with desk() as (app, pilot):
        await write(pilot, "hi there")
        await pilot.press("enter")
        assert app.sent == ["hi there"]
        assert app.prompt.text == ""


async def test_enter_on_a_blank_prompt_sends_nothing() -> None:
    async with desk() as (app, pilot):
        await pilot.press("space", "enter")
        assert app.sent == []


@pytest.mark.parametrize("key", ["shift+enter", "ctrl+j", "alt+enter"])
async def test_these_keys_begin_a_new_line(key: str) -> None:
    async with desk() as (app, pilot):
        await pilot.press("a", key, "b", "enter")
        assert app.sent == ["a\nb"]


async def test_it_grows_with_its_text_up_to_a_third_of_the_screen() -> None:
    async with desk(height=30) as (app, pilot):
        assert app.prompt.size.height == 1
        await pilot.press("a", "ctrl+j", "b")
        assert app.prompt.size.height == 2
        app.prompt.post_message(events.Paste("\n" * 30))
        await pilot.pause()
        assert 8 <= app.prompt.size.height <= 10


async def test_a_pasted_text_of_many_lines_stays_one_text() -> None:
    async with desk() as (app, pilot):
        app.prompt.post_message(events.Paste("one\rtwo\r\nthree\n"))
        await pilot.pause()
        assert app.sent == []
        assert app.prompt.text == "one\ntwo\nthree\n"


async def test_controls_in_a_paste_are_made_visible() -> None:
    async with desk() as (app, pilot):
        app.prompt.post_message(events.Paste("a\x1b]0;title\x07b"))
        await pilot.pause()
        assert app.prompt.text == "a␛]0;title␇b"


async def test_up_and_down_walk_through_what_was_sent_and_back_to_the_draft() -> None:
    async with desk() as (app, pilot):
        for text in ("one", "two"):
            await write(pilot, text)
            await pilot.press("enter")
        await write(pilot, "draft")
        await pilot.press("up")
        assert app.prompt.text == "two"
        await pilot.press("up", "up")
        assert app.prompt.text == "one"
        await pilot.press("down", "down")
        assert app.prompt.text == "draft"
        await pilot.press("down")
        assert app.prompt.text == "draft"


async def test_up_moves_within_a_text_of_several_lines_first() -> None:
    async with desk() as (app, pilot):
        await pilot.press("x", "enter", "a", "ctrl+j", "b", "up")
        assert app.prompt.text == "a\nb"
        assert app.prompt.cursor_location == (0, 1)
        await pilot.press("up")
        assert app.prompt.text == "x"


async def test_what_came_from_the_history_can_be_changed_and_sent() -> None:
    async with desk() as (app, pilot):
        await pilot.press("a", "enter", "up", "b", "enter")
        assert app.sent == ["a", "ab"]


async def test_up_on_an_empty_prompt_takes_back_what_was_queued_before_it_goes_to_the_history() -> None:
    async with desk() as (app, pilot):
        await pilot.press("a", "enter")
        app.queued = ["waiting"]
        await pilot.press("up")
        assert app.prompt.text == "waiting"
        assert app.queued == []


async def test_a_slash_offers_commands_and_tab_completes_the_chosen_one() -> None:
    async with desk() as (app, pilot):
        await write(pilot, "/mo")
        assert [item.text for item in app.completions.chosen[0]] == ["/mode", "/model"]
        await pilot.press("down", "tab")
        assert app.prompt.text == "/model "
        assert not app.completions.display


async def test_enter_takes_the_chosen_command() -> None:
    async with desk() as (app, pilot):
        await write(pilot, "/ne")
        await pilot.press("enter")
        assert app.sent == ["/new"]


async def test_escape_closes_the_completions_and_keeps_the_text() -> None:
    async with desk() as (app, pilot):
        await write(pilot, "/m")
        await pilot.press("escape")
        assert not app.completions.display
        assert app.prompt.text == "/m"


async def test_walking_to_an_old_command_does_not_stop_at_its_completions() -> None:
    async with desk() as (app, pilot):
        await pilot.press("a", "enter")
        await write(pilot, "/new")
        await pilot.press("enter", "up", "up")
        assert app.prompt.text == "a"


async def test_a_path_is_not_taken_for_a_command() -> None:
    async with desk() as (app, pilot):
        await write(pilot, "/usr/bin")
        assert not app.completions.display


async def test_ctrl_d_deletes_within_a_text_and_asks_to_leave_when_there_is_none() -> None:
    async with desk() as (app, pilot):
        await pilot.press("a", "b", "home", "ctrl+d")
        assert (app.prompt.text, app.leave_asked) == ("b", False)
        await pilot.press("ctrl+d", "ctrl+d")
        assert app.leave_asked


async def test_undo_brings_back_what_was_deleted() -> None:
    async with desk() as (app, pilot):
        await write(pilot, "some words")
        await pilot.press("ctrl+w", "ctrl+underscore")
        assert app.prompt.text == "some words"


async def test_wide_characters_and_a_tiny_screen_are_no_trouble() -> None:
    app = Desk()
    async with app.run_test(size=(3, 1)) as pilot:
        app.prompt.focus()
        app.prompt.post_message(events.Paste("日本語 👩‍👩‍👧 text\n" * 20))
        await pilot.pause()
        assert app.prompt.text.count("\n") == 20


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state" / "history"


def test_the_history_file_gives_back_what_was_said_and_is_private(file: Path) -> None:
    for text in ("one", "two\nlines", "ünï \ud800"):
        history.append(file, text)
    assert history.read(file) == ["one", "two\nlines", "ünï \ud800"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_history_file_is_capped(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("".join(f'"entry {n}"\n' for n in range(2 * history.KEPT + 1)))
    assert len(history.read(file)) == history.KEPT
    assert len(file.read_text().splitlines()) == history.KEPT
    assert history.read(file)[-1] == f"entry {2 * history.KEPT}"


def test_a_broken_or_missing_history_file_costs_nothing_else(file: Path) -> None:
    assert history.read(file) == []
    file.parent.mkdir()
    file.write_bytes(b'"good"\nnot json\n\xff\xfe\n{"a": 1}\n"also"\n')
    assert history.read(file) == ["good", "also"]


def test_what_is_said_twice_in_a_row_is_remembered_once() -> None:
    past = History()
    assert past.add("a")
    assert not past.add("a")
    assert not past.add("  ")
    assert past.add("b")
    assert past.entries == ["a", "b"]


def test_entries_of_earlier_runs_come_before_those_of_this_one() -> None:
    past = History()
    past.add("now")
    past.load(["then"])
    assert [past.back(""), past.back(""), past.back("")] == ["now", "then", None]


async def test_keys_that_come_together_mean_what_was_typed_and_not_what_was_offered_before() -> None:
    """As a terminal sends them that is slow, or a program that types: nothing is handled between them."""
    async with desk() as (app, pilot):
        for typed in ("/mode", "/new", "/model"):
            for key in [*typed, "enter"]:
                app.prompt.post_message(events.Key({"/": "slash"}.get(key, key), key if len(key) == 1 else None))
            await pilot.pause()
            await pilot.pause()
        assert app.sent == ["/mode", "/new", "/model"]
