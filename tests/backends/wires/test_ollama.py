"""Ollama's own wire: what is sent, and answers that go wrong."""

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
from tui.backends.spec import BackendSpec, Reply, Request, Rules, ToolSpec
from tui.backends.wires.ollama import Decoder, encode, explain
from tui.core.errors import BackendError
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user

SPEC = BackendSpec("lab", "", "ollama", "http://lab", "qwen3:8b", Rules(thinking={"high": {"think": "high"}}))
OTHER = Origin("other", "https://elsewhere/v1", "x", "responses")
CALL = ToolCall("c1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("c1", "a.py"),))
CAT = Image("image/png", "AAAA", "cat.png")
END = '{"done": true, "done_reason": "stop"}'


def sent(spec: BackendSpec, *messages: Message) -> list[dict[str, Any]]:
    """The messages behind the user's first."""
    return list(encode(Request("", (user("list"), *messages)), spec)["messages"][1:])


def own(*blocks: Any) -> Message:
    return Message("assistant", blocks, SPEC.origin)


def foreign(*blocks: Any) -> Message:
    return Message("assistant", blocks, OTHER)


def rules(**changes: Any) -> BackendSpec:
    return structs.replace(SPEC, rules=structs.replace(SPEC.rules, **changes))


# What is sent


def test_a_first_question_names_the_context_that_it_needs() -> None:
    assert encode(Request("Be brief.", (user("Hi"),)), SPEC) == {
        "model": "qwen3:8b",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "options": {"num_ctx": 16384},
    }


def test_limits_thinking_and_own_options_are_merged_option_by_option() -> None:
    spec = structs.replace(
        SPEC,
        context_window=40960,
        max_output=100,
        thinking="high",
        body={"options": {"temperature": 0.2}, "keep_alive": "10m"},
    )
    body = encode(Request("", (user("a"),), body={"options": {"seed": 1}}), spec)
    assert body["options"] == {"num_ctx": 40960, "num_predict": 100, "temperature": 0.2, "seed": 1}
    assert body["think"] == "high" and body["keep_alive"] == "10m"
    assert "think" not in encode(Request("", (user("a"),)), rules(unknown_fields=("think",)))


def test_tools_are_functions_and_no_choice_is_demanded() -> None:
    schema = {"type": "object"}
    request = Request("", (user("a"),), tools=(ToolSpec("ls", "Lists.", schema),), tool_choice="required")
    body = encode(request, SPEC)
    function = {"name": "ls", "description": "Lists.", "parameters": schema}
    assert body["tools"] == [{"type": "function", "function": function}] and "tool_choice" not in body


def test_a_schema_constrains_the_answer_as_the_server_can() -> None:
    request = Request("s", (user("a"),), schema={"type": "object"})
    assert encode(request, SPEC)["format"] == {"type": "object"}
    body = encode(request, rules(response_format="json_object"))
    assert body["format"] == "json" and '{"type": "object"}' in body["messages"][0]["content"]
    body = encode(request, rules(response_format="none"))
    assert "format" not in body and '{"type": "object"}' in body["messages"][0]["content"]


def test_a_call_goes_back_with_its_thinking_and_its_arguments_as_an_object() -> None:
    assert sent(SPEC, own(Reasoning("Need ls.", "thinking"), CALL), RESULT) == [
        {
            "role": "assistant",
            "content": "",
            "thinking": "Need ls.",
            "tool_calls": [{"id": "c1", "function": {"name": "ls", "arguments": {"path": "."}}}],
        },
        {"role": "tool", "tool_name": "ls", "tool_call_id": "c1", "content": "a.py"},
    ]


def test_thinking_of_plain_answers_goes_back_only_where_it_is_wished() -> None:
    answer = own(Reasoning("hm", "thinking"), Text("Hi"))
    assert "thinking" not in sent(SPEC, answer, user("a"))[0]
    assert sent(rules(replay_reasoning="all"), answer, user("a"))[0]["thinking"] == "hm"
    assert "thinking" not in sent(rules(replay_reasoning="none"), own(Reasoning("hm", "thinking"), CALL), RESULT)[0]


def test_thinking_that_came_in_tags_goes_back_in_tags() -> None:
    entry = sent(SPEC, own(Reasoning("hm", "<think>"), Text("Hi"), CALL), RESULT)[0]
    assert entry["content"] == "<think>hm</think>Hi" and "thinking" not in entry


def test_thoughts_of_another_server_stay_here_unless_the_user_wishes() -> None:
    message = foreign(Reasoning("secret", "reasoning", data={"encrypted_content": "g"}), Text("Hi"), CALL)
    assert "secret" not in json.dumps(sent(SPEC, message, RESULT))
    assert sent(rules(foreign_reasoning="text"), message, RESULT)[0]["content"] == "secret\n\nHi"


def test_a_result_names_the_tool_whose_it_is_and_the_call_as_that_was_sent() -> None:
    long = "toolu/" + "x" * 80
    calls = foreign(ToolCall(long, "read file", {}), ToolCall("c2", "ls", {}))
    results = Message("tool", (ToolResult("c2", "b"), ToolResult(long, "a")))
    entry, first, second = sent(SPEC, calls, results)
    assert [call["id"] for call in entry["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert (first["tool_name"], first["content"]) == ("read_file", "a")
    assert (second["tool_name"], second["content"]) == ("ls", "b")


def test_pictures_are_bare_base64_and_follow_a_result_as_the_users() -> None:
    assert encode(Request("", (Message("user", (Text("look"), CAT)),)), SPEC)["messages"] == [
        {"role": "user", "content": "look", "images": ["AAAA"]}
    ]
    shown = Message("tool", (ToolResult("c1", "a cat", images=(CAT,)),))
    assert sent(SPEC, own(CALL), shown)[2] == {"role": "user", "content": "", "images": ["AAAA"]}
    assert sent(rules(images_in_results=True), own(CALL), shown)[1]["images"] == ["AAAA"]


def test_a_model_that_cannot_see_is_told_of_the_picture() -> None:
    note = "[image: cat.png, which this model cannot see]"
    body = encode(Request("", (Message("user", (CAT,)),)), rules(images=False))
    assert body["messages"] == [{"role": "user", "content": note}]
    shown = Message("tool", (ToolResult("c1", "a cat", images=(CAT,)),))
    assert sent(rules(images=False), own(CALL), shown)[1]["content"] == f"a cat\n{note}"


def test_an_empty_answer_is_left_out_and_the_last_word_is_the_users() -> None:
    assert sent(SPEC, own(Reasoning("hm", "thinking")), own(), user("again")) == [{"role": "user", "content": "again"}]
    assert sent(SPEC, own(Text("Hi")))[-1]["role"] == "user"


def test_arguments_that_were_no_object_go_back_as_an_empty_one() -> None:
    entry = sent(SPEC, own(ToolCall("c1", "ls", {}, raw='{"pa')), RESULT)[0]
    assert entry["tool_calls"][0]["function"]["arguments"] == {}


# What comes back


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
