"""Each rule of a server changes what is sent on the chat wire, and any conversation at all can be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.chat_completions import encode
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user

PLAIN = BackendSpec("lab", "", "chat-completions", "http://lab/v1", "m")
OTHER = Origin("other", "https://elsewhere/v1", "x", "messages")
CALL = ToolCall("c1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("c1", "a.py"),))
LS = ToolSpec("ls", "Lists.", {"type": "object", "properties": {}})
PICTURE = Image("image/png", "AAAA", "cat.png")


def ruled(**rules: Any) -> BackendSpec:
    return structs.replace(PLAIN, rules=Rules(**rules))


def sent(spec: BackendSpec, *messages: Message, system: str = "", **fields: Any) -> list[dict[str, Any]]:
    return list(encode(Request(system, messages, **fields), spec)["messages"])


def own(*blocks: Any) -> Message:
    return Message("assistant", blocks, PLAIN.origin)


def foreign(*blocks: Any) -> Message:
    return Message("assistant", blocks, OTHER)


# Who speaks


def test_the_system_prompt_is_said_by_whom_the_server_wants() -> None:
    assert sent(ruled(system_role="developer"), user("Hi"), system="Be brief.")[0]["role"] == "developer"
    assert sent(ruled(system_role="user"), user("Hi"), system="Be brief.") == [
        {"role": "user", "content": "Be brief.\n\nHi"}
    ]
    shown = Message("user", (Text("What is it?"), PICTURE))
    (entry,) = sent(ruled(system_role="user"), shown, system="Be brief.")
    assert [part["type"] for part in entry["content"]] == ["text", "text", "image_url"]
    first = sent(ruled(system_role="user"), own(Text("Hello")), user("Hi"), system="Be brief.")[0]
    assert first == {"role": "user", "content": "Be brief."}


def test_a_request_never_ends_with_the_models_words() -> None:
    assert [entry["role"] for entry in sent(PLAIN, user("Hi"), own(Text("Hello")))] == ["user", "assistant", "user"]
    assert [entry["role"] for entry in sent(PLAIN, user(""), system="s")] == ["system", "user"]


def test_mistral_gets_the_assistant_between_a_result_and_the_user() -> None:
    spec = ruled(assistant_before_user=True, call_ids="nine")
    entries = sent(spec, user("list"), own(CALL), RESULT, user("thanks"))
    assert [entry["role"] for entry in entries] == ["user", "assistant", "tool", "assistant", "user"]
    id = entries[1]["tool_calls"][0]["id"]
    assert len(id) == 9 and id.isalnum() and entries[2]["tool_call_id"] == id
    (_, call, *_) = sent(spec, user("list"), own(ToolCall("aB3456789", "ls", {})), RESULT)
    assert call["tool_calls"][0]["id"] == "aB3456789"


# Calls and results


def test_a_call_that_nobody_answered_is_said_to_be_interrupted() -> None:
    entries = sent(PLAIN, user("list"), own(CALL, ToolCall("c2", "ls", {})), RESULT, user("go on"))
    assert [entry.get("tool_call_id") for entry in entries] == [None, None, "c1", "c2", None]
    assert "interrupted" in entries[3]["content"]


def test_a_result_that_nobody_asked_for_is_left_out() -> None:
    assert sent(PLAIN, user("a"), RESULT) == [{"role": "user", "content": "a"}]


def test_two_calls_with_one_id_are_told_apart() -> None:
    results = Message("tool", (ToolResult("c1", "first"), ToolResult("c1", "second")))
    entries = sent(PLAIN, user("a"), own(CALL, CALL), results)
    ids = [call["id"] for call in entries[1]["tool_calls"]]
    assert len(set(ids)) == 2
    assert [(entry["tool_call_id"], entry["content"]) for entry in entries[2:]] == list(
        zip(ids, ["first", "second"], strict=True)
    )


def test_numbers_that_json_does_not_have_spoil_no_request() -> None:
    entries = sent(PLAIN, user("a"), own(ToolCall("c1", "ls", {"n": float("nan")})), RESULT)
    assert entries[1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_the_first_call_of_another_model_gets_the_dummy_signature() -> None:
    spec = ruled(dummy_signature="skip_thought_signature_validator")
    two = (CALL, ToolCall("c2", "ls", {}))
    (_, entry, *_) = sent(spec, user("a"), foreign(*two))
    first, second = entry["tool_calls"]
    assert first["extra_content"] == {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert "extra_content" not in second
    signed = ToolCall("c1", "ls", {}, extra={"extra_content": {"google": {"thought_signature": "Cr"}}})
    (_, entry, *_) = sent(spec, user("a"), own(signed))
    assert entry["tool_calls"][0]["extra_content"]["google"]["thought_signature"] == "Cr"


# Tools


def test_a_tool_must_be_called_where_the_server_can_be_told_so() -> None:
    asked = Request("", (user("a"),), (LS,), tool_choice="required")
    assert encode(asked, PLAIN)["tool_choice"] == "required"
    unable = ruled(tool_choice_while_thinking=False, thinking={"off": {"thinking": {"type": "disabled"}}})
    assert "tool_choice" not in encode(asked, unable)
    assert encode(asked, structs.replace(unable, thinking="off"))["tool_choice"] == "required"


def test_of_two_tools_with_one_name_the_first_is_sent() -> None:
    tools = (LS, ToolSpec("cat", "", LS.parameters), ToolSpec("ls", "Another.", LS.parameters))
    functions = [tool["function"] for tool in encode(Request("", (user("a"),), tools), PLAIN)["tools"]]
    assert [(function["name"], function["description"]) for function in functions] == [("ls", "Lists."), ("cat", "")]


# Reasoning


def test_reasoning_of_others_becomes_words_if_the_user_wishes() -> None:
    spec = ruled(foreign_reasoning="text")
    (_, entry, _) = sent(spec, user("a"), foreign(Reasoning("I think so."), Text("Yes.")), user("b"))
    assert entry["content"] == "I think so.\n\nYes."
    (_, entry, _) = sent(spec, user("a"), own(Reasoning("I think so."), Text("Yes.")), user("b"))
    assert entry["content"] == "Yes."
    filled = ruled(foreign_reasoning="text", reasoning_required=True)
    (_, entry, _) = sent(filled, user("a"), foreign(Reasoning("I think so."), CALL), RESULT)
    assert entry["reasoning_content"] == "I think so." and not entry["content"]


def test_what_is_filled_in_can_be_set() -> None:
    (_, entry, _) = sent(ruled(reasoning_required=True, reasoning_fill=" "), user("a"), foreign(CALL), RESULT)
    assert entry["reasoning_content"] == " "


def test_thoughts_in_tags_go_back_in_the_tags_they_came_in() -> None:
    (_, entry, _) = sent(PLAIN, user("a"), own(Reasoning("hm", key="<thought>"), Text("ok"), CALL), RESULT)
    assert entry["content"] == "<thought>hm</thought>ok" and "<thought>" not in entry


@pytest.mark.parametrize("key", ["<think>", "thinking", "reasoning"])
def test_demanded_reasoning_stands_where_it_is_demanded_wherever_it_came(key: str) -> None:
    spec = ruled(reasoning_required=True, replay_reasoning="none")
    (_, entry, _) = sent(spec, user("a"), own(Reasoning("hm", key=key), Text("ok"), CALL), RESULT)
    assert entry["reasoning_content"] == "hm" and entry["content"] == "ok"


# Images


def test_a_model_that_cannot_see_is_told_of_the_pictures() -> None:
    spec = ruled(images=False)
    assert sent(spec, Message("user", (Text("what is this"), PICTURE)))[0]["content"] == (
        "what is this\n[image: cat.png, which this model cannot see]"
    )
    seen = Message("tool", (ToolResult("c1", "done", images=(PICTURE,)),))
    assert sent(spec, user("a"), own(CALL), seen)[-1]["content"] == (
        "done\n[image: cat.png, which this model cannot see]"
    )


def test_pictures_in_results_follow_all_results_of_the_step() -> None:
    results = Message("tool", (ToolResult("c1", "", images=(PICTURE,)), ToolResult("c2", "b")))
    entries = sent(PLAIN, user("a"), own(CALL, ToolCall("c2", "ls", {})), results)
    assert [entry["role"] for entry in entries] == ["user", "assistant", "tool", "tool", "user"]
    assert entries[2]["content"] == "The image follows." and entries[-1]["content"] == [
        {"type": "text", "text": "The image in the result of c1:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    entries = sent(ruled(images_in_results=True), user("a"), own(CALL), results)
    assert entries[-1]["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]


# Fields


def test_without_schemas_the_answer_is_held_to_one_in_words() -> None:
    body = encode(Request("s", (user("a"),), schema={"type": "object"}), ruled(response_format="none"))
    assert "response_format" not in body and "JSON" in body["messages"][0]["content"]


def test_refused_fields_are_left_out_wherever_they_come_from() -> None:
    spec = structs.replace(
        ruled(
            unknown_fields=("temperature", "reasoning_effort", "stream"), thinking={"low": {"reasoning_effort": "low"}}
        ),
        body={"temperature": 0.2, "seed": 1},
        thinking="low",
    )
    assert encode(Request("", (user("a"),)), spec).keys() == {"model", "messages", "seed"}


# Anything

NAMES = st.sampled_from(["c1", "c2", "", "toolu/1", "x" * 70])
WORDS = st.sampled_from(["", " ", "words", "ünï", "<think>"])
KEYS = st.sampled_from(["reasoning_content", "reasoning", "<think>", "<thought>", "thinking", "content", "role"])
DATA = st.none() | st.just({"reasoning_details": [{"text": "x"}]}) | st.just({"role": "user"})
VALUES = st.none() | st.integers() | st.floats() | WORDS
IMAGES = st.builds(Image, st.just("image/png"), st.just("AAAA"), WORDS)
CALLS = st.builds(ToolCall, NAMES, WORDS, st.dictionaries(WORDS, VALUES, max_size=2), st.none(), DATA)
RESULTS = st.builds(ToolResult, NAMES, WORDS, st.booleans(), st.lists(IMAGES, max_size=2).map(tuple))
BLOCKS = st.builds(Text, WORDS) | st.builds(Reasoning, WORDS, KEYS, st.none(), DATA) | IMAGES | CALLS | RESULTS
MESSAGES = st.builds(
    Message,
    st.sampled_from(["user", "assistant", "tool", "system"]),
    st.lists(BLOCKS, max_size=4).map(tuple),
    st.sampled_from([None, PLAIN.origin, OTHER]),
)
RULES = st.builds(
    Rules,
    replay_reasoning=st.sampled_from(["none", "tool_calls", "all"]),
    reasoning_required=st.booleans(),
    foreign_reasoning=st.sampled_from(["omit", "text"]),
    system_role=st.sampled_from(["system", "developer", "user"]),
    empty_content=st.sampled_from([None, "", " "]),
    call_ids=st.sampled_from(["any", "nine"]),
    assistant_before_user=st.booleans(),
    images=st.sampled_from([None, True, False]),
    images_in_results=st.booleans(),
    dummy_signature=st.sampled_from(["", "dummy"]),
)


@given(st.lists(MESSAGES, max_size=6), RULES)
@settings(deadline=None, max_examples=200)
def test_any_conversation_becomes_one_that_a_strict_server_takes(messages: list[Message], rules: Rules) -> None:
    entries = sent(structs.replace(PLAIN, rules=rules), *messages, system="s")
    json.dumps(entries, allow_nan=False)
    waiting: list[str] = []
    for entry in entries:
        if entry["role"] == "tool":
            assert entry["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting, "a call without its result"
        assert entry["content"] or entry.get("tool_calls")
        for call in entry.get("tool_calls", []):
            assert entry["role"] == "assistant" and call["id"] and call["function"]["name"]
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            waiting.append(call["id"])
            if rules.reasoning_required:
                assert entry["reasoning_content"]
        assert len(set(waiting)) == len(waiting)
    assert not waiting and entries[-1]["role"] != "assistant"


@given(st.lists(MESSAGES, max_size=6), RULES, st.integers(0, 6))
@settings(deadline=None, max_examples=150)
def test_what_was_sent_once_is_the_beginning_of_what_is_sent_later(
    messages: list[Message], rules: Rules, cut: int
) -> None:
    spec = structs.replace(PLAIN, rules=rules)
    while cut < len(messages) and messages[cut].role == "tool":
        cut += 1  # a step's results are sent together
    before, after = sent(spec, user("a"), *messages[:cut]), sent(spec, user("a"), *messages, user("b"))
    if before[-1] == {"role": "user", "content": "Go on."}:
        before.pop()
    assert after[: len(before)] == before
