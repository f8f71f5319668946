"""Answers that go wrong, and calls that servers cut in their own ways."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends.spec import BackendSpec, Reply
from tui.backends.wires.chat_completions import Decoder, explain
from tui.core.errors import BackendError
from tui.core.messages import Reasoning, Text

SPEC = BackendSpec("lab", "", "chat-completions", "http://lab/v1", "m")


def chunk(delta: Any = None, finish: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def calls(*fragments: dict[str, Any]) -> list[str]:
    return [*(chunk({"tool_calls": [fragment]}) for fragment in fragments), chunk({}, "tool_calls")]


def reply(events: Iterable[str]) -> Reply:
    decoder = Decoder(SPEC)
    for event in events:
        decoder.feed(event)
    return decoder.finish()


def failure(*events: str) -> BackendError:
    with pytest.raises(BackendError) as raised:
        reply(events)
    return raised.value


def test_the_answer_is_signed_with_its_origin() -> None:
    message = reply([chunk({"content": "Hi"}), chunk({}, "stop")]).message
    assert message.role == "assistant" and message.origin == SPEC.origin


def test_an_end_mark_without_a_finish_reason_is_an_end() -> None:
    assert reply([chunk({"content": "Hi"}), "[DONE]"]).finish_reason == "stop"


def test_an_answer_without_any_end_is_cut_however_complete_it_looks() -> None:
    error = failure(chunk({"content": "All done."}))
    assert error.kind == "network" and error.retryable and "before the answer was complete" in error.message
    assert failure().kind == "network"


def test_an_error_in_place_of_a_chunk_is_the_servers_error() -> None:
    error = failure(chunk({"content": "Hi"}), '{"error": {"message": "Overloaded", "type": "overloaded_error"}}')
    assert error.kind == "overloaded" and error.retryable and "Overloaded" in error.message
    coded = failure('{"error": {"message": "slow down", "code": 429}}')
    assert coded.kind == "rate_limited"


@pytest.mark.parametrize(
    "event",
    [
        '{"error": "out of memory"}',
        '[{"error": {"message": "out of memory"}}]',
        '{"object": "error", "message": "out of memory", "code": 500}',
        '{"detail": "out of memory"}',
        '{"choices": [{"error": {"message": "out of memory", "code": 502}, "finish_reason": "error", "delta": {}}]}',
    ],
)
def test_errors_are_known_in_every_shape(event: str) -> None:
    error = failure(event)
    assert error.kind == "server" and "out of memory" in error.message


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("error", "server"), ("network_error", "server"), ("insufficient_system_resource", "overloaded")],
)
def test_a_finish_reason_that_says_the_server_broke_off_is_an_error(reason: str, kind: str) -> None:
    error = failure(chunk({"content": "Hi"}), chunk({}, reason))
    assert error.kind == kind and error.retryable


@pytest.mark.parametrize("event", ["<html><title>Welcome</title></html>", '{"choices": [', "hello", "5", "null"])
def test_what_is_no_json_object_is_a_protocol_error_with_what_came(event: str) -> None:
    error = failure(event)
    assert error.kind == "protocol" and not error.retryable and "http://lab/v1" in error.hint


def test_a_web_page_is_named_by_its_title() -> None:
    assert "'Welcome'" in failure("<html><title>Welcome</title></html>").message


def test_json_nested_without_end_is_refused_like_other_nonsense() -> None:
    assert failure("[" * 100_000).kind == "protocol"
    deep = '{"a":' * 20_000
    assert failure(deep).kind == "protocol"


@pytest.mark.parametrize(
    ("reason", "normalised"),
    [("stop", "stop"), ("eos", "stop"), ("length", "length"), ("sensitive", "content_filter"), ("novel", "novel")],
)
def test_finish_reasons_are_in_our_words_where_we_have_one(reason: str, normalised: str) -> None:
    assert reply([chunk({"content": "Hi"}), chunk({}, reason)]).finish_reason == normalised


def test_calls_with_the_finish_reason_stop_are_calls() -> None:
    events = [*calls({"index": 0, "id": "a", "function": {"name": "ls", "arguments": "{}"}})[:1], chunk({}, "stop")]
    assert reply(events).finish_reason == "tool_calls"


def test_text_that_begins_like_a_tag_but_is_none_is_text() -> None:
    answer = reply([chunk({"content": "<thi"}), chunk({"content": "s> is"}), chunk({}, "stop")])
    assert answer.message.blocks == (Text("<this> is"),)
    assert reply([chunk({"content": "<"}), "[DONE]"]).message.blocks == (Text("<"),)


def test_all_text_is_shown_as_deltas_by_the_end() -> None:
    decoder = Decoder(SPEC)
    deltas = [*decoder.feed(chunk({"content": " <think"})), *decoder.feed(chunk({}, "stop"))]
    assert "".join(delta.text for delta in deltas) == decoder.finish().message.text == " <think"  # type: ignore[union-attr]


def test_calls_without_an_id_get_different_ones() -> None:
    whole = {"function": {"name": "ls", "arguments": {"path": "a"}}}
    made = [
        call.id
        for _ in range(2)
        for call in reply(calls({**whole, "index": 0}, {**whole, "index": 1})).message.tool_calls
    ]
    assert len(made) == len(set(made)) == 4 and all(made)


def test_a_placeholder_before_the_real_arguments_is_dropped() -> None:
    events = calls(
        {"index": 0, "id": "a", "function": {"name": "ls", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": '{"path"'}},
        {"index": 0, "function": {"arguments": ': "b"}'}},
    )
    assert reply(events).message.tool_calls[0].arguments == {"path": "b"}


def test_interleaved_calls_are_kept_apart_by_index() -> None:
    events = calls(
        {"index": 0, "id": "a", "function": {"name": "ls", "arguments": '{"path": '}},
        {"index": 1, "id": "b", "function": {"name": "ls", "arguments": '{"path": '}},
        {"index": 0, "function": {"arguments": '"1"}'}},
        {"index": 1, "function": {"arguments": '"2"}'}},
    )
    assert [call.arguments["path"] for call in reply(events).message.tool_calls] == ["1", "2"]


@pytest.mark.parametrize("arguments", ["{", "[]", '"{}"', "null", "NaN", "{'path': 1}", "{" * 5000, '{"a": NaN}'])
def test_arguments_that_are_no_json_object_are_kept_as_text(arguments: str) -> None:
    (call,) = reply(
        calls({"index": 0, "id": "a", "function": {"name": "ls", "arguments": arguments}})
    ).message.tool_calls
    assert call.arguments == {} and call.raw == arguments


@pytest.mark.parametrize("arguments", ["", " ", "{}", None])
def test_no_arguments_are_an_empty_object(arguments: str | None) -> None:
    (call,) = reply(
        calls({"index": 0, "id": "a", "function": {"name": "ls", "arguments": arguments}})
    ).message.tool_calls
    assert call.arguments == {} and call.raw is None


def test_arguments_hold_only_whole_characters() -> None:
    arguments = '{"text": "a\\ud83d", "both": "\\ud83d\\ude00"}'
    (call,) = reply(
        calls({"index": 0, "id": "a", "function": {"name": "w", "arguments": arguments}})
    ).message.tool_calls
    assert call.arguments == {"text": "a\ufffd", "both": "😀"}


def test_a_line_break_within_a_string_of_the_arguments_is_let_through() -> None:
    (call,) = reply(
        calls({"index": 0, "id": "a", "function": {"name": "w", "arguments": '{"t": "a\nb"}'}})
    ).message.tool_calls
    assert call.arguments == {"t": "a\nb"}


@pytest.mark.parametrize(
    "delta",
    [{"content": 5}, {"tool_calls": {"a": 1}}, {"tool_calls": [None, 3, "x"]}, [], "x", {"reasoning": {"a": 1}}],
)
def test_values_of_the_wrong_type_are_passed_over(delta: Any) -> None:
    answer = reply([chunk(delta), chunk({"content": "ok"}), chunk({}, "stop")])
    assert answer.message.blocks == (Text("ok"),) and answer.finish_reason == "stop"


WORDS = (
    "choices delta message content reasoning_content reasoning reasoning_details tool_calls function name arguments id "
    "index type text thinking summary refusal finish_reason usage prompt_tokens completion_tokens cost timings cache_n "
    "prompt_tokens_details cached_tokens error code metadata raw param detail loc msg function_call x_groq"
)
KEYS = st.sampled_from(WORDS.split())
LEAVES = st.none() | st.booleans() | st.integers(-3, 600) | st.floats(allow_nan=True) | st.text(max_size=8)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
CHOICES = st.fixed_dictionaries({"choices": st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=2)})


@given(events=st.lists(CHOICES | VALUES, max_size=6))
@settings(deadline=None, max_examples=100)
def test_whatever_a_server_sends_is_an_answer_or_an_error_of_ours(events: list[Any]) -> None:
    decoder = Decoder(SPEC)
    try:
        for event in events:
            decoder.feed(json.dumps(event))
        decoder.feed("[DONE]")
        decoder.finish()
    except BackendError as error:
        assert error.message


@given(status=st.sampled_from([200, 400, 401, 403, 429, 500, 503]), body=VALUES)
@settings(deadline=None, max_examples=100)
def test_whatever_a_server_refuses_with_is_explained(status: int, body: Any) -> None:
    assert explain(status, {}, json.dumps(body), SPEC).message


def test_gemini_thoughts_in_the_text_are_reasoning() -> None:
    answer = reply([chunk({"content": "<thou"}), chunk({"content": "ght>hm</thought>Yes"}), chunk({}, "stop")])
    assert answer.message.blocks == (Reasoning("hm", "<thought>"), Text("Yes"))


def test_reasoning_of_which_only_the_end_came_is_reasoning_in_the_message() -> None:
    answer = reply([chunk({"content": "I see.\n</th"}), chunk({"content": "ink>\n\nYes"}), chunk({}, "stop")])
    assert answer.message.blocks == (Reasoning("I see.\n", "<think>"), Text("\n\nYes"))


@pytest.mark.parametrize("text", ["Write `</think>` here", "```\n</think>\n```", "a\n</think>\nb\n</think>\n"])
def test_talk_about_tags_is_text(text: str) -> None:
    assert reply([chunk({"content": text}), chunk({}, "stop")]).message.blocks == (Text(text),)


def test_what_only_the_agent_can_judge_keeps_the_servers_word() -> None:
    assert reply([chunk({"content": "a a a"}), chunk({}, "repetition_truncation")]).finish_reason == (
        "repetition_truncation"
    )
    announced = reply([chunk({"content": "I call ls."}), chunk({}, "tool_calls")])
    assert announced.finish_reason == "tool_calls" and not announced.message.tool_calls
    fragment = {"index": 0, "id": "a", "function": {"name": "ls", "arguments": "{}"}}
    for reason, normalised in (("length", "length"), ("model_context_window_exceeded", "window_full")):
        cut = reply([chunk({"tool_calls": [fragment]}), chunk({}, reason)])
        assert cut.finish_reason == normalised and cut.message.tool_calls


def test_a_refusal_in_a_whole_completion_is_filtered_content() -> None:
    whole = {"choices": [{"message": {"content": None, "refusal": "I cannot."}, "finish_reason": "stop"}]}
    answer = reply([json.dumps(whole)])
    assert answer.message.text == "I cannot." and answer.finish_reason == "content_filter"


def test_what_is_said_of_a_call_that_there_is_not_makes_none() -> None:
    assert not reply(calls({"extra_content": {"google": {"thought_signature": "Cr"}}})).message.tool_calls
