"""Answers on Ollama's own wire that go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.asking import error_of, reply_of, spec_for
from tests.scripted import ScriptedServer, json_response
from tests.scripted.reply import Response, html
from tui.backends.spec import BackendSpec, Reply
from tui.backends.wires.ollama import Decoder, explain
from tui.core.errors import BackendError
from tui.core.messages import Message, Text

SPEC = BackendSpec("lab", "", "ollama", "http://lab", "qwen3:8b")
END = '{"done": true, "done_reason": "stop"}'


def line(**message: Any) -> str:
    return json.dumps({"model": "m", "message": {"role": "assistant", **message}, "done": False})


def reply(lines: Iterable[str]) -> Reply:
    decoder = Decoder(SPEC)
    for data in lines:
        decoder.feed(data)
    return decoder.finish()


def failure(*lines: str) -> BackendError:
    with pytest.raises(BackendError) as raised:
        reply(lines)
    return raised.value


def test_the_answer_is_signed_with_its_origin() -> None:
    assert reply([line(content="Hi"), END]).message == Message("assistant", (Text("Hi"),), SPEC.origin)


def test_an_answer_without_its_last_line_is_cut_however_complete_it_looks() -> None:
    error = failure(line(content="All done."))
    assert error.kind == "network" and error.retryable and "before the answer was complete" in error.message


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ('{"error": "an error was encountered while running the model: CUDA error"}', "server"),
        ('{"error": "prompt too long; exceeded max context length by 12 tokens"}', "context_overflow"),
        ('{"error": {"message": "Overloaded", "code": 503}}', "overloaded"),
        ('{"message": "out of memory"}', "server"),
        ('{"detail": "out of memory"}', "server"),
    ],
)
def test_an_error_in_place_of_a_line_is_the_servers_error(data: str, kind: str) -> None:
    assert failure(line(content="Hi"), data).kind == kind


@pytest.mark.parametrize(
    "data", ["<html><title>Welcome</title></html>", '{"message": {', "hello", "5", '{"models": []}']
)
def test_what_is_no_line_of_an_answer_is_a_protocol_error_with_what_came(data: str) -> None:
    error = failure(data)
    assert error.kind == "protocol" and not error.retryable and "http://lab" in error.hint


def test_all_text_is_shown_by_the_end() -> None:
    decoder = Decoder(SPEC)
    shown = [*decoder.feed(line(content="<thin")), *decoder.feed(END)]
    assert "".join(delta.text for delta in shown) == decoder.finish().message.text == "<thin"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "data",
    [
        line(content=5, thinking=[], tool_calls={"a": 1}),
        line(tool_calls=[None, 3, {"function": "x"}]),
        '{"message": null, "done": false}',
        "{}",
    ],
)
def test_values_of_the_wrong_type_are_passed_over(data: str) -> None:
    assert reply([data, line(content="ok"), END]).message.blocks == (Text("ok"),)


WORDS = "message content thinking tool_calls function name arguments id index done done_reason error eval_count detail"
KEYS = st.sampled_from(WORDS.split())
LEAVES = st.none() | st.booleans() | st.integers(-3, 600) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
LINES = st.fixed_dictionaries({"message": st.dictionaries(KEYS, VALUES, max_size=4)})


@given(lines=st.lists(LINES | VALUES, max_size=6))
@settings(deadline=None, max_examples=100)
def test_whatever_a_server_sends_is_an_answer_or_an_error_of_ours(lines: list[Any]) -> None:
    decoder = Decoder(SPEC)
    try:
        for data in lines:
            decoder.feed(json.dumps(data))
        decoder.feed(END)
        decoder.finish()
    except BackendError as error:
        assert error.message


def test_a_model_that_is_not_there_is_told_so() -> None:
    assert explain(404, {}, '{"error":"model \'x\' not found"}', SPEC).kind == "model_not_found"


# Over real HTTP


def served(response: Response) -> ScriptedServer:
    return ScriptedServer(routes={"/lab/api/chat": lambda request: response})


async def test_an_answer_over_http() -> None:
    body = "\n".join([line(content="Hi"), END])
    with served(Response(200, body.encode(), {"content-type": "application/x-ndjson"})) as server:
        answer = await reply_of(spec_for(f"{server.root}/lab", wire="ollama"))
        (request,) = (request for request in server.others if request.path.endswith("/api/chat"))
    assert answer.message.text == "Hi" and answer.finish_reason == "stop"
    assert request.headers["accept"] == "application/x-ndjson" and request.body["options"] == {"num_ctx": 16384}


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (html("Sign in"), "protocol", "Sign in"),
        (json_response({"error": "model 'x' not found"}, 404), "model_not_found", "not found"),
        (json_response(json.dumps({"error": "out of memory"}, indent=1)), "server", "out of memory"),
        (Response(200, f"{line(content='Hi')}\n{line(content='x')[:20]}".encode()), "network", "before the answer"),
    ],
)
async def test_what_is_no_answer_over_http(response: Response, kind: str, words: str) -> None:
    with served(response) as server:
        error = await error_of(spec_for(f"{server.root}/lab", wire="ollama", retries=0))
    assert error.kind == kind and words in error.message
