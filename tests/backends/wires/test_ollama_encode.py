"""What is sent on Ollama's own wire."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.scripted.checks_ollama import complaints
from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.ollama import encode
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user

SPEC = BackendSpec("lab", "", "ollama", "http://lab", "qwen3:8b", Rules(thinking={"high": {"think": "high"}}))
OTHER = Origin("other", "https://elsewhere/v1", "x", "responses")
CALL = ToolCall("c1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("c1", "a.py"),))
CAT = Image("image/png", "AAAA", "cat.png")


def sent(spec: BackendSpec, *messages: Message) -> list[dict[str, Any]]:
    """The messages behind the user's first."""
    return list(encode(Request("", (user("list"), *messages)), spec)["messages"][1:])


def own(*blocks: Any) -> Message:
    return Message("assistant", blocks, SPEC.origin)


def foreign(*blocks: Any) -> Message:
    return Message("assistant", blocks, OTHER)


def rules(**changes: Any) -> BackendSpec:
    return structs.replace(SPEC, rules=structs.replace(SPEC.rules, **changes))


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


BLOCKS = (
    st.builds(Text, st.sampled_from(["", "Hi"]))
    | st.builds(Reasoning, st.sampled_from(["", "hm"]), st.sampled_from(["thinking", "<think>", "reasoning"]))
    | st.builds(ToolCall, st.sampled_from(["c1", "c2", "toolu/1"]), st.sampled_from(["ls", "a b", ""]), st.just({}))
)
MESSAGES = (
    st.builds(
        Message,
        st.just("assistant"),
        st.lists(BLOCKS, max_size=4).map(tuple),
        st.sampled_from([SPEC.origin, OTHER, None]),
    )
    | st.just(RESULT)
    | st.sampled_from([user("a"), user(""), Message("user", (CAT,))])
)


@given(messages=st.lists(MESSAGES, max_size=6))
@settings(deadline=None, max_examples=150)
def test_any_history_becomes_one_that_a_strict_server_takes(messages: list[Message]) -> None:
    assert list(complaints(encode(Request("", (user("list"), *messages)), SPEC))) == []


@given(messages=st.lists(MESSAGES, max_size=5))
@settings(deadline=None, max_examples=60)
def test_what_was_sent_stays_the_same_when_more_follows(messages: list[Message]) -> None:
    first = sent(SPEC, *messages, user("more"))
    then = sent(SPEC, *messages, user("more"), own(Text("Hi")), user("on"))
    assert then[: len(first)] == first
