"""Tools of servers in the agent's loop, with real servers."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.agent.conftest import events_of, the
from tests.mcp.conftest import McpStage, helpful, hostile, processes_of, reference
from tests.scripted import Reply, tool_call
from tui.agent.calls import Answer
from tui.core.events import ApprovalAsked, Event, MessageAdded, Notice, ToolFinished
from tui.settings.schema import McpConfig
from tui.tools.mcp.names import tool_name

pytestmark = pytest.mark.slow

_NOW = "mcp__time__get_current_time"


def _results(events: list[Event]) -> list[ToolFinished]:
    return [event for event in events if isinstance(event, ToolFinished)]


async def test_a_reference_server_is_used_killed_and_used_again(stage: McpStage) -> None:
    call = Reply(tool_call(_NOW, {"timezone": "Asia/Tokyo"}))
    conversation = stage.with_servers([call, "One.", call, call, "Two."], {"time": reference()})
    first = await events_of(conversation.send("What time is it in Tokyo?"), Answer("yes"))
    assert "Asia/Tokyo" in the(first, ToolFinished).result

    (process,) = processes_of("mcp_server_time")
    process.kill()
    second = await events_of(conversation.send("And now?"), Answer("yes"))
    lost, found = _results(second)
    assert (lost.is_error and "started again" in lost.result) or "Asia/Tokyo" in lost.result
    assert "Asia/Tokyo" in found.result and not found.is_error
    assert any("has ended" in event.message for event in second if isinstance(event, Notice))

    before, after = stage.server.requests[0].body["tools"], stage.server.requests[-1].body["tools"]
    assert before == after
    assert [tool["function"]["name"] for tool in after][-2:] == ["mcp__time__convert_time", _NOW]


async def test_its_tools_are_asked_about_in_every_policy_and_denied_in_plan(stage: McpStage) -> None:
    call = [Reply(tool_call(_NOW, {"timezone": "UTC"})), "Done."]
    conversation = stage.with_servers(4 * call, {"time": reference()})
    for policy in ("ask", "edits", "auto"):
        conversation.permissions.policy = policy
        events = await events_of(conversation.send("Time?"), Answer("no"))
        assert the(events, ApprovalAsked).call.name == _NOW
        assert "Not allowed" in the(events, ToolFinished).result
    conversation.permissions.policy = "plan"
    assert "plan" in the(await events_of(conversation.send("Time?")), ToolFinished).result


async def test_always_lets_the_tool_run_unasked_from_then_on(stage: McpStage) -> None:
    call = Reply(tool_call(_NOW, {"timezone": "UTC"}))
    conversation = stage.with_servers([call, call, "Done."], {"time": reference()})
    events = await events_of(conversation.send("Time?"), Answer("always"))
    assert len(_results(events)) == 2 and not any(result.is_error for result in _results(events))
    assert the(events, ApprovalAsked).rule["tool"] == _NOW


async def test_arguments_are_checked_before_they_are_sent(stage: McpStage) -> None:
    replies = [Reply(tool_call("mcp__help__add", {"a": "two"})), "Done."]
    conversation = stage.with_servers(replies, {"help": helpful()})
    result = the(await events_of(conversation.send("Add")), ToolFinished)
    assert result.is_error and "missing `b`" in result.result


async def test_a_server_that_never_answers_does_not_hold_the_turn(stage: McpStage) -> None:
    servers = {"slow": hostile("silent", timeout=0.2), "time": reference()}
    conversation = stage.with_servers(["Hello."], servers)
    events = await events_of(conversation.send("Hi"))
    assert any("slow is still being started" in event.message for event in events if isinstance(event, Notice))
    names = [tool["function"]["name"] for tool in stage.server.requests[0].body["tools"]]
    assert _NOW in names and not any("slow" in name for name in names)


async def test_nothing_is_started_in_chat_mode_and_all_is_ended_with_the_conversation(stage: McpStage) -> None:
    conversation = stage.with_servers(["Hello.", "Hello."], {"time": reference()}, mode="chat")
    await events_of(conversation.send("Hi"))
    assert not processes_of("mcp_server_time")
    conversation.mode = "agent"
    await events_of(conversation.send("Hi"))
    (process,) = processes_of("mcp_server_time")
    await conversation.close()
    assert not psutil.pid_exists(process.pid)


async def test_a_resource_that_is_mentioned_is_added_as_words_of_the_program(stage: McpStage) -> None:
    conversation = stage.with_servers(["Milk."], {"help": helpful()}, mode="chat")
    events = await events_of(conversation.send("What is in @help:notes://today and in @other:thing ?"))
    added = the(events, MessageAdded).message
    assert "Milk and bread." in added.text and added.words == ""
    assert "Milk and bread." in str(stage.server.requests[0].body["messages"])


async def test_a_resource_that_is_not_there_is_told(stage: McpStage) -> None:
    conversation = stage.with_servers(["Hm."], {"help": helpful()}, mode="chat")
    events = await events_of(conversation.send("What is in @help:notes://never ?"))
    assert "@help:notes://never is not added" in the(events, Notice).message


async def test_long_results_are_kept_on_the_disk(stage: McpStage) -> None:
    long = tool_name("help", "files/read.all")
    conversation = stage.with_servers([Reply(tool_call(long, {"count": 300_000})), "Done."], {"help": helpful()})
    result = the(await events_of(conversation.send("Read"), Answer("yes")), ToolFinished).result
    assert len(result) < 110_000 and "read_file shows parts" in result


async def test_without_the_package_the_turn_goes_on_and_says_what_to_install(
    stage: McpStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.tools.mcp.library.find_spec", lambda name: None)
    conversation = stage.with_servers(["Hello."], {"time": reference()})
    notice = the(await events_of(conversation.send("Hi")), Notice)
    assert "pip install 'mimo-terminal[mcp]'" in notice.message


async def test_a_program_that_is_not_there_is_said_by_name(stage: McpStage) -> None:
    conversation = stage.with_servers(["Hello."], {"gone": McpConfig(command=("no-such-server",))})
    notice = the(await events_of(conversation.send("Hi")), Notice)
    assert "there is no program no-such-server" in notice.message


def test_the_package_is_not_loaded_for_those_who_have_no_servers(home: Path) -> None:
    import subprocess

    modules = "import sys, tui.agent.conversation, tui.cli, tui.app"
    code = f"{modules}; print('mcp' in sys.modules, 'tui.tools.mcp' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "False"]
