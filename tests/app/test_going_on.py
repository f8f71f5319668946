"""Answers that break off are kept, say why, and go on with one key; retries are counted down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import opened
from tests.scripted import Reply, ScriptedServer, fault, pause, reset, text
from tui.screens.talk import GO_ON

Model = Callable[..., ScriptedServer]
HALF = Reply(text("half an answer"), finish=None, done=False)


def said(server: ScriptedServer) -> list[str]:
    """The last words of each request."""
    return [request.messages[-1]["content"] for request in server.requests]


@pytest.mark.parametrize("broken", [HALF, Reply(text("half an answer"), reset())])
async def test_a_stream_that_breaks_says_why_and_enter_goes_on(folder: Path, model: Model, broken: Reply) -> None:
    server = model(broken, "and the other half")
    async with opened(folder) as it:
        await it.say("please")
        await it.until_shown("half an answer", "the answer was cut:", "Enter, or /continue", "enter goes on")
        await it.until_done()
        assert it.prompt == ""
        await it.press("enter")
        await it.until_shown(GO_ON, "and the other half", "/ commands")
        await it.until_done()
        assert "Enter, or /continue" not in it.screen
        assert said(server) == ["please", GO_ON]
        assert [m["content"] for m in server.requests[1].messages if m["role"] == "assistant"] == ["half an answer"]
        await it.press("enter")
        await it.until_done()
        assert len(server.requests) == 2


async def test_a_stopped_answer_goes_on_with_the_command(folder: Path, model: Model) -> None:
    server = model(Reply(text("the beginning"), pause()), "the end", may_complain=True)
    async with opened(folder) as it:
        await it.say("go")
        await it.until_shown("the beginning")
        await it.press("escape")
        await it.until_done()
        await it.until_shown("enter goes on")
        await it.write("x")
        await it.until_shown("/ commands")
        await it.press("backspace")
        await it.until_shown("enter goes on")
        await it.say("/continue")
        await it.until_shown("the end")
        await it.until_done()
        assert said(server) == ["go", GO_ON]


async def test_the_offer_is_there_again_when_the_session_is_opened_again(folder: Path, model: Model) -> None:
    model(HALF, "and the other half")
    async with opened(folder) as it:
        await it.say("please")
        await it.until_shown("the answer was cut:")
        await it.until_done()
    async with opened(folder, continue_last=True) as it:
        await it.until_shown("half an answer", "the answer was cut:", "enter goes on")
        await it.press("enter")
        await it.until_shown("and the other half")


async def test_going_on_that_fails_can_be_tried_again(folder: Path, model: Model) -> None:
    server = model(HALF, fault(400, message="not now"), "and the other half")
    async with opened(folder) as it:
        await it.say("please")
        await it.until_shown("the answer was cut:")
        await it.until_done()
        await it.press("enter")
        await it.until_shown("not now")
        await it.until_done()
        assert it.prompt == ""
        await it.press("enter")
        await it.until_shown("and the other half")
        await it.until_done()
        assert said(server)[-1] == GO_ON


async def test_there_is_nothing_to_go_on_with_after_a_whole_answer(folder: Path, model: Model) -> None:
    server = model("All of it.")
    async with opened(folder) as it:
        await it.say("/continue")
        await it.until_shown("there is nothing to go on with")
        await it.press("ctrl+c")
        await it.say("please")
        await it.until_shown("All of it.")
        await it.until_done()
        await it.press("enter")
        await it.say("/continue")
        await it.until_shown("there is nothing to go on with")
        assert len(server.requests) == 1


async def test_a_retry_is_counted_down_until_escape_ends_the_turn(folder: Path, model: Model) -> None:
    server = model(fault(429, headers={"Retry-After": "50"}, message="slow down"), config="", may_complain=True)
    patient(folder)
    async with opened(folder, mode="agent", size=(140, 30)) as it:
        await it.say("please")
        await it.until_shown("retrying in 50 s, try 2 of 5 (esc stops): lab: too many requests", "esc stops")
        await it.until(lambda: it.screen.count("retrying in 49 s") == 3, "all three count together")
        await it.press("escape")
        await it.until_done()
        await it.until_shown("■ interrupted while waiting to retry: lab: too many requests")
        assert "retrying in" not in it.screen
        assert len(server.requests) == 1


async def test_a_retry_that_works_leaves_no_trace_in_the_conversation(folder: Path, model: Model) -> None:
    model(fault(429, headers={"Retry-After": "0.3"}, message="slow down"), "Here I am.")
    patient(folder)
    async with opened(folder) as it:
        await it.say("please")
        await it.until_shown("retrying in 1 s")
        await it.until_shown("Here I am.")
        await it.until_done()
        assert "slow down" not in it.screen


async def test_what_a_server_taught_is_told_in_the_conversation_and_in_the_step(folder: Path, model: Model) -> None:
    said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    model(fault(400, message=said), "Here I am.", backend='credential = "none"\nmax_output = 99')
    async with opened(folder, mode="agent", size=(160, 30)) as it:
        await it.say("please")
        await it.until_shown("learned from 127.0.0.1", 'max_tokens_field = "max_completion_tokens"', "Here I am.")
        await it.until_shown("i learned max_tokens_field")
        await it.until_done()
        await it.chat_focus("trace")
        await it.press("enter")
        await it.until_shown("learned        max_tokens_field", said)


def patient(folder: Path) -> None:
    """Let the backend try again."""
    from tui.settings.config import config_file

    config_file().write_text(config_file().read_text().replace("retries = 0", "retries = 4"))
