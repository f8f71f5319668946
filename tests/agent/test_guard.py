"""A turn that goes round in circles: the model is told, and then the turn ends; work that looks like it goes on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import pytest

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Received, Reply, text, tool_call
from tui.core.events import Event, ToolFinished, TurnFinished
from tui.tools import background

RED, BLUE = "a = 'red'\nb = 1\nc = 2\n", "a = 'blue'\nb = 1\nc = 2\n"


def results(events: list[Event]) -> list[str]:
    return [event.result for event in events if isinstance(event, ToolFinished)]


# Calls that are cut


async def test_calls_that_are_cut_at_the_output_limit_again_and_again_end_the_turn(stage: Stage) -> None:
    cut = Reply(tool_call("write_file", '{"path": "a.txt", "content": "very lo'), finish="length")
    conversation = stage.conversation(lambda request: cut)
    end = the(await events_of(conversation.send("Go")), TurnFinished)
    assert end.reason == "limit" and "were cut 4 times in a row" in end.detail
    assert len(stage.server.requests) == 4


async def test_so_it_is_where_the_server_knows_no_tools(stage: Stage) -> None:
    cut = Reply(text('{"tool": "write_file", "path": "a.txt", "content": "very lo'), finish="length")
    conversation = stage.conversation(lambda request: cut, backend={"strategy": "constrained"})
    end = the(await events_of(conversation.send("Go")), TurnFinished)
    assert end.reason == "limit" and "in a row" in end.detail
    assert len(stage.server.requests) == 4


async def test_a_call_that_is_cut_now_and_then_ends_nothing(stage: Stage) -> None:
    cut = Reply(tool_call("write_file", '{"path": "a.txt", "content": "very lo'), finish="length")
    looks = [Reply(tool_call("list_files", {"path": f"d{number}"})) for number in range(6)]
    conversation = stage.conversation([reply for look in looks for reply in (cut, look)] + ["Done."])
    assert the(await events_of(conversation.send("Go")), TurnFinished).reason == "done"


# Commands in the background


def endless(*first: Reply) -> Callable[[Received], Reply]:
    """A model that says these, and the last of them ever after."""
    replies = chain(first, repeat(first[-1]))
    return lambda request: next(replies)


def start(command: str) -> Reply:
    return Reply(tool_call("start_command", {"command": command}))


READ = Reply(tool_call("read_command", {"id": 1}))


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FIRST_WAIT_S", 0.0)


@pytest.mark.usefixtures("_impatient")
async def test_waiting_for_a_command_that_still_runs_is_no_loop(stage: Stage) -> None:
    conversation = stage.conversation([start("sleep 600"), *[READ] * 12, "It takes its time."], policy="auto")
    events = await events_of(conversation.send("Build it"))
    assert the(events, TurnFinished).reason == "done"
    told = results(events)
    assert not any("Do something else" in result for result in told)
    assert "stop_command" in told[-1] and "stop_command" not in told[8]


@pytest.mark.usefixtures("_impatient")
async def test_who_reads_a_silent_command_without_end_is_stopped(stage: Stage) -> None:
    conversation = stage.conversation(endless(start("sleep 600"), READ), policy="auto")
    end = the(await events_of(conversation.send("Build it")), TurnFinished)
    assert end.reason == "limit" and "said nothing new" in end.detail
    assert len(stage.server.requests) < 110


@pytest.mark.usefixtures("_impatient")
async def test_reading_a_command_that_has_ended_is_a_loop(stage: Stage) -> None:
    conversation = stage.conversation(endless(start("true"), READ), policy="auto")
    assert "the same call" in the(await events_of(conversation.send("Build it")), TurnFinished).detail


# Files that come back


def edit(old: str, new: str) -> Reply:
    return Reply(tool_call("edit_file", {"path": "a.py", "old": old, "new": new}))


def with_more_lines(number: int) -> Reply:
    """The same two edits, each time with another line of the file around them."""
    old, new = (RED, BLUE) if number % 2 == 0 else (BLUE, RED)
    lines = 1 + number // 2 % 3
    return edit("".join(old.splitlines(keepends=True)[:lines]), "".join(new.splitlines(keepends=True)[:lines]))


def by_command(number: int) -> Reply:
    old, new = ("red", "blue") if number % 2 == 0 else ("blue", "red")
    return Reply(tool_call("run_command", {"command": f"sed -i s/{old}/{new}/ a.py; echo {number}"}))


def by_any(number: int) -> Reply:
    content = BLUE if number % 2 == 0 else RED
    written = Reply(tool_call("write_file", {"path": "a.py", "content": content}))
    return (with_more_lines(number), written)[number // 2 % 2]


@pytest.mark.parametrize("way", [with_more_lines, by_command, by_any])
async def test_changes_that_undo_each_other_end_the_turn_whatever_makes_them(stage: Stage, way: Any) -> None:
    (stage.folder / "a.py").write_text(RED)
    numbers = iter(range(20))
    conversation = stage.conversation(lambda request: way(next(numbers)), policy="auto")
    events = await events_of(conversation.send("Go"))
    end = the(events, TurnFinished)
    assert end.reason == "limit" and "undid each other 6 times (a.py)" in end.detail
    assert len(stage.server.requests) == 7
    assert ["what it was before" in result for result in results(events)] == [False] * 2 + [True] * 5


async def test_trying_one_thing_after_another_and_taking_it_back_is_work(stage: Stage) -> None:
    (stage.folder / "a.py").write_text(RED)
    steps = []
    for number in range(8):
        tried = f"a = {number}\n"
        steps += [edit("a = 'red'\n", tried), edit(tried, "a = 'red'\n")]
    conversation = stage.conversation([*steps, "Done."], policy="auto")
    events = await events_of(conversation.send("Break it in eight ways"))
    assert the(events, TurnFinished).reason == "done"
    assert not any("before in this turn" in result for result in results(events))


async def test_building_and_cleaning_between_edits_is_work(stage: Stage) -> None:
    (stage.folder / "a.py").write_text(RED)
    steps = []
    for number in range(8):
        steps.append(Reply(tool_call("write_file", {"path": "a.py", "content": f"{number}"})))
        steps.append(Reply(tool_call("run_command", {"command": "echo built > out"})))
        steps.append(Reply(tool_call("run_command", {"command": "rm out"})))
    conversation = stage.conversation([*steps, "Done."], policy="auto")
    assert the(await events_of(conversation.send("Go")), TurnFinished).reason == "done"


async def test_what_a_file_was_in_an_earlier_turn_does_not_count(stage: Stage) -> None:
    (stage.folder / "a.py").write_text(RED)
    replies = [reply for number in range(10) for reply in (with_more_lines(number), "Done.")]
    conversation = stage.conversation(replies, policy="auto")
    for _ in range(10):
        events = await events_of(conversation.send("The other way round"))
        assert the(events, ToolFinished).detail["changed"] == ["a.py"]
        assert "came_back" not in the(events, ToolFinished).detail
