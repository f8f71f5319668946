"""What the model asks, fetches and wants to remember, as the person in front of the screen sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events

from tests.app.driving import Driver, opened
from tests.scripted import Reply, ScriptedServer, pause, tool_call
from tui.screens.lone_keys import ALONE_S
from tui.settings.memory import add_memory, read_memory
from tui.widgets.answer_field import AnswerField
from tui.widgets.question import QuestionBar

Model = Callable[..., ScriptedServer]
ASK = tool_call("ask_user", {"question": "Red or blue?", "choices": ["red", "blue"]})


def results_of(server: ScriptedServer) -> list[str]:
    """What tools said to the model, as the last request has it."""
    return [message["content"] for message in server.requests[-1].messages if message["role"] == "tool"]


async def until_asked(it: Driver) -> None:
    await it.until(lambda: isinstance(it.app.focused, QuestionBar), "the question has the focus")
    await it.wait(0.35)


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (["2"], "blue"),
        (["down", "enter"], "blue"),
        (["escape"], "The user did not answer. Decide yourself, and say at the end what you assumed."),
    ],
)
async def test_a_question_is_answered_by_keys(folder: Path, model: Model, keys: list[str], result: str) -> None:
    server = model(Reply(ASK), "Thanks.")
    async with opened(folder, size=(80, 24), mode="agent") as it:
        await it.say("paint it")
        await it.until_shown("Red or blue?", "1 red", "2 blue", "esc no answer")
        await until_asked(it)
        for key in keys:
            await it.press(key)
            await it.wait(2 * ALONE_S)
        await it.until_shown("Thanks.")
        assert not it.chat.query(QuestionBar)
        assert it.prompt == ""
    assert results_of(server)[-1] == result


async def test_an_answer_in_ones_own_words_comes_back_with_the_session(folder: Path, model: Model) -> None:
    model(Reply(ASK), "Thanks.")
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await until_asked(it)
        for key in "green":
            await it.press(key)
            await it.wait(2 * ALONE_S)
        await it.press("enter")
        await it.until_shown("Thanks.", "green")
        await it.until_done()
    async with opened(folder, mode="agent", continue_last=True) as it:
        await it.until_shown("ask_user Red or blue?", "green")


async def test_what_is_sent_in_one_go_goes_to_the_prompt(folder: Path, model: Model) -> None:
    model(Reply(ASK), may_complain=True)
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await until_asked(it)
        await it.write("1 more thing")
        await it.until(lambda: it.prompt == "1 more thing", "all of it is in the prompt")
        await it.wait(2 * ALONE_S)
        assert it.chat.query(QuestionBar)


async def test_what_is_sent_from_the_prompt_is_the_answer(folder: Path, model: Model) -> None:
    server = model(Reply(ASK), "Thanks.")
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await until_asked(it)
        await it.write("1 dark green")
        await it.until_shown("enter answer   esc back", "enter answers")
        await it.press("enter")
        await it.until_shown("Thanks.")
        assert (it.prompt, it.chat.talk.waiting) == ("", [])
    assert results_of(server)[-1] == "1 dark green"


@pytest.mark.parametrize("keys", [["escape"], ["backspace"] * 5])
async def test_a_prompt_that_is_emptied_gives_the_keys_back(folder: Path, model: Model, keys: list[str]) -> None:
    server = model(Reply(ASK), "Thanks.")
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await until_asked(it)
        await it.write("green")
        await it.until_shown("enter answer   esc back")
        await it.press(*keys)
        await it.until_shown("❯ 1 red", "1-2 choose   enter the marked   type your own   esc no answer")
        await it.wait(2 * ALONE_S)
        await it.press("2")
        await it.until_shown("Thanks.")
        assert it.prompt == ""
    assert results_of(server)[-1] == "blue"


async def test_esc_in_an_empty_prompt_is_no_answer(folder: Path, model: Model) -> None:
    server = model(Reply(ASK), "Thanks.")
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await until_asked(it)
        await it.chat_focus("prompt")
        await it.press("escape")
        await it.until_shown("Thanks.")
    assert "did not answer" in results_of(server)[-1]


async def test_a_message_that_was_begun_before_the_question_stays_one(folder: Path, model: Model) -> None:
    written = threading.Event()
    server = model(Reply(pause(written), ASK), "Thanks.", "Later.")
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await it.write("then test it")
        written.set()
        await it.until_shown("Red or blue?", "ctrl+y, then 1-2 choose")
        await it.wait(0.35)
        await it.write(" all")
        await it.press("enter")
        await it.until(lambda: len(it.chat.talk.waiting) == 1, "it waits for its turn")
        await it.press("ctrl+y")
        await until_asked(it)
        await it.press("1")
        await it.until_shown("Thanks.", "then test it all", "Later.")
    assert results_of(server)[-1] == "red"


async def test_a_message_that_was_begun_as_the_question_came_stays_one(
    folder: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(QuestionBar.__init__.__kwdefaults__, "arm_delay_s", 3600.0)
    model(Reply(ASK), may_complain=True)
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await it.until(lambda: isinstance(it.app.focused, QuestionBar), "the question has the focus")
        await it.write("then test it")
        await it.until_shown("ctrl+y, then 1-2 choose", "ctrl+y answers")
        await it.press("enter")
        await it.until(lambda: len(it.chat.talk.waiting) == 1, "it waits for its turn")


@pytest.mark.parametrize("is_pasted", [False, True])
async def test_words_that_come_at_once_answer_a_question_without_choices(
    folder: Path, model: Model, is_pasted: bool
) -> None:
    model(Reply(tool_call("ask_user", {"question": "Which name?"})), "Thanks.")
    async with opened(folder, mode="agent") as it:
        await it.say("name it")
        await until_asked(it)
        bar = it.chat.query_one(QuestionBar)
        if is_pasted:
            it.app.post_message(events.Paste("two words"))
        else:
            await it.write("two words")
        await it.until(lambda: bar.query_one(AnswerField).text == "two words", "it is in the field")
        assert it.prompt == ""
        await it.press("enter")
        await it.until_shown("Thanks.")


async def test_the_question_goes_with_the_turn_that_is_stopped(folder: Path, model: Model) -> None:
    model(Reply(ASK), may_complain=True)
    async with opened(folder, mode="agent") as it:
        await it.say("paint it")
        await it.until_shown("Red or blue?")
        it.chat.stop()
        await it.until_shown("interrupted")
        await it.until_done()
        assert not it.chat.query(QuestionBar)


async def test_always_allows_the_host_of_a_page(folder: Path, model: Model) -> None:
    fetch = tool_call("fetch_url", {"url": "http://nowhere.invalid/"})
    server = model(Reply(fetch), "First.", Reply(fetch), "Second.")
    async with opened(folder, mode="agent") as it:
        await it.say("fetch it")
        await it.until_armed()
        await it.until_shown("reaches the network", "fetch_url nowhere.invalid")
        for _ in range(2):
            await it.press("a")
            await it.wait(2 * ALONE_S)
        await it.until_shown("First.")
        await it.until_done()
        await it.say("again")
        await it.until_shown("Second.")
    assert all("nowhere.invalid is not known" in result for result in results_of(server)[-2:])


async def test_what_shall_be_remembered_is_shown_first(folder: Path, model: Model) -> None:
    model(Reply(tool_call("remember", {"text": "tests run with make test"})), "Noted.")
    async with opened(folder, mode="agent", policy="auto") as it:
        await it.say("remember it")
        await it.until_shown("tell later sessions in this project", "- tests run with make test")
        await it.until_armed()
        assert "a always" not in it.screen
        await it.press("y")
        await it.wait(2 * ALONE_S)
        await it.until_shown("Noted.", "+1 −0")
    assert read_memory(folder) == "- tests run with make test"


async def test_notes_are_seen_and_changed(folder: Path, model: Model) -> None:
    model()
    add_memory(folder, "an old one")
    async with opened(folder, size=(80, 24)) as it:
        await it.say("/memory")
        await it.until_shown("- an old one", "ctrl+s keeps it so")
        await it.press("x", "ctrl+s")
        await it.until_shown("are told so")
        assert read_memory(folder) == "x- an old one"
        await it.say("/memory everywhere")
        await it.until_shown("in all folders")
        await it.press("y", "escape")
        await it.until(lambda: it.app.screen is it.chat, "the notes are closed")
        await it.say("/memory nowhere")
        await it.until_shown("there are no notes 'nowhere'")
    assert read_memory(folder) == "x- an old one"
