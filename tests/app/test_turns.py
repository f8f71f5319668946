"""Talking: what is sent, shown, stopped, queued and given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import configure, opened
from tests.scripted import Reply, ScriptedServer, fault, pause, reset, text
from tui.settings.paths import data_dir

Model = Callable[..., ScriptedServer]


async def test_an_answer_is_shown_and_the_prompt_is_empty_again(folder: Path, model: Model) -> None:
    server = model("Hello, **you**.")
    async with opened(folder) as it:
        await it.say("hi there")
        await it.until_shown("hi there", "Hello, you.")
        await it.until_done()
        assert it.prompt == ""
        assert server.requests[0].messages[-1]["content"] == "hi there"


async def test_the_status_line_tells_who_answers_and_what_it_took(folder: Path, model: Model) -> None:
    model("one two three")
    async with opened(folder) as it:
        await it.until_shown("lab/scripted")
        await it.say("hi")
        await it.until_done()
        await it.until_shown("/1k", "$–")


async def test_what_is_typed_before_the_conversation_is_open_is_sent_when_it_is(folder: Path, model: Model) -> None:
    model("Hello.")
    async with opened(folder, is_ready=False) as it:
        await it.say("early")
        await it.until_shown("early", "Hello.")


async def test_escape_stops_the_turn_and_keeps_what_came(folder: Path, model: Model) -> None:
    server = model(Reply(text("the beginning"), pause(), text("the end")), may_complain=True)
    async with opened(folder) as it:
        await it.say("go")
        await it.until_shown("the beginning")
        assert "esc stops" in it.status
        await it.press("escape")
        await it.until_done()
        assert "the beginning" in it.screen
        assert it.prompt == ""
        server.release()


async def test_after_a_stop_the_conversation_goes_on(folder: Path, model: Model) -> None:
    model(Reply(text("the beginning"), pause()), "second answer", may_complain=True)
    async with opened(folder) as it:
        await it.say("go")
        await it.until_shown("the beginning")
        await it.press("escape")
        await it.until_done()
        await it.say("again")
        await it.until_shown("second answer")


async def test_messages_typed_meanwhile_wait_and_are_sent_in_order(folder: Path, model: Model) -> None:
    server = model(Reply(text("one"), pause()), "two", "three")
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.say("second")
        await it.say("third")
        await it.until_shown("next  second", "next  third", "2 queued")
        server.release()
        await it.until_shown("two", "three")
        await it.until_done()
        said = [request.messages[-1]["content"] for request in server.requests]
        assert said == ["first", "second", "third"]


async def test_up_takes_a_waiting_message_back(folder: Path, model: Model) -> None:
    server = model(Reply(text("one"), pause()))
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.say("second")
        await it.until_shown("next  second")
        await it.press("up")
        assert it.prompt == "second"
        assert "next  second" not in it.screen
        server.release()
        await it.until_done()
        assert len(server.requests) == 1


async def test_escape_gives_waiting_messages_back_instead_of_sending_them(folder: Path, model: Model) -> None:
    server = model(Reply(text("one"), pause()), may_complain=True)
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.say("second")
        await it.say("third")
        await it.press("escape")
        await it.until_done()
        assert it.prompt == "second\n\nthird"
        assert len(server.requests) == 1


async def test_a_refusal_is_shown_and_the_message_can_be_sent_again(folder: Path, model: Model) -> None:
    model(fault(400, message="no such thing"), "now it works")
    async with opened(folder) as it:
        await it.say("please")
        await it.until_shown("no such thing")
        await it.until_done()
        assert it.prompt == "please"
        await it.press("enter")
        await it.until_shown("now it works")


async def test_a_turn_that_breaks_off_keeps_what_came_and_gives_nothing_back(folder: Path, model: Model) -> None:
    model(Reply(text("half an answer"), finish=None, done=False))
    async with opened(folder) as it:
        await it.say("please")
        await it.until_done()
        assert "half an answer" in it.screen
        assert it.prompt == ""


async def test_a_text_that_is_written_meanwhile_is_kept_behind_what_failed(folder: Path, model: Model) -> None:
    server = model(Reply(pause(), reset()))
    async with opened(folder) as it:
        await it.say("please")
        await it.until(lambda: server.pauses == 1, "the request is there")
        await it.write("and more")
        server.release()
        await it.until_done()
        assert it.prompt == "please\n\nand more"


async def test_a_dead_server_is_said_with_what_to_do(home: Path, folder: Path) -> None:
    configure(
        None,
        '[defaults]\nbackend = "lab"\n[backends.lab]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
        'credential = "none"\nretries = 0\n',
    )
    async with opened(folder) as it:
        await it.say("hello")
        await it.until_shown("127.0.0.1:9")
        await it.until_done()
        assert it.prompt == "hello"


async def test_a_session_that_cannot_be_saved_is_said_and_goes_on(folder: Path, model: Model) -> None:
    model("one", "two")
    data_dir().parent.mkdir(parents=True, exist_ok=True)
    data_dir().write_text("in the way")
    async with opened(folder) as it:
        await it.say("hello")
        await it.until_shown("one", "not being saved")
        await it.until_done()
        await it.say("again")
        await it.until_shown("two")


async def test_controls_and_markup_in_an_answer_are_only_text(folder: Path, model: Model) -> None:
    model("before \x1b]0;owned\x07 [red]after[/red]")
    async with opened(folder) as it:
        await it.say("hi")
        await it.until_shown("␛]0;owned␇ [red]after[/red]")


async def test_leaving_while_a_turn_runs_stores_what_came(folder: Path, model: Model) -> None:
    model(Reply(text("kept for later"), pause()), may_complain=True)
    async with opened(folder) as it:
        await it.say("go")
        await it.until_shown("kept for later")
    async with opened(folder, continue_last=True) as it:
        await it.until_shown("go", "kept for later")


async def test_continue_shows_the_whole_conversation_and_goes_on_with_it(folder: Path, model: Model) -> None:
    server = model("first answer", "second answer")
    async with opened(folder) as it:
        await it.say("first question")
        await it.until_shown("first answer")
        await it.until_done()
    async with opened(folder, continue_last=True) as it:
        await it.until_shown("first question", "first answer")
        await it.say("second question")
        await it.until_shown("second answer")
        roles = [message["role"] for message in server.requests[-1].messages if message["role"] != "system"]
        assert roles == ["user", "assistant", "user"]


async def test_a_session_that_is_not_there_ends_the_program_with_the_reason(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, is_ready=False, session="zzzzzz") as it:
        await it.until(lambda: not it.app.is_running, "it ended")
        assert it.app.problem is not None
        assert "zzzzzz" in it.app.problem.message


async def test_a_link_goes_to_the_clipboard_where_no_browser_has_a_window(
    folder: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    model("See [this](https://example.org/page).")
    async with opened(folder) as it:
        await it.say("hi")
        await it.until_shown("See this.")
        await it.until_done()
        y = next(y for y, line in enumerate(it.screen.splitlines()) if "See this." in line)
        x = it.screen.splitlines()[y].index("this")
        await it.pilot.click(offset=(x + 1, y))
        await it.until_shown("in the clipboard")
        assert it.app.clipboard == "https://example.org/page"
