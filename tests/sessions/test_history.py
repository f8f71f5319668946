"""What the model is told of a session that goes on."""

from __future__ import annotations

from collections.abc import Iterable

from tests.sessions.making import ORIGIN, Stream
from tui.core.events import Record, ToolFinished, TurnFinished
from tui.core.messages import Message, Reasoning, Text, ToolCall, ToolResult, user
from tui.sessions.history import history_of, request_of


def messages(records: Iterable[Record]) -> tuple[Message, ...]:
    return history_of(records).messages


CALLS = (ToolCall("c1", "read_file", {"path": "a"}), ToolCall("c2", "read_file", {"path": "b"}))


def test_a_turn_with_tools_becomes_its_messages() -> None:
    assert messages(Stream("s").work()) == (
        user("Read a.txt"),
        Message(
            "assistant",
            (Reasoning("I should look."), Text("Let me see."), ToolCall("c1", "read_file", {"path": "a.txt"})),
            ORIGIN,
        ),
        Message("tool", (ToolResult("c1", "one\n"),)),
        Message("assistant", (Text("It says one."),), ORIGIN),
    )


def test_every_call_has_a_result_though_the_program_was_killed() -> None:
    stream = Stream("s")
    records = [
        stream.ask(),
        stream.begin(),
        stream.finish(*CALLS, reason="tool_calls"),
        stream.record(ToolFinished("c2", True, "no such file", 0.1, {})),
        stream.record(TurnFinished("interrupted")),
        *stream.answer("Go on", "Yes"),
    ]
    assert messages(records)[2:] == (
        Message(
            "tool",
            (
                ToolResult("c1", "Interrupted: the call has no result.", is_error=True),
                ToolResult("c2", "no such file", is_error=True),
            ),
        ),
        user("Go on"),
        Message("assistant", (Text("Yes"),), ORIGIN),
    )


def test_the_same_call_id_in_a_later_step_gets_its_own_result() -> None:
    stream = Stream("s")
    first, second = stream.work(), stream.work()
    second[9] = stream.record(ToolFinished("c1", False, "two\n", 0.1, {}))
    results = [message.blocks for message in messages([*first, *second]) if message.role == "tool"]
    assert results == [(ToolResult("c1", "one\n"),), (ToolResult("c1", "two\n"),)]


def test_of_a_cut_reply_the_text_is_kept_and_nothing_else_makes_a_message() -> None:
    stream = Stream("s")
    records = [
        stream.ask("one"),
        stream.begin(),
        stream.finish(Reasoning("hm"), Text("Half of"), CALLS[0], reason="interrupted"),
        stream.ask("two"),
        stream.begin(),
        stream.finish(Reasoning("hm"), CALLS[0], reason="error"),
        stream.ask("three"),
        stream.begin(),
        stream.finish(),
    ]
    assert messages(records) == (
        user("one"),
        Message("assistant", (Reasoning("hm"), Text("Half of")), ORIGIN),
        user("two"),
        user("three"),
    )


def test_a_subagents_records_are_not_the_conversation() -> None:
    stream = Stream("s")
    records = stream.answer()
    inner = [stream.record(record.event, parent="c1") for record in Stream("s").work()]
    assert messages([*records[:-1], *inner, records[-1]]) == messages(records)


def test_requests_are_given_back_as_they_were_sent() -> None:
    stream = Stream("s")
    records = [*stream.work(), *stream.answer("Again")]
    assert request_of(records, 1, 1) == {"model": "m", "messages": [1]}
    assert request_of(records, 1, 2) == {"model": "m", "messages": [1, 2, 3]}
    assert request_of(records, 7, 1) == {}
    assert (
        history_of(records).body
        == request_of(records, 2, 1)
        == {
            "model": "m",
            "messages": [{"role": "user", "content": "Again"}],
        }
    )
    assert history_of([]).body == {}
