"""What is sent on the Responses wire: items as PROTOCOLS wants them, whoever made the conversation."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.scripted.checks_responses import complaints
from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.responses import Decoder, encode
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user

LEVELS = {"off": {"reasoning": {"effort": "none"}}, "high": {"reasoning": {"effort": "high", "summary": "auto"}}}
OPENAI = BackendSpec(
    "openai",
    "",
    "responses",
    "https://one/v1",
    "m",
    Rules(replay_reasoning="all", images_in_results=True, thinking=LEVELS),
)
DEEPSEEK = BackendSpec(
    "deepseek", "", "responses", "https://two/v1", "m", Rules(stateless=True, reasoning_required=True, thinking=LEVELS)
)
OTHER = Origin("other", "https://elsewhere/v1", "x", "chat-completions")
ITEM = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA", "status": None}
THOUGHT = Reasoning("Need it.", "reasoning", data=ITEM)
CALL = ToolCall("c1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("c1", "a.py"),))
CAT = Image("image/png", "AAAA", "cat.png")
SENT_CAT = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}


def sent(spec: BackendSpec, *messages: Message) -> list[dict[str, Any]]:
    """The items behind the user's first."""
    return list(encode(Request("", (user("list"), *messages)), spec)["input"][1:])


def own(spec: BackendSpec, *blocks: Any) -> Message:
    return Message("assistant", blocks, spec.origin)


def foreign(*blocks: Any) -> Message:
    return Message("assistant", blocks, OTHER)


def rules(spec: BackendSpec, **changes: Any) -> BackendSpec:
    return structs.replace(spec, rules=structs.replace(spec.rules, **changes))


def words(text: str) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def asked(*parts: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"type": "message", "role": "user", "content": content}


def test_a_first_question_asks_for_nothing_to_be_stored_and_for_reasoning_to_keep() -> None:
    body = encode(Request("Be brief.", (user("Hi"),)), OPENAI)
    assert len(body.pop("prompt_cache_key")) == 32
    assert body == {
        "model": "m",
        "instructions": "Be brief.",
        "input": [asked("Hi")],
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }


def test_a_server_that_keeps_nothing_is_not_asked_not_to() -> None:
    assert encode(Request("", (user("Hi"),)), DEEPSEEK).keys() == {"model", "input", "stream"}


def test_tools_are_flat_and_not_strict() -> None:
    schema = {"type": "object", "properties": {}}
    body = encode(Request("", (user("a"),), tools=(ToolSpec("ls", "Lists.", schema),), tool_choice="required"), OPENAI)
    assert body["tools"] == [
        {"type": "function", "name": "ls", "description": "Lists.", "parameters": schema, "strict": False}
    ]
    assert body["tool_choice"] == "required"


@pytest.mark.parametrize(("thinking", "is_sent"), [(None, False), ("high", False), ("off", True)])
def test_a_call_is_not_demanded_of_a_server_that_refuses_that_while_thinking(
    thinking: str | None, is_sent: bool
) -> None:
    spec = structs.replace(rules(OPENAI, tool_choice_while_thinking=False), thinking=thinking)
    request = Request("", (user("a"),), tools=(ToolSpec("ls", "", {"type": "object"}),), tool_choice="required")
    assert ("tool_choice" in encode(request, spec)) is is_sent


def test_a_schema_constrains_the_answer_as_the_server_can() -> None:
    request = Request("s", (user("a"),), schema={"type": "object"})
    assert encode(request, OPENAI)["text"] == {
        "format": {"type": "json_schema", "name": "answer", "schema": {"type": "object"}}
    }
    body = encode(request, rules(OPENAI, response_format="json_object"))
    assert body["text"] == {"format": {"type": "json_object"}} and '{"type": "object"}' in body["instructions"]
    body = encode(request, rules(OPENAI, response_format="none"))
    assert "text" not in body and '{"type": "object"}' in body["instructions"]


def test_limits_thinking_and_own_fields_are_merged_field_by_field() -> None:
    spec = structs.replace(
        OPENAI,
        max_output=100,
        thinking="high",
        body={"reasoning": {"summary": "detailed"}, "text": {"verbosity": "low"}},
    )
    body = encode(Request("", (user("a"),), schema={"type": "object"}, body={"seed": 1}), spec)
    assert body["max_output_tokens"] == 100 and body["seed"] == 1
    assert body["reasoning"] == {"effort": "high", "summary": "detailed"}
    assert body["text"].keys() == {"format", "verbosity"}


def test_fields_that_a_server_refuses_are_left_out_whoever_wants_them() -> None:
    spec = structs.replace(rules(OPENAI, unknown_fields=("prompt_cache_key", "seed")), body={"seed": 1})
    assert not {"prompt_cache_key", "seed"} & encode(Request("", (user("a"),)), spec).keys()


def test_encrypted_reasoning_goes_back_whole_without_its_id_before_what_it_led_to() -> None:
    assert sent(OPENAI, own(OPENAI, THOUGHT, CALL), RESULT) == [
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "c1", "name": "ls", "arguments": '{"path": "."}'},
        {"type": "function_call_output", "call_id": "c1", "output": "a.py"},
    ]


def test_each_reasoning_item_stays_where_it_was() -> None:
    second = Reasoning("", "reasoning", data=ITEM | {"encrypted_content": "gBBB"})
    items = sent(OPENAI, own(OPENAI, THOUGHT, Text("I look."), second, CALL), RESULT)
    assert [item.get("encrypted_content", item["type"]) for item in items] == [
        *("gAAA", "message", "gBBB", "function_call", "function_call_output")
    ]


def test_reasoning_that_led_to_nothing_is_left_out_and_the_message_with_it() -> None:
    assert sent(OPENAI, own(OPENAI, THOUGHT), user("go on")) == [asked("go on")]
    assert sent(OPENAI, own(OPENAI, Text("Hi"), THOUGHT), user("go on")) == [words("Hi"), asked("go on")]


@pytest.mark.parametrize(
    "thought", [Reasoning("hm"), Reasoning("hm", "reasoning", data={"type": "reasoning", "id": "rs_1", "summary": []})]
)
def test_reasoning_that_the_server_could_not_find_is_left_out(thought: Reasoning) -> None:
    assert next(item["type"] for item in sent(OPENAI, own(OPENAI, thought, CALL), RESULT)) == "function_call"


def test_a_server_that_gives_its_reasoning_as_text_gets_it_back() -> None:
    content = [{"type": "reasoning_text", "text": "Need it."}]
    whole = Reasoning("Need it.", "reasoning", data={"type": "reasoning", "id": "rs_1", "content": content})
    item = {"type": "reasoning", "summary": [], "content": content}
    assert sent(DEEPSEEK, own(DEEPSEEK, whole, CALL), RESULT)[0] == item
    assert sent(DEEPSEEK, own(DEEPSEEK, Reasoning("Need it.", "reasoning"), CALL), RESULT)[0] == item
    assert sent(DEEPSEEK, own(DEEPSEEK, whole, Text("Hi")), user("more"))[0] == words("Hi")


def test_reasoning_as_text_goes_back_to_a_server_of_which_nothing_else_is_known() -> None:
    data = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    item = sent(OPENAI, own(OPENAI, Reasoning("Hm.", "reasoning", data=data), CALL), RESULT)[0]
    assert item == {name: value for name, value in data.items() if name != "id"}


def test_a_server_that_demands_reasoning_gets_foreign_thoughts_or_words_of_the_turn() -> None:
    def first(*blocks: Any) -> Any:
        return sent(DEEPSEEK, foreign(*blocks), RESULT)[0]

    assert first(Reasoning("Theirs."), CALL)["content"] == [{"type": "reasoning_text", "text": "Theirs."}]
    assert first(CALL)["content"] == [{"type": "reasoning_text", "text": "Calling ls (c1)."}]


def test_no_reasoning_goes_to_a_server_that_wants_none() -> None:
    spec = rules(OPENAI, replay_reasoning="none")
    assert sent(spec, own(spec, THOUGHT, CALL), RESULT)[0]["type"] == "function_call"
    spec = rules(OPENAI, replay_reasoning="tool_calls")
    assert sent(spec, own(spec, THOUGHT, Text("Hi")), user("a"))[0] == words("Hi")


def test_nothing_opaque_crosses_to_another_server() -> None:
    message = foreign(THOUGHT, Text("Hi", {"phase": "final_answer"}), ToolCall("c1", "ls", {}, extra={"x": 1}))
    items = sent(OPENAI, message, RESULT)
    assert items[0] == words("Hi") and "gAAA" not in json.dumps(items) and "x" not in items[1]


def test_foreign_reasoning_goes_along_as_words_if_the_user_wishes() -> None:
    items = sent(rules(OPENAI, foreign_reasoning="text"), foreign(Reasoning("Hm."), Text("Hi")), user("a"))
    assert items[:2] == [words("Hm."), words("Hi")]


def test_the_phase_of_a_message_goes_back_with_it() -> None:
    (item, _) = sent(OPENAI, own(OPENAI, Text("I look.", {"phase": "commentary"})), user("a"))
    assert item == words("I look.") | {"phase": "commentary"}


def test_items_that_we_do_not_know_go_back_verbatim_and_in_place() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}}
    block = Reasoning("", "web_search_call", data=search)
    assert sent(OPENAI, own(OPENAI, block, Text("Rain.")), user("a"))[:2] == [search, words("Rain.")]
    assert sent(OPENAI, foreign(block, Text("Rain.")), user("a"))[0] == words("Rain.")


def test_ids_and_names_that_a_server_would_refuse_are_made_acceptable() -> None:
    long = "toolu/" + "x" * 80
    call, result = sent(OPENAI, foreign(ToolCall(long, "read file", {})), Message("tool", (ToolResult(long, "ok"),)))[
        :2
    ]
    assert call["call_id"] == result["call_id"] and len(call["call_id"]) <= 64 and call["name"] == "read_file"


def test_calls_that_were_interrupted_have_results() -> None:
    items = sent(OPENAI, own(OPENAI, CALL), user("stop"))
    assert items[1]["type"] == "function_call_output" and items[1]["call_id"] == "c1"


def test_a_conversation_that_ends_with_the_model_goes_on_with_the_user() -> None:
    assert sent(OPENAI, own(OPENAI, Text("Hi")))[1]["role"] == "user"


def test_pictures_go_where_the_server_takes_them() -> None:
    shown = Message("tool", (ToolResult("c1", "a cat", images=(CAT,)),))
    assert encode(Request("", (Message("user", (Text("look"), CAT)),)), OPENAI)["input"] == [asked("look", SENT_CAT)]
    output = sent(OPENAI, own(OPENAI, CALL), shown)[1]["output"]
    assert output == [{"type": "input_text", "text": "a cat"}, SENT_CAT]
    items = sent(rules(OPENAI, images_in_results=False), own(OPENAI, CALL), shown)
    assert items[1]["output"] == "a cat" and items[2] == asked(SENT_CAT)


def test_a_model_that_cannot_see_is_told_of_the_picture() -> None:
    spec = rules(OPENAI, images=False)
    note = "[image: cat.png, which this model cannot see]"
    assert encode(Request("", (Message("user", (CAT,)),)), spec)["input"] == [asked(note)]
    result = Message("tool", (ToolResult("c1", "a cat", images=(CAT,)),))
    assert sent(spec, own(spec, CALL), result)[1]["output"] == f"a cat\n{note}"


BLOCKS = (
    st.builds(Text, st.sampled_from(["", "Hi", "Good."]))
    | st.just(THOUGHT)
    | st.builds(Reasoning, st.sampled_from(["", "hm"]))
    | st.builds(ToolCall, st.sampled_from(["c1", "c2", "toolu/1"]), st.sampled_from(["ls", "a b", ""]), st.just({}))
)
MESSAGES = (
    st.builds(
        Message,
        st.just("assistant"),
        st.lists(BLOCKS, max_size=4).map(tuple),
        st.sampled_from([OPENAI.origin, DEEPSEEK.origin, OTHER, None]),
    )
    | st.builds(lambda text: user(text), st.sampled_from(["a", ""]))
    | st.just(RESULT)
)


@given(messages=st.lists(MESSAGES, max_size=6), spec=st.sampled_from([OPENAI, DEEPSEEK]))
@settings(deadline=None, max_examples=150)
def test_any_history_becomes_one_that_a_strict_server_takes(messages: list[Message], spec: BackendSpec) -> None:
    body = encode(Request("", (user("list"), *messages)), spec)
    assert list(complaints(body)) == []
    for item, following in itertools.pairwise([*body["input"], {"type": "end"}]):
        assert item["type"] != "reasoning" or following["type"] in ("reasoning", "message", "function_call")
        assert item["type"] != "reasoning" or following.get("role") != "user"
        assert "id" not in item


@given(messages=st.lists(MESSAGES, max_size=5))
@settings(deadline=None, max_examples=60)
def test_what_was_sent_stays_the_same_when_more_follows(messages: list[Message]) -> None:
    def body(*more: Message) -> Any:
        return encode(Request("s", (user("list"), *messages, user("more"), *more)), OPENAI)

    first, then = body(), body(own(OPENAI, THOUGHT, Text("Hi")), user("on"))
    assert then["input"][: len(first["input"])] == first["input"]
    assert then["prompt_cache_key"] == first["prompt_cache_key"]


def test_an_answer_goes_back_as_it_came() -> None:
    decoder = Decoder(OPENAI)
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "ls", "arguments": "{}", "novel": 1}
    for item in (ITEM, message | {"phase": "commentary"}, call):
        decoder.feed(json.dumps({"type": "response.output_item.done", "item": item}))
    decoder.feed('{"type": "response.completed", "response": {}}')
    items = sent(OPENAI, decoder.finish().message, RESULT)
    assert items[0]["encrypted_content"] == "gAAA" and items[1]["phase"] == "commentary"
    assert items[2] == {"type": "function_call", "call_id": "c1", "name": "ls", "arguments": "{}", "novel": 1}
