"""Modes, approvals and the trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events

from tests.app.driving import opened
from tests.scripted import Reply, ScriptedServer, pause, text, tool_call
from tui.screens.lone_keys import ALONE_S, note_company
from tui.widgets.approval import ApprovalBar

Model = Callable[..., ScriptedServer]
WRITE = tool_call("write_file", {"path": "new.txt", "content": "hello\n"})
LIST = tool_call("list_files", {"path": "."})


async def test_shift_tab_switches_mode_and_theme_and_back(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        assert (it.app.theme, it.status.split()[0]) == ("chat-era", "chat")
        await it.press("shift+tab")
        assert (it.app.theme, it.status.split()[0]) == ("agent-era", "agent")
        await it.press("shift+tab")
        assert (it.app.theme, it.status.split()[0]) == ("chat-era", "chat")


async def test_the_empty_screen_says_what_the_mode_means(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, mode="agent") as it:
        await it.until_shown("the model can act in this folder")
        await it.press("shift+tab")
        await it.until_shown("shift+tab lets the model act")


async def test_the_time_at_a_question_is_no_work(folder: Path, model: Model) -> None:
    model(Reply(WRITE), may_complain=True)
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until_armed()
        worked_s = it.chat.talk.worked_s
        await it.wait(0.05)
        assert it.chat.talk.worked_s == worked_s


async def test_a_switch_while_a_turn_runs_is_for_the_next_one(folder: Path, model: Model) -> None:
    server = model(Reply(text("one"), pause()), "two")
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.press("shift+tab")
        assert "chat → agent" in it.status
        assert it.app.theme == "chat-era"
        server.release()
        await it.until_done()
        assert it.app.theme == "agent-era"
        await it.say("second")
        await it.until_shown("two")
        assert "tools" not in server.requests[0].body
        assert server.requests[1].body["tools"]


async def test_an_approved_call_runs_and_is_in_the_trace(folder: Path, model: Model) -> None:
    model(Reply(WRITE), "It is written.")
    async with opened(folder, (120, 40), mode="agent") as it:
        await it.say("write it")
        await it.until_shown("y once", "+hello")
        assert not (folder / "new.txt").exists()
        await it.until(lambda: it.app.focused is not it.chat.prompt, "the question has the focus")
        await it.until_armed()
        await it.press("y")
        await it.until_shown("It is written.")
        await it.until_done()
        assert (folder / "new.txt").read_text() == "hello\n"
        trace = [line.rpartition("│")[2] for line in it.screen.splitlines()]
        assert any("1 write_file" in line for line in trace)
        assert any("2 answer" in line for line in trace)
        assert it.chat.prompt.has_focus


async def test_a_refused_call_does_not_run_and_the_turn_goes_on(folder: Path, model: Model) -> None:
    server = model(Reply(WRITE), "As you wish.")
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until_shown("y once")
        await it.until_armed()
        await it.press("n")
        await it.until_shown("As you wish.")
        assert not (folder / "new.txt").exists()
        assert "the user said no" in server.requests[1].messages[-1]["content"]


async def test_a_question_does_not_take_the_keys_of_someone_who_is_writing(folder: Path, model: Model) -> None:
    server = model(Reply(pause(), WRITE), "As you wish.")
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until(lambda: server.pauses == 1, "the request is there")
        await it.write("and then ")
        server.release()
        await it.until_shown("y once", "ctrl+y answers")
        await it.write("yes")
        assert it.prompt == "and then yes"
        assert not (folder / "new.txt").exists()
        await it.until_armed()
        await it.press("ctrl+y")
        await it.wait(2 * ALONE_S)
        await it.press("n")
        await it.until_shown("As you wish.")
        assert it.prompt == "and then yes"


@pytest.mark.parametrize("keys", ["xyz", "yes", "/new", "no", "aa", "rm -rf", "yyyy", "y n a"])
async def test_text_that_is_sent_in_one_go_answers_nothing(folder: Path, model: Model, keys: str) -> None:
    model(Reply(WRITE), may_complain=True)
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until_armed()
        await it.until(lambda: isinstance(it.app.focused, ApprovalBar), "the question has the focus")
        await it.write(keys)
        await it.until(lambda: it.prompt == keys, "all of it is in the prompt, in its order")
        await it.wait(2 * ALONE_S)
        assert it.chat.questions.open is not None
        assert "y once" in it.screen
        assert not (folder / "new.txt").exists()


async def test_a_line_that_is_sent_in_one_go_waits_for_the_end_of_the_turn(folder: Path, model: Model) -> None:
    server = model(Reply(WRITE), "As you wish.", "Yes?")
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until_armed()
        await it.until(lambda: isinstance(it.app.focused, ApprovalBar), "the question has the focus")
        it.strike("y", "o", "u", "enter")
        await it.until_shown("1 queued")
        await it.wait(2 * ALONE_S)
        it.strike("ctrl+y", "y")
        await it.until(lambda: it.prompt == "y", "a key in the wake of another is text too")
        await it.press("backspace")
        await it.wait(2 * ALONE_S)
        await it.press("ctrl+y")
        await it.wait(2 * ALONE_S)
        await it.press("n")
        await it.until_shown("Yes?")
        assert server.requests[2].messages[-1]["content"] == "you"


async def test_a_key_that_was_read_together_with_others_answers_nothing_though_they_come_late(
    folder: Path, model: Model
) -> None:
    model(Reply(WRITE), may_complain=True)
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until_armed()
        await it.until(lambda: isinstance(it.app.focused, ApprovalBar), "the question has the focus")
        keys = [events.Key("y", "y"), events.Key("z", "z")]
        note_company(keys)
        it.app.post_message(keys[0])
        await it.until(lambda: it.prompt == "y", "it is text")


async def test_escape_at_a_question_stops_the_turn(folder: Path, model: Model) -> None:
    model(Reply(WRITE))
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        await it.until_shown("y once")
        await it.press("escape")
        await it.until_done()
        assert "y once" not in it.screen
        assert not (folder / "new.txt").exists()
        assert it.chat.prompt.has_focus


async def test_a_step_opens_from_the_trace_and_closes_again(folder: Path, model: Model) -> None:
    model(Reply(LIST), "Nothing here.")
    async with opened(folder, (120, 40), mode="agent") as it:
        await it.say("look")
        await it.until_shown("Nothing here.")
        await it.until_done()
        await it.chat_focus("trace")
        await it.press("home", "enter")
        await it.until_shown("Overview", "Request")
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.chat, "the step is closed")


async def test_the_trace_is_a_drawer_on_a_narrow_screen(folder: Path, model: Model) -> None:
    model(Reply(LIST), "Nothing here.")
    async with opened(folder, (80, 24), mode="agent") as it:
        await it.say("look")
        await it.until_done()
        assert "1 list_files" not in it.screen
        await it.press("ctrl+t")
        await it.until_shown("1 list_files")
        assert "Nothing here." not in it.screen
        await it.press("ctrl+t")
        await it.until_shown("Nothing here.")
        assert it.chat.prompt.has_focus


async def test_the_drawer_takes_the_keys_says_so_and_sends_nothing(folder: Path, model: Model) -> None:
    server = model(Reply(LIST), "Nothing here.")
    async with opened(folder, (80, 24), mode="agent") as it:
        await it.say("look")
        await it.until_done()
        await it.write("not yet")
        await it.press("ctrl+t", "enter")
        await it.until_shown("Overview", "Request")
        await it.press("escape")
        await it.until_shown("enter: open the step    u: files as after it    esc: close", "esc closes")
        await it.press("escape")
        await it.until_shown("Nothing here.", "not yet")
        assert it.chat.prompt.has_focus and len(server.requests) == 2


async def test_the_pane_says_which_keys_it_takes_while_it_has_the_focus(folder: Path, model: Model) -> None:
    model("Hello.")
    async with opened(folder, (120, 30), mode="agent") as it:
        await it.say("hi")
        await it.until_done()
        assert "u: files" not in it.screen
        await it.chat_focus("trace")
        await it.until_shown("enter: open the step    u: files as after it")
        await it.chat_focus("prompt")
        await it.until(lambda: "u: files" not in it.screen, "the prompt has the focus")


@pytest.mark.parametrize("first", ["", "tab"])
async def test_words_that_are_sent_in_one_go_while_one_reads_arrive_whole(
    folder: Path, model: Model, first: str
) -> None:
    """`n`, `o`, `p`, `y` and enter are keys of the conversation."""
    model("Hello.")
    async with opened(folder) as it:
        await it.chat_focus("transcript")
        keys = [events.Key(key, None) for key in ([first] if first else []) + list("nobody spoke yet")]
        note_company(keys)
        for key in [*keys, events.Key("enter", None)]:
            it.app.post_message(key)
        await it.until_shown("▌ nobody spoke yet", "Hello.")


async def test_a_command_that_is_sent_in_one_go_while_one_reads_is_done(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.chat_focus("transcript")
        it.strike("tab", *"/theme agent-era", "enter")
        await it.until(lambda: it.app.theme == "agent-era", "the command was done")


async def test_a_key_of_the_conversation_that_comes_alone_or_is_held_down_is_no_text(
    folder: Path, model: Model
) -> None:
    model("Hello.")
    async with opened(folder) as it:
        await it.say("hi")
        await it.until_done()
        await it.chat_focus("transcript")
        held = [events.Key("n", "n") for _ in range(3)]
        note_company(held)
        for key in held:
            it.app.post_message(key)
        await it.press("n")
        assert it.prompt == ""


async def test_the_trace_of_earlier_turns_is_there_when_it_is_first_opened(folder: Path, model: Model) -> None:
    model("Hello.")
    async with opened(folder, (120, 30)) as it:
        await it.say("hi")
        await it.until_done()
        assert "1 answer" not in it.screen
        await it.press("ctrl+t")
        await it.until_shown("1 answer")


async def test_a_wider_or_narrower_window_moves_the_trace(folder: Path, model: Model) -> None:
    model("Hello.")
    async with opened(folder, (120, 30), mode="agent") as it:
        await it.say("hi")
        await it.until_shown("1 answer", "Hello.")
        await it.until_done()
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: "1 answer" not in it.screen, "the pane is gone")
        await it.pilot.resize_terminal(120, 30)
        await it.until_shown("1 answer")
        await it.press("ctrl+t")
        await it.pilot.resize_terminal(80, 24)
        await it.pilot.resize_terminal(120, 30)
        await it.until(lambda: "Hello." in it.screen and "1 answer" not in it.screen, "what was closed stays closed")
