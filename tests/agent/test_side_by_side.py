"""Calls that only read run side by side; all others one after the other, in order."""

from __future__ import annotations

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call
from tui.core.events import ToolFinished, ToolStarted, TurnFinished


async def test_reads_run_side_by_side_and_their_results_go_back_in_order(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("first")
    (stage.folder / "b.txt").write_text("second")
    calls = [tool_call("read_file", {"path": "a.txt"}), tool_call("list_files", {"path": "."})]
    calls += [tool_call("read_file", {"path": "b.txt"})]
    conversation = stage.conversation([Reply(*calls), "Done"])
    events = await events_of(conversation.send("Read them"))
    assert the(events, TurnFinished).reason == "done"
    kinds = [type(event) for event in events if isinstance(event, ToolStarted | ToolFinished)]
    assert kinds[0] is ToolStarted and len(kinds) == 6
    results = [m for m in stage.server.requests[1].body["messages"] if m["role"] == "tool"]
    assert "first" in results[0]["content"] and "second" in results[2]["content"]
    asked = [call["id"] for call in stage.server.requests[1].body["messages"][2]["tool_calls"]]
    assert [result["tool_call_id"] for result in results] == asked


async def test_what_changes_something_waits_for_its_turn(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("old")
    calls = [
        tool_call("read_file", {"path": "a.txt"}),
        tool_call("edit_file", {"path": "a.txt", "old": "old", "new": "new"}),
        tool_call("read_file", {"path": "a.txt"}),
    ]
    conversation = stage.conversation([Reply(*calls), "Done"], policy="edits")
    events = await events_of(conversation.send("Change it"))
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert "old" in results[0] and "new" in results[2]
