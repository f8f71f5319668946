"""What is sent on the chat wire: the messages as each kind of server demands them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs

from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.chat_completions import encode
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user
from tui.settings.config import Settings

PLAIN = BackendSpec("lab", "", "chat-completions", "http://lab/v1", "m")
MIMO = resolve(Settings(), "xiaomi-mimo")
DEEPSEEK = resolve(Settings(), "deepseek")
OTHER = Origin("other", "https://elsewhere/v1", "x", "chat-completions")
CALL = ToolCall("c1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("c1", "a.py"),))


def sent(spec: BackendSpec, *messages: Message, **fields: Any) -> list[dict[str, Any]]:
    body = encode(Request("", (user("list"), *messages), **fields), spec)
    return list(body["messages"][1:])


def own(spec: BackendSpec, *blocks: Any) -> Message:
    return Message("assistant", blocks, spec.origin)


def test_a_first_question_is_what_every_server_takes() -> None:
    assert encode(Request("Be brief.", (user("Hi"),)), PLAIN) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_same_request_gives_the_same_bytes() -> None:
    request = Request("s", (user("a"), own(MIMO, Reasoning("r"), CALL), RESULT))
    assert json.dumps(encode(request, MIMO)) == json.dumps(encode(request, MIMO))


def test_tools_are_sent_as_functions_without_strict() -> None:
    schema = {"type": "object", "properties": {}}
    body = encode(Request("", (user("a"),), tools=(ToolSpec("ls", "Lists.", schema),)), PLAIN)
    assert body["tools"] == [
        {"type": "function", "function": {"name": "ls", "description": "Lists.", "parameters": schema}}
    ]


def test_a_schema_constrains_the_answer() -> None:
    schema = {"type": "object"}
    body = encode(Request("s", (user("a"),), schema=schema), PLAIN)
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert body["messages"][0]["content"] == "s"


def test_a_server_that_knows_json_objects_only_is_told_the_schema_in_words() -> None:
    body = encode(Request("s", (user("a"),), schema={"type": "object"}), DEEPSEEK)
    assert body["response_format"] == {"type": "json_object"}
    assert body["messages"][0]["content"].startswith("s\n\n") and '{"type": "object"}' in body["messages"][0]["content"]


def test_limits_thinking_and_own_fields_go_where_the_server_wants_them() -> None:
    spec = structs.replace(DEEPSEEK, max_output=100, thinking="max", body={"temperature": 0.1, "stream": False})
    body = encode(Request("", (user("a"),)), spec)
    assert body["max_tokens"] == 100 and body["temperature"] == 0.1 and body["stream"] is False
    assert body["thinking"] == {"type": "enabled"} and body["reasoning_effort"] == "max"
    assert encode(Request("", (user("a"),)), structs.replace(MIMO, max_output=9))["max_completion_tokens"] == 9


def test_a_server_that_does_not_know_stream_options_is_not_sent_any() -> None:
    assert "stream_options" not in encode(
        Request("", (user("a"),)), structs.replace(PLAIN, rules=Rules(stream_usage=False))
    )


@pytest.mark.parametrize("spec", [MIMO, DEEPSEEK], ids=["MiMo", "DeepSeek"])
def test_reasoning_of_a_tool_call_goes_back_under_its_key(spec: BackendSpec) -> None:
    assert sent(spec, own(spec, Reasoning("need ls"), CALL), RESULT) == [
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "need ls",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": '{"path": "."}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a.py"},
    ]


def test_reasoning_of_plain_answers_goes_back_only_where_it_is_wished() -> None:
    (entry, _) = sent(MIMO, own(MIMO, Reasoning("hm"), Text("Hi")), user("and?"))
    assert entry == {"role": "assistant", "content": "Hi", "reasoning_content": "hm"}
    (entry, _) = sent(DEEPSEEK, own(DEEPSEEK, Reasoning("hm"), Text("Hi")), user("and?"))
    assert entry == {"role": "assistant", "content": "Hi"}


def test_a_key_that_a_server_used_is_the_key_it_gets_back() -> None:
    (entry, _) = sent(PLAIN, own(PLAIN, Reasoning("hm", key="reasoning"), CALL), RESULT)
    assert entry["reasoning"] == "hm" and "reasoning_content" not in entry


def test_structured_reasoning_goes_back_unaltered() -> None:
    data = {"reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "Eq"}]}
    (entry, _) = sent(PLAIN, own(PLAIN, Reasoning("hm", key="reasoning", data=data), CALL), RESULT)
    assert entry["reasoning"] == "hm" and entry["reasoning_details"] == data["reasoning_details"]


def test_reasoning_that_came_inside_the_content_goes_back_there() -> None:
    (tagged, _) = sent(PLAIN, own(PLAIN, Reasoning("\nhm\n", key="<think>"), Text("\n\nok"), CALL), RESULT)
    assert tagged["content"] == "<think>\nhm\n</think>\n\nok" and "<think>" not in tagged
    (parts, _) = sent(PLAIN, own(PLAIN, Reasoning("hm", key="thinking"), Text("ok"), CALL), RESULT)
    assert parts["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "ok"},
    ]


def test_reasoning_of_another_server_stays_here() -> None:
    foreign = Message("assistant", (Reasoning("secret thoughts", key="reasoning"), Text("Hi"), CALL), OTHER)
    assert "secret" not in json.dumps(sent(PLAIN, foreign, RESULT))
    assert "secret" not in json.dumps(sent(MIMO, Message("assistant", (Reasoning("secret"), Text("Hi")), OTHER)))


def test_a_server_that_demands_reasoning_gets_foreign_thoughts_or_words_of_the_turn() -> None:
    (entry, _) = sent(MIMO, Message("assistant", (Reasoning("theirs", key="reasoning"), CALL), OTHER), RESULT)
    assert entry["reasoning_content"] == "theirs" and "reasoning" not in entry
    (entry, _) = sent(DEEPSEEK, Message("assistant", (CALL,), OTHER), RESULT)
    assert entry["reasoning_content"] == "Calling ls (c1)."
    (entry, _) = sent(DEEPSEEK, own(DEEPSEEK, Reasoning(""), CALL), RESULT)
    assert entry["reasoning_content"] == "Calling ls (c1)."


def test_the_same_model_under_another_name_of_the_users_is_the_same() -> None:
    renamed = structs.replace(MIMO, name="work")
    (entry, _) = sent(renamed, own(MIMO, Reasoning("need ls"), CALL), RESULT)
    assert entry["reasoning_content"] == "need ls"


def test_no_reasoning_goes_to_a_server_that_wants_none() -> None:
    spec = structs.replace(PLAIN, rules=Rules(replay_reasoning="none"))
    (entry, _) = sent(spec, own(spec, Reasoning("hm"), CALL), RESULT)
    assert entry.keys() == {"role", "content", "tool_calls"}


@pytest.mark.parametrize("content", [None, "", " "])
def test_content_beside_calls_is_as_empty_as_the_server_likes(content: str | None) -> None:
    spec = structs.replace(PLAIN, rules=Rules(empty_content=content))
    (entry, _) = sent(spec, own(spec, CALL), RESULT)
    assert entry["content"] == content


def test_arguments_that_were_no_object_go_back_as_an_empty_one() -> None:
    (entry, _) = sent(PLAIN, own(PLAIN, ToolCall("c1", "ls", {}, raw='{"pa')), RESULT)
    assert entry["tool_calls"][0]["function"]["arguments"] == "{}"


def test_an_answer_without_words_and_calls_is_left_out() -> None:
    assert sent(PLAIN, own(PLAIN, Reasoning("hm")), own(PLAIN), user("again")) == [{"role": "user", "content": "again"}]


def test_ids_of_another_server_are_made_acceptable_with_their_results() -> None:
    long = "toolu/" + "x" * 80
    foreign = Message("assistant", (ToolCall(long, "ls", {}),), OTHER)
    (entry, result) = sent(PLAIN, foreign, Message("tool", (ToolResult(long, "ok"),)))
    id = entry["tool_calls"][0]["id"]
    assert id == result["tool_call_id"] and len(id) <= 40 and id.replace("_", "").isalnum()
    (entry, result) = sent(PLAIN, own(PLAIN, ToolCall(long, "ls", {})), Message("tool", (ToolResult(long, "ok"),)))
    assert entry["tool_calls"][0]["id"] == result["tool_call_id"] == long


def test_a_name_that_no_server_takes_is_made_one_that_all_take() -> None:
    (entry, _) = sent(PLAIN, own(PLAIN, ToolCall("c1", "read file\n", {})), RESULT)
    assert entry["tool_calls"][0]["function"]["name"] == "read_file_"
    (entry, _) = sent(PLAIN, own(PLAIN, ToolCall("c1", "", {})), RESULT)
    assert entry["tool_calls"][0]["function"]["name"] == "unknown"


def test_what_a_vendor_sent_with_a_call_goes_back_to_it_alone() -> None:
    signed = ToolCall("c1", "ls", {}, extra={"extra_content": {"google": {"thought_signature": "Cr"}}})
    (entry, _) = sent(PLAIN, own(PLAIN, signed), RESULT)
    assert entry["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "Cr"}}
    (entry, _) = sent(PLAIN, Message("assistant", (signed,), OTHER), RESULT)
    assert "extra_content" not in entry["tool_calls"][0]


def test_all_results_of_a_message_become_one_entry_each() -> None:
    results = Message("tool", (ToolResult("c1", "a"), ToolResult("c2", "b", is_error=True)))
    entries = sent(PLAIN, own(PLAIN, CALL, ToolCall("c2", "ls", {})), results)
    assert [(entry["tool_call_id"], entry["content"]) for entry in entries[1:]] == [("c1", "a"), ("c2", "b")]


def test_pictures_are_sent_as_parts() -> None:
    message = Message("user", (Text("what is this"), Image("image/png", "AAAA")))
    assert sent(PLAIN, message)[0]["content"] == [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
