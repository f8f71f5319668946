"""What the tools of a conversation share, through whole turns: kept outputs, the plan, what happened meanwhile."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

from tests.agent.conftest import Stage, events_of, records_of
from tests.pictures import picture_bytes
from tests.scripted import Received, Reply, tool_call
from tui.agent.calls import Answer
from tui.cli import main
from tui.core.events import ApprovalAsked, Event, Notice, ToolFinished
from tui.tools.kept_outputs import outputs_dir


def results(events: list[Event]) -> list[ToolFinished]:
    return [event for event in events if isinstance(event, ToolFinished)]


async def test_long_output_is_kept_and_the_model_reads_the_middle_of_it_unasked(stage: Stage) -> None:
    def model(request: Received) -> Any:
        said = [m["content"] for m in request.body["messages"] if m["role"] == "tool"]
        if not said:
            return Reply(tool_call("run_command", {"command": "seq 1 30000"}))
        if len(said) == 1:
            (path,) = re.findall(r"All of it is in (\S+),", said[0])
            return Reply(tool_call("read_file", {"path": path, "start": 15000, "lines": 2}))
        return "Done"

    conversation = stage.conversation(model, policy="auto", sandbox="off")
    events = await events_of(conversation.send("Count"))
    command, read = results(events)
    assert not [event for event in events if isinstance(event, ApprovalAsked)]
    assert "the middle is left out" in command.result and len(command.result) < 20_000
    assert read.result.startswith("15000\t15000\n15001\t15001\n")
    (kept,) = (outputs_dir() / conversation.session_id).iterdir()
    await conversation.close()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert main(["sessions", "delete", conversation.session_id, "--yes"]) == 0
    assert not kept.parent.exists()


async def test_what_is_in_the_middle_of_a_kept_line_is_found_and_read_unasked(stage: Stage) -> None:
    def model(request: Received) -> Any:
        said = [m["content"] for m in request.body["messages"] if m["role"] == "tool"]
        if not said:
            line = "head -c 30000 /dev/zero | tr '\\0' x; printf NEEDLE; head -c 30000 /dev/zero | tr '\\0' y"
            return Reply(tool_call("run_command", {"command": line}))
        (path,) = re.findall(r"All of it is in (\S+),", said[0])
        if len(said) == 1:
            return Reply(tool_call("search_files", {"pattern": "NEED", "path": path}))
        if len(said) == 2:
            (column,) = re.findall(r"\[column (\d+)\]", said[1])
            return Reply(tool_call("read_file", {"path": path, "column": int(column)}))
        return "Done"

    conversation = stage.conversation(model, policy="ask", sandbox="off")
    events = await events_of(conversation.send("Look"), Answer("once"))
    command, found, read = results(events)
    assert "NEEDLE" not in command.result
    assert "xxxNEEDLEyyy" in found.result and "xxxNEEDLEyyy" in read.result
    assert len([event for event in events if isinstance(event, ApprovalAsked)]) == 1  # about the command
    await conversation.close()


async def test_the_plan_comes_back_with_the_session(stage: Stage) -> None:
    items = [{"text": "find", "state": "done"}, {"text": "mend", "state": "active"}]
    conversation = stage.conversation([Reply(tool_call("todo", {"items": items})), "Planned"])
    await events_of(conversation.send("Plan"))
    await conversation.close()
    again = stage.reopen(session=conversation.session_id)
    assert again.desk.todo_text() == "[x] find\n[>] mend"


async def test_what_ends_by_itself_is_told_to_the_user_and_to_the_model_with_what_comes_next(stage: Stage) -> None:
    os.mkfifo(stage.folder / "fifo")
    start = tool_call("start_command", {"command": "echo ready; cat fifo; exit 4"})
    listing = tool_call("list_files", {"path": "."})
    conversation = stage.conversation([Reply(start), "Started", Reply(listing), "Seen"], policy="auto", sandbox="off")
    await events_of(conversation.send("Start it"))
    await asyncio.to_thread((stage.folder / "fifo").write_text, "")
    async with asyncio.timeout(20):
        await conversation.desk.commands.get(1).news(20)
        conversation.desk.commands.get(1).has_told_its_end = False
    events = await events_of(conversation.send("And now?"))
    asked = [m["content"] for m in stage.server.requests[-1].body["messages"] if m["role"] == "user"]
    assert "Background command 1 has ended: exit code 4" in asked[-1] and asked[-1].startswith("And now?")
    assert [e for e in events if isinstance(e, Notice) and "has ended: exit code 4" in e.message]


async def test_what_ended_with_the_program_is_told_once_when_the_session_is_taken_up(stage: Stage) -> None:
    start = tool_call("start_command", {"command": "sleep 300"})
    conversation = stage.conversation([Reply(start), "Started", "Yes", "Sure"], policy="auto", sandbox="off")
    await events_of(conversation.send("Start it"))
    asked = []
    for words in ("And now?", "Really?"):
        await conversation.close()
        conversation = stage.reopen(session=conversation.session_id)
        await events_of(conversation.send(words))
        asked += [[m["content"] for m in stage.server.requests[-1].body["messages"] if m["role"] == "user"][-1]]
    assert "The background commands of before have ended with the program." in asked[0]
    assert "have ended with the program" not in asked[1]


async def test_input_for_a_command_is_asked_for_each_time(stage: Stage) -> None:
    start = tool_call("start_command", {"command": "cat"})
    write = tool_call("write_command", {"id": 1, "text": "hello\n"})
    conversation = stage.conversation([Reply(start), Reply(write), Reply(write), "Done"], sandbox="off")
    events = [record.event for record in await records_of(conversation.send("Talk"), Answer("always"))]
    questions = [event for event in events if isinstance(event, ApprovalAsked)]
    assert [question.call.name for question in questions] == ["start_command", "write_command", "write_command"]
    assert [question.rule is None for question in questions] == [False, True, True]
    assert "hello" in results(events)[2].result


async def test_an_image_that_was_read_goes_to_the_model(stage: Stage) -> None:
    (stage.folder / "a.png").write_bytes(picture_bytes())
    conversation = stage.conversation([Reply(tool_call("read_file", {"path": "a.png"})), "Teal"])
    await events_of(conversation.send("What is it?"))
    assert "data:image/png;base64," in str(stage.server.requests[1].body)


async def test_what_a_user_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    path: Path = stage.folder / "a.txt"
    path.write_text("old")
    read = tool_call("read_file", {"path": "a.txt"})
    write = tool_call("write_file", {"path": "a.txt", "content": "mine"})
    conversation = stage.conversation([Reply(read), "Read", Reply(write), "Done"], policy="edits")
    await events_of(conversation.send("Read"))
    path.write_text("the user's")
    (refused,) = results(await events_of(conversation.send("Write")))
    assert refused.is_error and "Read it again first" in refused.result and path.read_text() == "the user's"
