"""Plan mode: the model only looks, presents a plan, and works on it once the user has accepted it."""

from __future__ import annotations

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call
from tui.agent.calls import Answer
from tui.core.events import ApprovalAsked, ToolFinished

WRITE = Reply(tool_call("write_file", {"path": "a", "content": "new"}))
PLAN = Reply(tool_call("present_plan", {"steps": ["look", "write a"], "summary": "a is written"}))


async def test_an_accepted_plan_becomes_the_todo_and_is_worked_on_under_the_policy_of_before(stage: Stage) -> None:
    conversation = stage.conversation([PLAN, WRITE, "Done."], policy="edits")
    conversation.permissions.plan()
    events = await events_of(conversation.send("do it"), Answer("once"))
    assert the(events, ApprovalAsked).preview == "a is written\n\n[ ] look\n[ ] write a"
    assert conversation.permissions.policy == "edits" and (stage.folder / "a").read_text() == "new"
    assert [task.text for task in conversation.desk.plan] == ["look", "write a"]
    assert "present_plan" in stage.server.requests[0].messages[-1]["content"], "the model is told how it works"


async def test_before_that_nothing_is_changed(stage: Stage) -> None:
    conversation = stage.conversation([WRITE, PLAN, "Well then."], policy="auto")
    conversation.permissions.plan()
    events = await events_of(conversation.send("do it"), Answer("no", "too big"))
    denied, refused = [event for event in events if isinstance(event, ToolFinished)]
    assert "policy is `plan`" in denied.result and "does not accept this plan: too big" in refused.result
    assert conversation.permissions.policy == "plan" and not (stage.folder / "a").exists()


async def test_the_plan_is_as_the_user_changed_it(stage: Stage) -> None:
    conversation = stage.conversation([PLAN, "Done."])
    conversation.permissions.plan()
    edited = Answer("once", arguments={"steps": ["only this", " "]})
    events = await events_of(conversation.send("do it"), edited)
    assert "1. only this" in the(events, ToolFinished).result
    assert [task.text for task in conversation.desk.plan] == ["only this"]


async def test_without_the_policy_a_plan_waits_for_nobody(stage: Stage) -> None:
    events = await events_of(stage.conversation([PLAN, "Done."], policy="ask").send("do it"))
    assert "Nobody waits" in the(events, ToolFinished).result
    assert not any(isinstance(event, ApprovalAsked) for event in events)


async def test_an_accepted_plan_is_there_when_the_session_is_taken_up_again(stage: Stage) -> None:
    conversation = stage.conversation([PLAN, "Done."])
    conversation.permissions.plan()
    await events_of(conversation.send("do it"), Answer("once"))
    session = conversation.session_id
    await conversation.close()
    assert [task.text for task in stage.reopen(session=session).desk.plan] == ["look", "write a"]


async def test_where_nobody_is_there_the_model_is_told_to_give_the_plan_as_its_answer(stage: Stage) -> None:
    conversation = stage.conversation([PLAN, "1. look 2. write a"], policy="plan")
    conversation.is_attended = False
    events = await events_of(conversation.send("do it"))
    assert "Nobody is here to accept the plan" in the(events, ToolFinished).result
    assert not any(isinstance(event, ApprovalAsked) for event in events)
    assert conversation.permissions.policy == "plan"


async def test_a_model_with_a_small_window_is_told_of_no_tool_that_it_has_not(stage: Stage) -> None:
    conversation = stage.conversation(["Well."], backend={"context_window": 4096}, policy="plan")
    await events_of(conversation.send("do it"))
    assert "present_plan" not in str(stage.server.requests[0].body)
