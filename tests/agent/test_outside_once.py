"""A command that failed because of the sandbox runs outside of it once, if the user says so."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call
from tui.agent.calls import Answer
from tui.core.events import ApprovalAsked, Event, ToolFinished, ToolStarted, TurnFinished
from tui.headless.run import Nobody
from tui.settings.config import config_file, load
from tui.settings.paths import config_dir
from tui.tools.sandbox import find_sandbox

pytestmark = pytest.mark.skipif(
    (sandbox := find_sandbox()) is None or bool(sandbox.gaps), reason="needs a sandbox in which `auto` runs commands"
)
CONNECT = tool_call("run_command", {"command": "bash connect.sh"})


@pytest.fixture
def script(stage: Stage) -> Iterator[Path]:
    """It connects to a server on this machine, which works outside of the sandbox only."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        path = stage.folder / "connect.sh"
        path.write_text(f"exec 3<>/dev/tcp/localhost/{server.getsockname()[1]} && echo connected\n")
        yield path


def finished(events: list[Event]) -> ToolFinished:
    return the(events, ToolFinished)


async def test_after_a_yes_the_result_is_that_of_the_second_run(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy="auto")
    events = await events_of(conversation.send("Connect"), Answer("once"))
    question = the(events, ApprovalAsked)
    assert "its output and exit code look as if it needed the network" in question.reason
    assert "Run it once outside the sandbox, with all of your rights?" in question.reason
    assert (question.rule, question.preview) == (None, "bash connect.sh")
    end = finished(events)
    assert not end.is_error and "connected" in end.result and "refused" not in end.result
    assert "the user let it run once outside" in end.result
    assert end.detail["sandbox"] is None
    assert "connected" in stage.server.requests[1].messages[-1]["content"]


async def test_what_a_command_only_prints_is_not_told_as_a_fact(stage: Stage) -> None:
    only_prints = tool_call("run_command", {"command": "echo 'x: Read-only file system'; false"})
    conversation = stage.conversation([Reply(only_prints), "Done"], policy="auto")
    question = the(await events_of(conversation.send("Print"), Answer("no")), ApprovalAsked)
    assert question.reason.startswith("its output and exit code look as if it wrote")
    assert "with all of your rights" in question.reason


async def test_it_is_once_the_next_one_is_asked_again(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT), Reply(CONNECT), "Done"], policy="auto")
    events = await events_of(conversation.send("Connect twice"), Answer("always", rules=({"tool": "run_command"},)))
    assert len([event for event in events if isinstance(event, ApprovalAsked)]) == 2
    assert conversation.permissions.approvals.rules == ()


async def test_after_a_no_the_result_is_that_of_the_first_run(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy="auto")
    events = await events_of(conversation.send("Connect"), Answer("no", "not today"))
    end = finished(events)
    assert end.is_error and "refused" in end.result
    assert "The user does not let it run outside the sandbox: not today" in end.result
    assert end.detail["sandbox"] == find_sandbox().name
    assert len([event for event in events if isinstance(event, ToolStarted)]) == 1


async def test_the_command_can_be_edited_first(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy="auto")
    events = await events_of(conversation.send("Connect"), Answer("once", arguments={"command": "echo other"}))
    end = finished(events)
    assert "other" in end.result and '"echo other"' in end.result


async def test_an_edited_command_is_checked_before_it_runs_outside(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy="auto")
    edited = Answer("once", arguments={"command": "touch made", "timeout": 0})
    events = await events_of(conversation.send("Connect"), edited)
    end = finished(events)
    assert "refused" in end.result and "`timeout` must be at least 1" in end.result
    assert not (stage.folder / "made").exists()
    assert len([event for event in events if isinstance(event, ToolStarted)]) == 1


async def test_a_hook_can_refuse_what_the_user_wrote_to_run_outside(stage: Stage, script: Path) -> None:
    hook = config_dir() / "hook.sh"
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text("#!/bin/sh\nif grep -q made; then echo 'nothing is made here' >&2; exit 2; fi\n")
    hook.chmod(0o755)
    config_file().write_text('[[hooks]]\non = "before_tool"\ncommand = ["./hook.sh"]\n')
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy="auto")
    conversation.hooks._hooks = load(stage.folder).hooks
    events = await events_of(conversation.send("Connect"), Answer("once", arguments={"command": "touch made"}))
    end = finished(events)
    assert end.is_error and "refused" in end.result and "touch made" in end.result
    assert "nothing is made here" in stage.server.requests[1].messages[-1]["content"]
    assert not (stage.folder / "made").exists()


async def test_where_nobody_can_answer_it_is_not_asked(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy="auto")
    events = await events_of(conversation.send("Connect", Nobody()))
    assert not [event for event in events if isinstance(event, ApprovalAsked)]
    assert finished(events).is_error
    assert the(events, TurnFinished).reason == "done"


async def test_stopped_at_the_question_the_first_result_stays(stage: Stage, script: Path) -> None:
    conversation = stage.conversation([Reply(CONNECT)], policy="auto")
    turn, events = conversation.send("Connect"), []
    async with asyncio.timeout(20):
        async for record in turn:
            events.append(record.event)
            if isinstance(record.event, ApprovalAsked):
                turn.stop()
    assert "refused" in finished(events).result
    assert the(events, TurnFinished).reason == "interrupted"


@pytest.mark.parametrize("policy", ["ask", "edits"])
async def test_a_rule_on_the_command_does_not_lead_outside(stage: Stage, script: Path, policy: str) -> None:
    conversation = stage.conversation([Reply(CONNECT), "Done"], policy=policy)
    await conversation.permissions.remember({"tool": "run_command", "command": "bash connect.sh"})
    events = await events_of(conversation.send("Connect"), Answer("no"))
    assert "outside the sandbox, with" in the(events, ApprovalAsked).reason
    assert finished(events).is_error
