"""Messages answers that go wrong, and oddities of servers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends.spec import BackendSpec, Reply, Request
from tui.backends.wires.messages import Decoder, encode, explain
from tui.core.errors import BackendError
from tui.core.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta
from tui.core.messages import Message, Reasoning, Text, ToolCall, ToolResult, user
from tui.core.usage import Usage

SPEC = BackendSpec("lab", "", "messages", "http://lab", "m")
GOLDEN = Path(__file__).parents[2] / "golden" / "messages"


def start(index: int, **block: Any) -> str:
    return json.dumps({"type": "content_block_start", "index": index, "content_block": block})


def delta(index: int, type: str, **fields: Any) -> str:
    return json.dumps({"type": "content_block_delta", "index": index, "delta": {"type": type} | fields})


def stop(index: int) -> str:
    return json.dumps({"type": "content_block_stop", "index": index})


def ending(reason: str | None = "end_turn", **more: Any) -> str:
    return json.dumps({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": more})


END = '{"type": "message_stop"}'
HI = [start(0, type="text", text=""), delta(0, "text_delta", text="Hi"), stop(0)]
LS = [start(0, type="tool_use", id="t1", name="ls", input={}), delta(0, "input_json_delta", partial_json="{}"), stop(0)]


def told(events: Iterable[str]) -> tuple[list[Delta], Reply]:
    decoder = Decoder(SPEC)
    deltas = [delta for event in events for delta in decoder.feed(event)]
    return deltas, decoder.finish()


def reply(*events: str) -> Reply:
    return told(events)[1]


def failure(*events: str) -> BackendError:
    with pytest.raises(BackendError) as raised:
        reply(*events)
    return raised.value


def test_the_answer_is_signed_with_its_origin() -> None:
    message = reply(*HI, ending(), END).message
    assert message.role == "assistant" and message.origin == SPEC.origin


def test_an_answer_without_its_end_mark_is_cut_however_complete_it_looks() -> None:
    error = failure(*HI, ending())
    assert error.kind == "network" and error.retryable and "before the answer was complete" in error.message
    assert failure().kind == "network"


@pytest.mark.parametrize(
    ("type", "kind", "retryable"),
    [
        ("overloaded_error", "overloaded", True),
        ("rate_limit_error", "rate_limited", True),
        ("api_error", "server", True),
        ("invalid_request_error", "bad_request", False),
    ],
)
def test_an_error_in_mid_stream_is_the_servers_error(type: str, kind: str, retryable: bool) -> None:
    event = {"type": "error", "error": {"type": type, "message": "Not now"}, "request_id": "req_1"}
    error = failure(*HI, json.dumps(event))
    assert (error.kind, error.retryable) == (kind, retryable) and "Not now" in error.message


@pytest.mark.parametrize(
    "event",
    [
        '{"error": {"message": "out of memory", "code": 500}}',
        '[{"error": {"message": "out of memory"}}]',
        '{"detail": "out of memory"}',
        '{"error": "out of memory"}',
    ],
)
def test_errors_are_known_in_every_shape(event: str) -> None:
    error = failure(event)
    assert error.kind == "server" and "out of memory" in error.message


@pytest.mark.parametrize("event", ["<html><title>Welcome</title></html>", '{"type": [', "hello", "5", "null"])
def test_what_is_no_json_object_is_a_protocol_error_with_what_came(event: str) -> None:
    error = failure(event)
    assert error.kind == "protocol" and not error.retryable and "http://lab" in error.hint


def test_an_answer_on_another_wire_is_a_protocol_error() -> None:
    error = failure('{"choices": [{"delta": {"content": "Hi"}}]}')
    assert error.kind == "protocol" and "messages reply" in error.message


@pytest.mark.parametrize(
    ("reason", "normalised"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "window_full"),
        ("pause_turn", "pause"),
        ("refusal", "content_filter"),
        ("novel", "novel"),
        (None, "stop"),
    ],
)
def test_stop_reasons_are_in_our_words_where_we_have_one(reason: str | None, normalised: str) -> None:
    assert reply(*HI, ending(reason), END).finish_reason == normalised


def test_calls_are_calls_whatever_reason_is_given() -> None:
    assert reply(*LS, ending("tool_use"), END).finish_reason == "tool_calls"
    assert reply(*LS, ending("end_turn"), END).finish_reason == "tool_calls"
    assert reply(*LS, ending("max_tokens"), END).finish_reason == "length"


def test_the_calls_of_a_refused_answer_are_not_made() -> None:
    answer = reply(*LS, ending("refusal"), END)
    assert answer.message.tool_calls == () and answer.finish_reason == "content_filter"


def test_a_refused_answer_is_known_to_the_encoder() -> None:
    refused = reply(*HI, ending("refusal"), END).message
    body = encode(Request("", (user("how to"), refused, user("this then"))), SPEC)
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "this then"}]}]


def test_what_was_decoded_goes_back_as_it_came() -> None:
    """Every block that Claude sends, in its order, whatever we know of it."""
    body = (GOLDEN / "claude_thinking_shown_redacted_and_two_calls.sse").read_text("utf-8")
    events = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
    message = reply(*events).message
    calls = message.tool_calls
    results = Message("tool", tuple(ToolResult(call.id, "x") for call in calls))
    spec = BackendSpec("lab", "", "messages", "http://lab", "m")
    assert encode(Request("", (user("a"), message, results)), spec)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Two files are needed.", "signature": "ErUB3Q=="},
        {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4a"},
        {
            "type": "tool_use",
            "id": "toolu_01B",
            "name": "read_file",
            "input": {"path": "a.py"},
            "caller": {"type": "direct"},
        },
        {"type": "tool_use", "id": "toolu_01C", "name": "git_status", "input": {}},
    ]


def test_the_last_number_of_tokens_that_is_one_counts() -> None:
    first = {"input_tokens": 5, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 20, "output_tokens": 1}
    begun = json.dumps({"type": "message_start", "message": {"usage": first}})
    last = ending(input_tokens=None, output_tokens=7, output_tokens_details={"thinking_tokens": 3})
    assert reply(begun, *HI, last, END).usage == Usage(35, 7, 10, 3, written_tokens=20)
    assert reply(*HI, ending(), END).usage == Usage()


def test_pings_news_and_end_marks_of_other_wires_are_ignored() -> None:
    news = ['{"type": "ping"}', '{"type": "weather", "sky": "blue"}', "{}", delta(0, "novel_delta", x=1), "[DONE]"]
    assert reply(*news, *HI, *news, ending(), END).message.blocks == (Text("Hi"),)


def test_blocks_may_come_at_the_same_time() -> None:
    deltas, answer = told(
        [
            start(0, type="tool_use", id="a", name="ls", input={}),
            start(1, type="tool_use", id="b", name="cat", input={}),
            delta(1, "input_json_delta", partial_json='{"p":'),
            delta(0, "input_json_delta", partial_json='{"q":'),
            delta(1, "input_json_delta", partial_json="1}"),
            delta(0, "input_json_delta", partial_json="2}"),
            ending("tool_use"),
            END,
        ]
    )
    assert answer.message.blocks == (ToolCall("a", "ls", {"q": 2}), ToolCall("b", "cat", {"p": 1}))
    assert [piece.index for piece in deltas if isinstance(piece, ToolCallDelta)] == [0, 1, 1, 0, 1, 0]


@pytest.mark.parametrize("signature", ["", None])
def test_thinking_without_a_signature_has_none(signature: str | None) -> None:
    begun = start(0, type="thinking", thinking="", signature=signature)
    answer = reply(begun, delta(0, "thinking_delta", thinking="hm"), stop(0), ending(), END)
    assert answer.message.blocks == (Reasoning("hm", "thinking"),)


def test_whole_messages_in_place_of_a_stream_are_read() -> None:
    content = [{"type": "text", "text": "Hi"}, {"type": "novel", "x": 1}, "nonsense"]
    deltas, answer = told([json.dumps({"type": "message", "content": content, "stop_reason": "end_turn"})])
    assert deltas == [TextDelta("Hi")]
    assert answer.message.blocks == (Text("Hi"), Reasoning("", "novel", data={"type": "novel", "x": 1}))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "x", "text", "thinking", "tool_use", "{"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "input", "partial_json", "signature"]), inner)
    ),
    max_leaves=6,
)
KINDS = [
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_start",
    "message",
]
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional=dict.fromkeys(
        ("index", "content_block", "delta", "usage", "message", "content", "stop_reason", "stop_details"), VALUES
    ),
)


@given(events=st.lists(EVENTS, max_size=8))
@settings(deadline=None, max_examples=300)
def test_whatever_comes_is_an_answer_or_an_error_of_ours(events: list[Any]) -> None:
    decoder = Decoder(SPEC)
    try:
        for event in events:
            decoder.feed(json.dumps(event))
        decoder.feed(END)
        decoder.finish()
    except BackendError as error:
        assert error.message


@given(pieces=st.lists(st.text(max_size=6), max_size=8))
@settings(deadline=None, max_examples=50)
def test_the_text_that_was_shown_is_the_text_that_is_kept(pieces: list[str]) -> None:
    deltas, answer = told(
        [
            start(0, type="thinking", thinking=""),
            *(delta(0, "thinking_delta", thinking=piece) for piece in pieces),
            stop(0),
            start(1, type="text", text=""),
            *(delta(1, "text_delta", text=piece) for piece in pieces),
            stop(1),
            END,
        ]
    )
    assert "".join(piece.text for piece in deltas if isinstance(piece, TextDelta)) == answer.message.text
    thought = "".join(block.text for block in answer.message.blocks if isinstance(block, Reasoning))
    assert "".join(piece.text for piece in deltas if isinstance(piece, ReasoningDelta)) == thought
    assert answer.message.text == thought == "".join(pieces)


def test_a_refusal_by_status_is_explained() -> None:
    body = {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}
    assert explain(401, {}, json.dumps(body), SPEC).kind == "auth"
    words = "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to another conversation."
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    assert explain(400, {}, json.dumps(body), SPEC).kind == "reasoning_replay"
