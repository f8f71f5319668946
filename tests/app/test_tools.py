"""A plan and a command in the background, as the person in front of the screen sees them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.app.driving import opened
from tests.scripted import Reply, ScriptedServer, tool_call
from tests.tools.test_escapes import processes_with

Model = Callable[..., ScriptedServer]
PLAN = [{"text": "find it", "state": "done"}, {"text": "mend it", "state": "active"}]


async def test_the_plan_stands_above_the_trace_and_comes_back_with_the_session(folder: Path, model: Model) -> None:
    model(Reply(tool_call("todo", {"items": PLAN})), "planned")
    async with opened(folder, size=(130, 30), mode="agent") as it:
        await it.say("plan it")
        await it.until_done()
        assert [line for line in it.screen.splitlines() if line.rstrip().endswith("▸ mend it")]
        assert "1 of 2 done" in it.screen
    async with opened(folder, size=(130, 30), mode="agent", continue_last=True) as it:
        await it.until_shown("▸ mend it")
        conversation = it.chat.talk.conversation
        assert conversation is not None and conversation.desk.todo_text() == "[x] find it\n[>] mend it"


async def test_a_command_in_the_background_is_shown_and_ends_with_the_program(folder: Path, model: Model) -> None:
    tag = f"3001.{os.getpid()}"
    start = tool_call("start_command", {"command": f"echo serving; exec sleep {tag}"})
    model(Reply(start), "It serves.")
    async with opened(folder, mode="agent", policy="auto", sandbox="off") as it:
        await it.say("serve it")
        await it.until_shown("It serves.", "in the background")
        await it.until_done()
        assert processes_with(tag)
    assert not processes_with(tag)


async def test_the_state_of_a_command_in_the_background_is_seen_however_long_it_is(folder: Path, model: Model) -> None:
    start = tool_call("start_command", {"command": f"sleep 3003 # {'x' * 300}"})
    model(Reply(start), "It waits.")
    async with opened(folder, size=(40, 24), mode="agent", policy="auto", sandbox="off") as it:
        await it.say("wait")
        await it.until_shown("It waits.")
        await it.until_done()
        await it.say("/jobs")
        await it.until_shown("1 running")


async def test_where_nothing_runs_in_the_background_that_is_said(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/jobs")
        await it.until_shown("Nothing runs in the background.")


async def test_commands_in_the_background_are_counted_listed_and_stopped(folder: Path, model: Model) -> None:
    tag = f"3002.{os.getpid()}"
    start = tool_call("start_command", {"command": f"echo serving; exec sleep {tag}"})
    model(Reply(start), Reply(start), "Both serve.")
    async with opened(folder, size=(130, 30), mode="agent", policy="auto", sandbox="off") as it:
        await it.say("serve it twice")
        await it.until_shown("Both serve.")
        await it.until_done()
        await it.until(lambda: "2 in the background" in it.status, "they are counted")
        await it.say("/jobs")
        await it.until_shown(
            "enter stops one", f"1 running  echo serving; exec sleep {tag} · serving", "2 running  echo"
        )
        await it.press("enter")
        await it.until_shown("Background command 1 is stopped.")
        await it.until(lambda: "1 in the background" in it.status, "one is left")
        await it.say("/jobs stop 2")
        await it.until_shown("Background command 2 is stopped.")
        assert not processes_with(tag)
        await it.until(lambda: "in the background" not in it.status, "none is left")
        await it.say("/jobs stop 7")
        await it.until_shown("/jobs cannot do stop 7", "There are: 1, 2.")
