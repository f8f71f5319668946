"""What a turn changes can be taken back: by tools and by commands, also after the program was ended."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call
from tests.sessions.checkpoints.conftest import fill, picture
from tui.agent.calls import Answer
from tui.agent.keeper import Keeper
from tui.core.events import ApprovalAsked, Notice, StepFinished, ToolFinished
from tui.sessions.checkpoints import scan, states

WRITE = tool_call("write_file", {"path": "new/file.txt", "content": "hello\n"})


def command(script: str) -> object:
    return tool_call("run_command", {"command": script})


def keeper_of(conversation: object) -> Keeper:
    keeper = conversation.keeper
    assert keeper is not None
    return keeper


async def test_a_turn_with_edits_and_commands_is_taken_back_whole(stage: Stage) -> None:
    fill(stage.folder)
    before = picture(stage.folder)
    script = "rm -r src/deep; echo x >> run.sh; chmod 600 run.sh; ln -sfn empty link; mkdir -p a/b/c; touch a/b/c/d"
    conversation = stage.conversation([Reply(WRITE), Reply(command(script)), "Done."], policy="auto")
    events = await events_of(conversation.send("work"), Answer("once"))
    wrote, ran = [event for event in events if isinstance(event, ToolFinished)]
    assert wrote.detail["changed"] == ["new/file.txt"]
    assert ran.detail["changed"] == ["a/b/c/d", "link", "run.sh", "src/deep/b.py"]
    after = picture(stage.folder)
    undoing = keeper_of(conversation).undoing
    assert undoing.undo().left == ()
    assert picture(stage.folder) == before
    undoing.redo()
    assert picture(stage.folder) == after


async def test_it_is_taken_back_after_a_restart_and_the_model_is_told_once(stage: Stage) -> None:
    before = picture(stage.folder)
    conversation = stage.conversation([Reply(WRITE), "Done.", "I see.", "Yes."], policy="edits")
    await events_of(conversation.send("write"))
    await conversation.close()
    conversation = stage.reopen("agent", continue_last=True, policy="edits")
    keeper_of(conversation).undoing.undo()
    assert picture(stage.folder) == before
    await conversation.close()
    conversation = stage.reopen("agent", continue_last=True, policy="edits")
    await events_of(conversation.send("and now?"))
    await events_of(conversation.send("really?"))
    first, second = (request.body["messages"] for request in stage.server.requests[-2:])
    assert "took back the changes of turn 1: new, new/file.txt" in str(first[-1])
    assert "took back" not in str(second[-1])
    assert second[: len(first)] == first


async def test_what_a_stopped_command_did_is_taken_back(stage: Stage) -> None:
    script = "echo one > made; echo ready; sleep 60"
    conversation = stage.conversation([Reply(command(script))], policy="auto")
    turn = conversation.send("go")
    finished = None
    async for record in turn:
        if record.event.type == "tool_output":
            turn.stop()
        finished = record.event if isinstance(record.event, ToolFinished) else finished
    assert finished is not None and finished.detail["changed"] == ["made"]
    keeper_of(conversation).undoing.undo()
    assert not (stage.folder / "made").exists()


async def test_a_stop_that_is_asked_for_again_and_again_loses_nothing(stage: Stage) -> None:
    """What ends the command, looks for planted repositories and takes in what it did is not cut off."""
    script = "trap '' TERM; echo one > made; git init -q lib; echo ready; for i in $(seq 600); do sleep 0.1; done"
    conversation = stage.conversation([Reply(command(script))], policy="auto")
    turn = conversation.send("go")
    finished = None
    async for record in turn:
        if record.event.type == "tool_output":
            for _ in range(50):
                turn.stop()
                await asyncio.sleep(0.002)
        finished = record.event if isinstance(record.event, ToolFinished) else finished
    assert finished is not None and "made" in finished.detail["changed"]
    keeper_of(conversation).undoing.undo()
    assert not (stage.folder / "made").exists()


async def test_what_an_edit_did_that_was_stopped_under_way_is_taken_back(stage: Stage) -> None:
    """Whether the stop comes before the file is written, while it is, or after."""
    before = picture(stage.folder)
    for passes in (*range(0, 40, 4), None):
        conversation = stage.conversation([Reply(WRITE)], policy="edits")
        turn = conversation.send("write")
        async for record in turn:
            if isinstance(record.event, StepFinished):
                for _ in itertools.count() if passes is None else range(passes):  # of the event loop
                    if (stage.folder / "new/file.txt").exists():
                        break
                    await asyncio.sleep(0)
                turn.stop()
        await conversation.close()
        assert passes is not None or picture(stage.folder) != before
        conversation = stage.reopen("agent", continue_last=True)
        if picture(stage.folder) != before:
            keeper_of(conversation).undoing.undo()
        assert picture(stage.folder) == before
        await conversation.close()


async def test_that_the_last_turn_changed_nothing_here_is_told(stage: Stage, tmp_path: Path) -> None:
    outside = tool_call("write_file", {"path": "../elsewhere.txt", "content": "x"})
    conversation = stage.conversation([Reply(WRITE), "Done.", Reply(outside), "Done."], policy="edits")
    await events_of(conversation.send("write"))
    asked = the(await events_of(conversation.send("and there"), Answer("once")), ApprovalAsked)
    assert "outside the folder, where nothing can be taken back" in asked.reason
    result = keeper_of(conversation).put_back(lambda undoing: undoing.undo())
    assert result.turns == (1,) and result.remarks == ("the turns since have changed nothing that is kept here",)
    assert (tmp_path / "elsewhere.txt").exists()


async def test_chat_keeps_nothing(stage: Stage) -> None:
    conversation = stage.conversation(["Hi"], mode="chat")
    await events_of(conversation.send("hello"))
    assert keeper_of(conversation).undoing.session_changes() == []


async def test_a_folder_that_is_too_large_is_told_and_edits_are_kept_all_the_same(stage: Stage, monkeypatch) -> None:
    monkeypatch.setattr(scan, "ENTRIES_LIMIT", 3)
    for number in range(5):
        (stage.folder / f"{number}.txt").touch()
    replies = [Reply(command("touch made")), Reply(command("touch more")), Reply(WRITE), "Done."]
    conversation = stage.conversation(replies, policy="auto")
    events = await events_of(conversation.send("go"))
    told = [event.message for event in events if isinstance(event, Notice) and "taken back" in event.message]
    assert len(told) == 1 and "more than 3 files" in told[0]
    keeper_of(conversation).undoing.undo()
    assert not (stage.folder / "new").exists()
    assert (stage.folder / "made").exists()


async def test_commands_are_asked_for_once_one_has_made_too_much_of_the_folder(stage: Stage) -> None:
    (stage.folder / "mine").write_text("old")
    replies = [Reply(command(f"rm mine; mkdir -p '{'d/' * 70}'")), Reply(command("touch more")), "Done."]
    conversation = stage.conversation(replies, policy="auto")
    events = await events_of(conversation.send("go"), Answer("no"))
    assert "cannot be taken back" in the(events, ApprovalAsked).reason
    assert not (stage.folder / "more").exists()
    keeper_of(conversation).undoing.undo()
    assert (stage.folder / "mine").read_text() == "old"


async def test_a_file_that_is_too_large_is_named_when_it_is_changed(stage: Stage, monkeypatch) -> None:
    monkeypatch.setattr(states, "FILE_LIMIT_BYTES", 1000)
    monkeypatch.setattr(scan, "FILE_LIMIT_BYTES", 1000)
    (stage.folder / "big").write_bytes(b"x" * 2000)
    (stage.folder / "small").write_bytes(b"x")
    conversation = stage.conversation([Reply(command("echo >> big; echo >> small")), "Done."], policy="auto")
    events = await events_of(conversation.send("go"))
    assert "big was changed and cannot be taken back" in the(events, Notice).message
    result = keeper_of(conversation).undoing.undo()
    assert list(result.failed) == ["big"]
    assert (stage.folder / "small").read_bytes() == b"x"


async def test_a_path_that_is_too_long_is_an_error_for_the_model_and_no_alarm(stage: Stage) -> None:
    write = tool_call("write_file", {"path": f"new/{'x' * 300}", "content": "hello\n"})
    conversation = stage.conversation([Reply(write), "Sorry."], policy="edits")
    events = await events_of(conversation.send("write"))
    assert "too long" in the(events, ToolFinished).result
    assert not [event for event in events if isinstance(event, Notice)]
    assert not (stage.folder / "new").exists()


async def test_what_goes_on_in_the_background_is_the_turns_doing(stage: Stage) -> None:
    for name in ("go", "done"):
        os.mkfifo(stage.folder / name)
    start = tool_call("start_command", {"command": "cat go; echo x > late; echo > done; sleep 600"})
    conversation = stage.conversation([Reply(start), "Started."], policy="auto")
    await events_of(conversation.send("go"), Answer("once"))
    await asyncio.to_thread((stage.folder / "go").write_text, "now")
    await asyncio.to_thread((stage.folder / "done").read_text)
    await conversation.close()
    conversation = stage.reopen("agent", continue_last=True)
    keeper_of(conversation).undoing.undo()
    assert not (stage.folder / "late").exists()


async def test_a_disk_that_cannot_keep_is_told_and_the_tool_runs(stage: Stage, home: Path) -> None:
    conversation = stage.conversation([Reply(WRITE), "Done."], policy="edits")
    blobs = home / ".local/share/mimo-tui/blobs"
    blobs.parent.mkdir(parents=True)
    blobs.write_text("in the way")
    events = await events_of(conversation.send("write"))
    assert "cannot be taken back" in the(events, Notice).message
    assert (stage.folder / "new/file.txt").exists()
