"""Answers of OpenAI Responses that go wrong, and what servers leave out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.backends.asking import error_of, reply_of, spec_for
from tests.scripted import ScriptedServer, json_response
from tests.scripted.reply import Response, html
from tui.backends.spec import BackendSpec, Reply
from tui.backends.wires.responses import Decoder, explain
from tui.core.errors import BackendError
from tui.core.events import TextDelta
from tui.core.messages import Reasoning, Text

SPEC = BackendSpec("lab", "", "responses", "http://lab/v1", "m")


def event(type: str, **fields: Any) -> str:
    return json.dumps({"type": f"response.{type}", **fields})


def done(item: dict[str, Any], index: int = 0) -> str:
    return event("output_item.done", output_index=index, item=item)


def said(words: str) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": words}]}


def call(arguments: Any, id: str | None = "c1", name: str = "ls") -> dict[str, Any]:
    return {"type": "function_call", "id": "fc_1", "call_id": id, "name": name, "arguments": arguments}


END = event("completed", response={"status": "completed", "output": []})
HI = done(said("Hi"))


def reply(events: Iterable[str], spec: BackendSpec = SPEC) -> Reply:
    decoder = Decoder(spec)
    for data in events:
        decoder.feed(data)
    return decoder.finish()


def failure(*events: str) -> BackendError:
    with pytest.raises(BackendError) as raised:
        reply(events)
    return raised.value


def test_the_answer_is_signed_with_its_origin() -> None:
    answer = reply([HI, END])
    assert answer.message.role == "assistant" and answer.message.origin == SPEC.origin
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize("events", [(), (HI,), (HI, "[DONE]")], ids=["nothing", "an item", "another wire's end"])
def test_an_answer_without_its_last_event_is_cut_however_complete_it_looks(events: tuple[str, ...]) -> None:
    error = failure(*events)
    assert error.kind == "network" and error.retryable and "before the answer was complete" in error.message


@pytest.mark.parametrize(
    ("sent", "kind", "words"),
    [
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down.", "param": None},
            "rate_limited",
            "Slow",
        ),
        ({"type": "error", "error": {"code": "server_error", "message": "Oh no."}}, "server", "Oh no."),
        ({"error": {"code": 500, "message": "out of memory", "type": "server_error"}}, "server", "out of memory"),
        ({"object": "error", "message": "out of memory", "code": 500}, "server", "out of memory"),
        ({"detail": "out of memory"}, "server", "out of memory"),
        ([{"error": {"message": "out of memory"}}], "server", "out of memory"),
        (
            {
                "type": "response.failed",
                "response": {"status": "failed", "error": {"code": "server_error", "message": "Broken."}},
            },
            "server",
            "Broken.",
        ),
        ({"type": "response.failed", "response": {"status": "failed", "error": None}}, "server", "broke off: failed"),
        ({"type": "response.cancelled", "response": {}}, "server", "broke off: cancelled"),
        (
            {"object": "response", "status": "failed", "output": [], "error": {"message": "maximum context length"}},
            "context_overflow",
            "maximum context length",
        ),
    ],
)
def test_an_error_in_the_stream_is_the_servers_error(sent: Any, kind: str, words: str) -> None:
    error = failure(event("output_text.delta", delta="Hi"), json.dumps(sent))
    assert error.kind == kind and words in error.message


@pytest.mark.parametrize("code", ["invalid_prompt", "invalid_image_format", "image_too_large", "empty_image_file"])
def test_a_request_that_the_server_cannot_use_is_not_sent_again(code: str) -> None:
    failed = event("failed", response={"status": "failed", "error": {"code": code, "message": "It will not do."}})
    error = failure(failed)
    assert error.kind == "bad_request" and not error.retryable and "It will not do." in error.message


@pytest.mark.parametrize(
    "data", ["<html><title>Welcome</title></html>", '{"type": "resp', "hello", "5", '{"choices": []}']
)
def test_what_is_no_event_is_a_protocol_error_with_what_came(data: str) -> None:
    error = failure(data)
    assert error.kind == "protocol" and not error.retryable and "http://lab/v1" in error.hint


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        ({"reason": "steered"}, "steered"),
        (None, "incomplete"),
    ],
)
def test_an_incomplete_answer_says_why(why: Any, reason: str) -> None:
    end = event("incomplete", response={"status": "incomplete", "incomplete_details": why})
    answer = reply([HI, end])
    assert answer.finish_reason == reason and answer.message.text == "Hi"


def test_an_answer_as_long_as_the_limit_is_cut_though_the_server_does_not_say_so() -> None:
    end = event("completed", response={"output": [], "usage": {"input_tokens": 1, "output_tokens": 8}})
    assert reply([HI, end], structs.replace(SPEC, max_output=8)).finish_reason == "length"
    assert reply([HI, end], structs.replace(SPEC, max_output=9)).finish_reason == "stop"


def test_a_refusal_that_comes_whole_is_one() -> None:
    item = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    answer = reply([done(item), END])
    assert answer.finish_reason == "content_filter" and answer.message.blocks == (Text("No."),)


@pytest.mark.parametrize("arguments", ["{", "[]", "null", '{"a": NaN}', ["a"]])
def test_arguments_that_are_no_json_object_are_kept_as_text(arguments: Any) -> None:
    (made,) = reply([done(call(arguments)), END]).message.tool_calls
    assert made.arguments == {} and made.raw


@pytest.mark.parametrize("arguments", ["", " ", "{}", None, {}])
def test_no_arguments_are_an_empty_object(arguments: Any) -> None:
    (made,) = reply([done(call(arguments)), END]).message.tool_calls
    assert made.arguments == {} and made.raw is None


def test_arguments_may_come_as_an_object() -> None:
    (made,) = reply([done(call({"path": "a"})), END]).message.tool_calls
    assert made.arguments == {"path": "a"}


def test_calls_go_by_their_call_id_and_have_each_one_of_their_own() -> None:
    events = [done(call("{}", "c1"), 0), done(call("{}", "c1"), 1), done(call("{}", None), 2)]
    ids = [made.id for made in reply([*events, END]).message.tool_calls]
    assert ids[0] == "c1" and ids[2] == "fc_1" and len(set(ids)) == 3


def test_the_order_of_the_items_is_kept() -> None:
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "g"}
    events = [done(thought, 0), done(said("First."), 1), done(call("{}"), 2), done(said("Then."), 3), END]
    kinds = [type(block).__name__ for block in reply(events).message.blocks]
    assert kinds == ["Reasoning", "Text", "ToolCall", "Text"]


def test_reasoning_of_which_nothing_can_be_read_is_kept_whole() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g\ud83d"}
    (block,) = reply([done(thought), END]).message.blocks
    assert block == Reasoning("", "reasoning", data=thought | {"encrypted_content": "g\ufffd"})


def test_pieces_of_an_item_that_is_complete_already_add_nothing() -> None:
    events = [HI, event("output_text.delta", output_index=0, delta="Hi"), HI, END]
    assert reply(events).message.blocks == (Text("Hi"),)


def test_what_was_not_shown_when_an_item_is_complete_is_shown() -> None:
    decoder = Decoder(SPEC)
    first = decoder.feed(event("output_text.delta", output_index=0, item_id="msg_1", delta="Good "))
    rest = decoder.feed(done(said("Good morning")))
    assert [*first, *rest] == [TextDelta("Good "), TextDelta("morning")]


@pytest.mark.parametrize(
    "data",
    [
        event("output_text.delta", delta=5),
        event("output_text.delta", output_index="x", item_id=3),
        event("output_item.done", item=[]),
        event("output_item.done", item={"type": 5}),
        event("output_item.added"),
        event("novel.thing", delta="x"),
        event("function_call_arguments.delta"),
        "{}",
    ],
)
def test_values_of_the_wrong_type_are_passed_over(data: str) -> None:
    assert reply([data, done(said("ok"), 7), END]).message.blocks == (Text("ok"),)


WORDS = (
    "type item output_index item_id delta response output status error incomplete_details reason usage input_tokens "
    "output_tokens input_tokens_details cached_tokens summary content text refusal phase id call_id name arguments "
    "encrypted_content message code detail param object"
)
TYPES = (
    "error message reasoning function_call output_text refusal summary_text web_search_call completed incomplete "
    "response.completed response.incomplete response.failed response.output_item.added response.output_item.done "
    "response.output_text.delta response.refusal.delta response.reasoning_text.delta response.created "
    "response.reasoning_summary_text.delta response.reasoning_summary_part.added "
    "response.function_call_arguments.delta"
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 600)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(TYPES.split())
)
KEYS = st.sampled_from(WORDS.split())
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
EVENTS = st.builds(
    lambda fields, type: fields | {"type": type},
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.sampled_from(TYPES.split()),
)


@given(events=st.lists(EVENTS | VALUES, max_size=6))
@settings(deadline=None, max_examples=150)
def test_whatever_a_server_sends_is_an_answer_or_an_error_of_ours(events: list[Any]) -> None:
    decoder = Decoder(SPEC)
    try:
        for sent in events:
            decoder.feed(json.dumps(sent))
        decoder.feed(END)
        decoder.finish()
    except BackendError as error:
        assert error.message


@given(pieces=st.lists(st.text(max_size=6), max_size=8))
@settings(deadline=None, max_examples=50)
def test_the_text_that_was_shown_is_the_text_that_is_kept(pieces: list[str]) -> None:
    whole = "".join(pieces)
    events = [event("output_text.delta", output_index=0, delta=piece) for piece in pieces]
    decoder = Decoder(SPEC)
    deltas = [delta for data in [*events, done(said(whole)), END] for delta in decoder.feed(data)]
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == whole
    assert decoder.finish().message.text == whole


def test_a_refusal_by_status_is_explained() -> None:
    body = json.dumps({"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}})
    assert explain(401, {}, body, SPEC).kind == "auth"


# Over real HTTP

STREAM = "".join(f"event: x\ndata: {data}\n\n" for data in [HI, END])


def served(response: Response) -> ScriptedServer:
    return ScriptedServer(routes={"/lab/responses": lambda request: response})


async def test_an_answer_over_http() -> None:
    with served(Response(200, STREAM.encode(), {"content-type": "text/event-stream"})) as server:
        spec = spec_for(f"{server.root}/lab", wire="responses")
        answer = await reply_of(spec)
        (request,) = server.others
    assert answer.message.text == "Hi"
    assert request.headers["accept"] == "text/event-stream" and request.body["input"][0]["role"] == "user"


async def test_a_whole_response_in_place_of_a_stream_over_http() -> None:
    with served(json_response({"object": "response", "status": "completed", "output": [said("Hi")]})) as server:
        assert (await reply_of(spec_for(f"{server.root}/lab", wire="responses"))).message.text == "Hi"


async def test_a_page_in_place_of_an_answer_over_http() -> None:
    with served(html("Sign in")) as server:
        error = await error_of(spec_for(f"{server.root}/lab", wire="responses", retries=0))
    assert error.kind == "protocol" and "Sign in" in error.message
