"""What a turn does, through a conversation with a real HTTP server at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.conftest import Stage, events_of, records_of, the, types_of
from tests.scripted import NO_USAGE, Reply, ScriptedServer, fault, pause, reasoning, tool_call, usage
from tui.agent.calls import Answer
from tui.agent.conversation import Conversation
from tui.agent.wishes import Wishes
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Notice,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolFinished,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tui.core.usage import Price
from tui.settings.schema import BackendConfig, Settings


async def test_chat_streams_the_answer_and_offers_no_tools(stage: Stage) -> None:
    conversation = stage.conversation([Reply(reasoning("hm"), "Hello there")], mode="chat")
    events = await events_of(conversation.send("Hi"))
    assert types_of(events) == [
        "turn_started",
        "step_started",
        "reasoning_delta",
        "text_delta",
        "step_finished",
        "turn_finished",
    ]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello there"
    assert the(events, StepFinished).message.text == "Hello there"
    assert the(events, TurnFinished).reason == "done"
    assert "tools" not in stage.server.requests[0].body


async def test_records_know_their_turn_and_step(stage: Stage) -> None:
    conversation = stage.conversation([Reply(tool_call("list_files", {"path": "."})), "Nothing.", "Again."])
    records = await records_of(conversation.send("Look")) + await records_of(conversation.send("And?"))
    assert {record.session for record in records} == {conversation.session_id}
    places = [(record.turn, record.step) for record in records if isinstance(record.event, StepStarted | TurnStarted)]
    assert places == [(1, None), (1, 1), (1, 2), (2, None), (2, 1)]


async def test_a_tool_runs_and_its_result_goes_back(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("forty-two\n")
    conversation = stage.conversation(
        [Reply("I look.", tool_call("read_file", {"path": "a.txt"}, id="c1")), "It is 42."]
    )
    events = await events_of(conversation.send("What is in a.txt?"))
    assert types_of(events)[-6:] == [
        "tool_started",
        "tool_finished",
        "step_started",
        "text_delta",
        "step_finished",
        "turn_finished",
    ]
    sent = stage.server.requests[1].body["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]
    assert sent[3]["tool_call_id"] == "c1" and "forty-two" in sent[3]["content"]


async def test_the_next_turn_takes_the_whole_conversation_along(stage: Stage) -> None:
    conversation = stage.conversation(["One.", "Two."], mode="chat")
    await events_of(conversation.send("first"))
    await events_of(conversation.send("second"))
    said = [message["content"] for message in stage.server.requests[1].body["messages"][1:]]
    assert said == ["first", "One.", "second"]


async def test_the_mode_can_change_between_turns(stage: Stage) -> None:
    conversation = stage.conversation(["One.", Reply(tool_call("list_files", {"path": "."})), "Two."], mode="chat")
    await events_of(conversation.send("first"))
    conversation.mode = "agent"
    await events_of(conversation.send("second"))
    assert "tools" in stage.server.requests[1].body


async def test_arguments_that_are_not_json_go_back_to_the_model(stage: Stage) -> None:
    conversation = stage.conversation([Reply(tool_call("read_file", '{"path": "a')), "Sorry."])
    events = await events_of(conversation.send("Go"))
    finished = the(events, ToolFinished)
    assert finished.is_error and '{"path": "a' in finished.result
    assert "tool_started" not in types_of(events)
    assert the(events, TurnFinished).reason == "done"


async def test_arguments_that_do_not_fit_go_back_with_what_is_expected(stage: Stage) -> None:
    conversation = stage.conversation([Reply(tool_call("read_file", {"colour": "a"})), "Sorry."])
    finished = the(await events_of(conversation.send("Go")), ToolFinished)
    assert finished.is_error and "`path`" in finished.result and "`colour`" in finished.result


async def test_an_unknown_tool_is_answered_with_those_there_are(stage: Stage) -> None:
    conversation = stage.conversation([Reply(tool_call("launch_missiles", {})), "Sorry."])
    finished = the(await events_of(conversation.send("Go")), ToolFinished)
    assert finished.is_error and "read_file" in finished.result


async def test_a_call_that_was_cut_is_not_run(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a", "content": "b"})
    conversation = stage.conversation([Reply(call, finish="length"), "Sorry."], policy="auto")
    events = await events_of(conversation.send("Go"))
    assert the(events, ToolFinished).is_error
    assert not (stage.folder / "a").exists()
    assert "cut" in the(events, Notice).message


async def test_a_question_waits_for_the_answer(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a.txt", "content": "b\n"})
    conversation = stage.conversation([Reply(call), "Done."])
    events = await events_of(conversation.send("Go"), Answer("once"))
    asked = the(events, ApprovalAsked)
    assert "+b" in asked.preview and asked.rule is not None
    assert the(events, ApprovalGiven).decision == "once"
    assert (stage.folder / "a.txt").read_text() == "b\n"


async def test_a_refusal_reaches_the_model_with_its_reason(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a.txt", "content": "b"})
    conversation = stage.conversation([Reply(call), "I understand."])
    events = await events_of(conversation.send("Go"), Answer("no", "use b.txt"))
    assert "use b.txt" in the(events, ToolFinished).result
    assert "use b.txt" in stage.server.requests[1].body["messages"][-1]["content"]
    assert not (stage.folder / "a.txt").exists()


async def test_an_edited_call_runs_as_edited(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a.txt", "content": "b"})
    conversation = stage.conversation([Reply(call), "Done."])
    await events_of(conversation.send("Go"), Answer("once", arguments={"path": "c.txt", "content": "d"}))
    assert (stage.folder / "c.txt").read_text() == "d"
    assert not (stage.folder / "a.txt").exists()


async def test_an_edited_call_is_checked_too(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a.txt", "content": "b"})
    conversation = stage.conversation([Reply(call), "Done."])
    answer = Answer("once", arguments={"path": ".git/hooks/pre-commit", "content": "d"})
    assert the(await events_of(conversation.send("Go"), answer), ToolFinished).is_error
    assert not (stage.folder / ".git").exists()


async def test_always_is_not_asked_again_not_even_by_the_next_program(stage: Stage) -> None:
    first, second, third = (tool_call("run_command", {"command": "echo hi"}) for _ in range(3))
    conversation = stage.conversation([Reply(first), Reply(second), "Done.", Reply(third), "Done."])
    events = await events_of(conversation.send("Go"), Answer("always"))
    assert types_of(events).count("approval_asked") == 1
    await conversation.close()

    from tui.settings.config import load

    written = load().agent
    assert [rule.command for rule in written.allow] == ["echo hi"]
    again = stage.reopen(mode="agent")
    again.permissions.take_config(written)
    assert "approval_asked" not in types_of(await events_of(again.send("Once more")))


async def test_stopping_keeps_the_text_that_came(stage: Stage) -> None:
    conversation = stage.conversation([Reply("The beginning", pause(), " and the end."), "Go on."], mode="chat")
    turn = conversation.send("Tell me")
    events = []
    async for record in turn:
        events.append(record.event)
        if isinstance(record.event, TextDelta) and record.event.text.endswith("beginning"):
            turn.stop()
    step = the(events, StepFinished)
    assert step.finish_reason == "interrupted" and step.message.text == "The beginning"
    assert the(events, TurnFinished).reason == "interrupted"
    await stage.server.until(lambda: stage.server.requests[0].abandoned)
    await events_of(conversation.send("Go on"))
    assert "The beginning" in str(stage.server.requests[1].body["messages"])


async def test_stopping_a_command_ends_it_and_answers_its_call(stage: Stage) -> None:
    call = tool_call("run_command", {"command": "echo started; sleep 1000"})
    conversation = stage.conversation([Reply(call), "Fine."], policy="auto")
    turn = conversation.send("Go")
    events = []
    async for record in turn:
        events.append(record.event)
        if record.event.type == "tool_output":
            turn.stop()
    assert the(events, ToolFinished).is_error and "started" in the(events, ToolFinished).result
    assert the(events, TurnFinished).reason == "interrupted"
    await events_of(conversation.send("Go on"))  # the scripted server refuses a call without a result


async def test_stopping_while_a_question_waits(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a", "content": "b"})
    conversation = stage.conversation([Reply(call), "Fine."])
    turn = conversation.send("Go")
    async for record in turn:
        if isinstance(record.event, ApprovalAsked):
            turn.stop()
    await events_of(conversation.send("Go on"))
    assert not (stage.folder / "a").exists()


async def test_stopping_at_once_still_starts_and_ends_the_turn(stage: Stage) -> None:
    conversation = stage.conversation([], mode="chat")
    turn = conversation.send("Go")
    await asyncio.sleep(0)
    turn.stop()
    assert types_of(await events_of(turn)) == ["turn_started", "turn_finished"]


async def test_a_refused_request_fails_the_turn_with_what_to_do(stage: Stage) -> None:
    conversation = stage.conversation([fault(401, {"error": {"message": "bad key"}})], mode="chat")
    events = await events_of(conversation.send("Go"))
    failed = the(events, TurnFailed)
    assert failed.error.kind == "auth" and "bad key" in failed.error.message and failed.error.hint


async def test_a_stream_that_breaks_keeps_its_text(stage: Stage) -> None:
    conversation = stage.conversation([Reply("Half an", finish=None, done=False), "Whole."], mode="chat")
    events = await events_of(conversation.send("Go"))
    assert the(events, StepFinished).message.text == "Half an"
    assert the(events, StepFinished).finish_reason == "error"
    assert isinstance(events[-1], TurnFailed)
    await events_of(conversation.send("Again"))
    assert "Half an" in str(stage.server.requests[1].body["messages"])


async def test_the_step_limit_ends_the_turn(stage: Stage) -> None:
    replies = [Reply(tool_call("list_files", {"path": "."})) for _ in range(2)]
    conversation = stage.conversation(replies, max_steps=2)
    last = (await events_of(conversation.send("Go")))[-1]
    assert isinstance(last, TurnFinished) and last.reason == "limit" and "max_steps" in last.detail


async def test_the_budget_ends_the_turn(stage: Stage) -> None:
    reply = Reply(tool_call("list_files", {"path": "."}), usage=usage(1_000_000, 0))
    price = {"price": Price(1.0, 1.0)}
    conversation = stage.conversation([reply], backend=price, budget=0.5)
    events = await events_of(conversation.send("Go"))
    assert the(events, StepFinished).cost == 1.0
    assert the(events, TurnFinished).reason == "limit"


async def test_a_budget_that_cannot_be_kept_is_said(stage: Stage) -> None:
    conversation = stage.conversation([Reply("Hi", usage=NO_USAGE)], mode="chat", budget=0.5)
    events = await events_of(conversation.send("Go"))
    assert the(events, StepFinished).cost is None
    assert "price" in the(events, Notice).message


async def test_time_ends_the_turn(stage: Stage) -> None:
    conversation = stage.conversation([Reply("Wait", pause(), "."), "x"][:1], mode="chat", timeout_s=0.2)
    last = (await events_of(conversation.send("Go")))[-1]
    assert isinstance(last, TurnFinished) and last.reason == "limit" and "timeout" in last.detail


async def test_time_in_which_the_user_thinks_does_not_count(stage: Stage) -> None:
    call = Reply(tool_call("write_file", {"path": "new", "content": "b"}))
    conversation = stage.conversation([call, "Done.", Reply(tool_call("list_files", {"path": "."})), Reply(pause())])
    conversation.timeout_s = 1
    turn = conversation.send("Go")
    events = []
    async for record in turn:
        events.append(record.event)
        if isinstance(record.event, ApprovalAsked):
            await asyncio.sleep(1.5)
            turn.answer(record.event.id, Answer("once"))
    assert the(events, TurnFinished).reason == "done" and (stage.folder / "new").exists()
    last = the(await events_of(conversation.send("Go")), TurnFinished)
    assert (last.reason, last.detail) == ("limit", "1 s are over (timeout); calls: list_files 1x")


async def test_a_check_that_says_the_same_after_each_of_many_edits_is_work(stage: Stage) -> None:
    edits = [tool_call("write_file", {"path": f"a{number}", "content": "b"}) for number in range(8)]
    steps = [Reply(call) for edit in edits for call in (edit, tool_call("list_files", {"path": "nested"}))]
    (stage.folder / "nested").mkdir()
    conversation = stage.conversation([*steps, "Done."], policy="edits")
    events = await events_of(conversation.send("Go"))
    assert the(events, TurnFinished).reason == "done"
    assert not any("times with" in event.result for event in events if isinstance(event, ToolFinished))


async def test_files_written_to_and_fro_are_no_work(stage: Stage) -> None:
    writes = [Reply(tool_call("write_file", {"path": "a", "content": "xy"[number % 2]})) for number in range(8)]
    conversation = stage.conversation(writes, policy="edits")
    last = the(await events_of(conversation.send("Go")), TurnFinished)
    assert last.reason == "limit" and "undid each other 6 times" in last.detail


async def test_a_model_that_repeats_itself_is_told_and_then_stopped(stage: Stage) -> None:
    conversation = stage.conversation([Reply(tool_call("list_files", {"path": "."})) for _ in range(6)])
    events = await events_of(conversation.send("Go"))
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert ["3 times" in result for result in results[:3]] == [False, False, True]
    assert len(results) == 6
    assert the(events, TurnFinished).reason == "limit"


async def test_a_session_that_could_not_be_saved_is_once_that_works(stage: Stage, home: Path) -> None:
    database = home / ".local/share/mimo-tui/sessions.db"
    database.mkdir(parents=True)
    write = Reply(tool_call("write_file", {"path": "new", "content": "b"}))
    conversation = stage.conversation(["One.", write, "Two.", "Three."], policy="edits")
    events = await events_of(conversation.send("First"))
    assert "not being saved, so what it changes in files cannot be taken back" in the(events, Notice).message
    assert conversation.session_id.startswith("unsaved-") and conversation.keeper is None
    database.rmdir()
    events = await events_of(conversation.send("Second"))
    assert "is being saved now" in the(events, Notice).message and conversation.keeper is not None
    assert conversation.keeper.undoing.undo().changes and not (stage.folder / "new").exists()
    session = conversation.session_id
    await conversation.close()
    await events_of(stage.reopen(session=session).send("Third"))
    said = [str(message["content"]).split("\n\n[")[0] for message in stage.server.requests[-1].messages]
    expected = ["First", "One.", "Second", "Two.", "Third"]
    assert [words for words in said if words in expected] == expected


async def test_an_empty_answer_is_said(stage: Stage) -> None:
    conversation = stage.conversation([Reply()], mode="chat")
    assert "nothing" in the(await events_of(conversation.send("Go")), Notice).message


async def test_an_edited_call_is_said_to_the_model(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a.txt", "content": "b"})
    conversation = stage.conversation([Reply(call), "Done."])
    await events_of(conversation.send("Go"), Answer("once", arguments={"path": "c.txt", "content": "d"}))
    result = stage.server.requests[1].body["messages"][-1]["content"]
    assert "user changed" in result and "c.txt" in result


async def test_of_a_long_text_that_the_user_changed_only_the_beginning_is_said(stage: Stage) -> None:
    call = tool_call("write_file", {"path": "a.txt", "content": "b"})
    conversation = stage.conversation([Reply(call), "Done."])
    await events_of(conversation.send("Go"), Answer("once", arguments={"path": "a.txt", "content": "long " * 20_000}))
    result = stage.server.requests[1].body["messages"][-1]["content"]
    assert "(100,000 characters)" in result and len(result) < 2000
    assert (stage.folder / "a.txt").read_text() == "long " * 20_000


async def test_equal_calls_in_one_reply_count_once(stage: Stage) -> None:
    """The model knew of no result when it made them."""
    (stage.folder / "a").write_text("text")
    six = [tool_call("read_file", {"path": "a"}) for _ in range(6)]
    conversation = stage.conversation([Reply(*six), Reply(*six), "Done."])
    events = await events_of(conversation.send("Go"))
    assert the(events, TurnFinished).reason == "done"
    assert not any("times with" in event.result for event in events if isinstance(event, ToolFinished))


async def test_a_rule_that_cannot_be_kept_holds_for_this_session(stage: Stage, home: Path) -> None:
    config = home / ".config"
    config.mkdir()
    (config / "mimo-tui").write_text("a file where the folder should be")
    calls = [Reply(tool_call("run_command", {"command": "echo hi"})) for _ in range(2)]
    conversation = stage.conversation([*calls, "Done."])
    events = await events_of(conversation.send("Go"), Answer("always"))
    assert types_of(events).count("approval_asked") == 1
    assert [event for event in events if isinstance(event, Notice) and "this session only" in event.message]


async def test_a_stop_before_anything_ran_ends_the_turn_too(stage: Stage) -> None:
    conversation = stage.conversation([], mode="chat")
    turn = conversation.send("Go")
    turn.stop()
    assert types_of(await events_of(turn)) == ["turn_started", "turn_finished"]


@pytest.mark.parametrize(("says", "is_asked_for"), [(False, "response_format"), (True, "tools")])
async def test_a_server_that_says_it_cannot_call_tools_gets_a_schema(
    home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer], says: bool, is_asked_for: str
) -> None:
    server = scripted(['{"tool": "answer", "text": "Hi"}'], props={"chat_template_caps": {"supports_tool_calls": says}})
    backend = BackendConfig(preset="llama-cpp", base_url=server.base_url)
    settings = Settings(backends={"lab": backend})
    conversation = Conversation(settings, tmp_path, Wishes(mode="agent", backend="lab"))
    await events_of(conversation.send("Hello"))
    await conversation.close()
    assert is_asked_for in server.requests[0].body


async def test_without_a_sandbox_commands_are_asked_for_and_why_is_said(
    stage: Stage,
) -> None:
    (stage.folder / ".git").symlink_to(stage.folder.parent)  # a folder that the sandbox refuses
    call = tool_call("run_command", {"command": "echo ran"})
    conversation = stage.conversation([Reply(call), "Done."], policy="auto")
    events = await events_of(conversation.send("Go"), Answer("once"))
    assert "no sandbox" in the(events, Notice).message
    assert "no sandbox" in the(events, ApprovalAsked).reason
    assert "ran" in the(events, ToolFinished).result


async def test_a_path_that_leads_elsewhere_after_the_question_is_not_written(stage: Stage) -> None:
    outside = stage.folder.parent / "outside"
    outside.mkdir()
    (stage.folder / "a").mkdir()
    conversation = stage.conversation([Reply(tool_call("write_file", {"path": "a/x.txt", "content": "b"})), "Done."])
    turn = conversation.send("Go")
    events = []
    async for record in turn:
        events.append(record.event)
        if isinstance(record.event, ApprovalAsked):
            (stage.folder / "a").rmdir()
            (stage.folder / "a").symlink_to(outside)
            turn.answer(record.event.id, Answer("once"))
    assert the(events, ToolFinished).is_error and not (outside / "x.txt").exists()
