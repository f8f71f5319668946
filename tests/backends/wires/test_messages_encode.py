"""What is sent on the Messages wire: what Claude demands, and those that speak like it."""

from __future__ import annotations

import json
from typing import Any

from msgspec import structs

from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.messages import encode
from tui.core.messages import Block, Image, Json, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user

CLAUDE = BackendSpec(
    "claude",
    "",
    "messages",
    "https://claude.test",
    "c",
    Rules(replay_reasoning="all", cache_marks=True, images_in_results=True, tool_choice_while_thinking=False),
)
MIMO = BackendSpec(
    "mimo",
    "",
    "messages",
    "https://mimo.test/anthropic",
    "m",
    Rules(replay_reasoning="all", reasoning_required=True, unsigned_thinking=True),
)
PLAIN = BackendSpec("lab", "", "messages", "http://lab", "x")
OTHER = Origin("other", "https://elsewhere/v1", "x", "chat-completions")
CALL = ToolCall("toolu_1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("toolu_1", "a.py"),))
SIGNED = Reasoning("need ls", "thinking", "Eq")
PICTURE = Image("image/png", "AAAA", "cat.png")
LS = ToolSpec("ls", "Lists.", {"type": "object", "properties": {}})
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def own(spec: BackendSpec, *blocks: Block) -> Message:
    return Message("assistant", blocks, spec.origin)


def foreign(*blocks: Block) -> Message:
    return Message("assistant", blocks, OTHER)


def with_rules(spec: BackendSpec, **rules: Any) -> BackendSpec:
    return structs.replace(spec, rules=structs.replace(spec.rules, **rules))


def sent(spec: BackendSpec, *messages: Message) -> list[Json]:
    """The entries behind the first question."""
    entries: list[Json] = unmarked(encode(Request("", (user("list"), *messages)), spec)["messages"])
    assert entries[0] == {"role": "user", "content": [{"type": "text", "text": "list"}]}
    return entries[1:]


def unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items() if key != "cache_control"}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


def says(text: str) -> Json:
    return {"type": "text", "text": text}


def test_a_first_question_has_a_limit_always() -> None:
    assert encode(Request("Be brief.", (user("Hi"),)), PLAIN) == {
        "model": "x",
        "max_tokens": 32_000,
        "stream": True,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [says("Hi")]}],
    }
    assert encode(Request("", (user("Hi"),)), structs.replace(PLAIN, max_output=9))["max_tokens"] == 9


def test_the_assumed_limit_is_none_that_the_model_cannot_keep() -> None:
    assert encode(Request("", (user("Hi"),)), structs.replace(PLAIN, context_window=8192))["max_tokens"] == 4096
    assert encode(Request("", (user("Hi"),)), structs.replace(PLAIN, output_limit=8192))["max_tokens"] == 8192


def test_tools_and_their_choice_are_in_the_words_of_the_wire() -> None:
    request = Request("", (user("a"),), (LS,), tool_choice="required")
    body = encode(request, PLAIN)
    assert body["tools"] == [{"name": "ls", "description": "Lists.", "input_schema": LS.parameters}]
    assert body["tool_choice"] == {"type": "any"}
    assert encode(structs.replace(request, tool_choice="auto"), CLAUDE)["tool_choice"] == {"type": "auto"}
    assert "tool_choice" not in encode(structs.replace(request, tools=()), PLAIN)
    assert len(encode(structs.replace(request, tools=(LS, LS)), PLAIN)["tools"]) == 1


def test_a_forced_choice_is_left_out_where_thinking_forbids_it() -> None:
    request = Request("", (user("a"),), (LS,), tool_choice="required")
    assert "tool_choice" not in encode(request, CLAUDE)
    assert encode(request, structs.replace(CLAUDE, thinking="off"))["tool_choice"] == {"type": "any"}


def test_a_schema_and_the_thinking_effort_share_their_object() -> None:
    levels = {"high": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}}
    spec = structs.replace(with_rules(CLAUDE, thinking=levels), thinking="high")
    body = encode(Request("", (user("a"),), schema=SCHEMA), spec)
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "high"}
    assert body["thinking"] == {"type": "adaptive"}


def test_a_server_that_knows_no_schemas_is_told_in_words() -> None:
    body = encode(Request("s", (user("a"),), schema=SCHEMA), with_rules(PLAIN, response_format="none"))
    assert "output_config" not in body and body["system"].startswith("s\n\n") and json.dumps(SCHEMA) in body["system"]


def test_refused_fields_are_left_out_and_own_ones_win() -> None:
    spec = structs.replace(
        with_rules(PLAIN, unknown_fields=("stream", "top_k")), body={"top_k": 5, "max_tokens": 7, "temperature": 1}
    )
    body = encode(Request("", (user("a"),), body={"temperature": 0.5}), spec)
    assert "stream" not in body and "top_k" not in body and body["max_tokens"] == 7 and body["temperature"] == 0.5


def test_a_server_without_a_system_prompt_hears_it_from_the_user() -> None:
    body = encode(Request("Be brief.", (user("Hi"),)), with_rules(PLAIN, system_role="user"))
    assert "system" not in body and body["messages"][0]["content"] == [says("Be brief."), says("Hi")]


def test_all_results_come_first_in_one_message_of_the_user() -> None:
    calls = (CALL, ToolCall("toolu_2", "ls", {}))
    results = (Message("tool", (ToolResult("toolu_1", "a"),)), Message("tool", (ToolResult("toolu_2", "", True),)))
    _, entry = sent(CLAUDE, own(CLAUDE, *calls), *results, user("and now?"))
    assert entry == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a"},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "(empty)", "is_error": True},
            says("and now?"),
        ],
    }


def test_what_is_behind_a_call_is_put_before_it() -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, SIGNED, CALL, Text("behind")), RESULT)
    assert [block["type"] for block in answer["content"]] == ["thinking", "text", "tool_use"]


def test_arguments_that_were_no_object_go_back_as_an_empty_one() -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, ToolCall("toolu_1", "ls", {}, raw="[1")), RESULT)
    assert answer["content"][0]["input"] == {}


def test_ids_of_others_are_made_acceptable_and_results_follow() -> None:
    call = ToolCall("functions.ls:0", "ns.ls", {}, extra={"secret": 1})
    answer, results = sent(CLAUDE, foreign(call), Message("tool", (ToolResult("functions.ls:0", "a"),)))
    block = answer["content"][0]
    assert block["id"].startswith("call_") and block["name"] == "ns_ls" and "secret" not in block
    assert results["content"][0]["tool_use_id"] == block["id"]


def test_ids_that_a_server_uses_again_are_told_apart() -> None:
    again = (foreign(ToolCall("call_0", "ls", {})), Message("tool", (ToolResult("call_0", "a"),)))
    entries = sent(CLAUDE, *again, *again, *again)
    calls = [entry["content"][0]["id"] for entry in entries[::2]]
    assert len(set(calls)) == 3 and [entry["content"][0]["tool_use_id"] for entry in entries[1::2]] == calls


def test_what_came_with_a_call_goes_back_to_the_same_origin() -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, ToolCall("toolu_1", "ls", {}, extra={"caller": {"type": "direct"}})), RESULT)
    assert answer["content"][0]["caller"] == {"type": "direct"}


def test_nothing_empty_is_sent() -> None:
    assert sent(CLAUDE, own(CLAUDE, Text(" \n")), Message("user", (Text(""), Text("\n")))) == []
    assert encode(Request(" ", (user(" "),)), PLAIN)["messages"] == [{"role": "user", "content": [says("Go on.")]}]
    assert "system" not in encode(Request(" ", (user("a"),)), PLAIN)


def test_the_user_is_the_first_and_the_last() -> None:
    body = encode(Request("", (own(PLAIN, Text("Hello ")),)), PLAIN)
    assert [(entry["role"], entry["content"][0]["text"]) for entry in body["messages"]] == [
        ("user", "Go on."),
        ("assistant", "Hello "),
        ("user", "Go on."),
    ]


def test_what_a_request_ended_with_stays_when_more_follows() -> None:
    asked = (own(CLAUDE, Text("a")),)
    before = sent(CLAUDE, *asked)
    assert sent(CLAUDE, *asked, own(CLAUDE, SIGNED, Text("b")), user("c"))[: len(before)] == before


def test_after_a_pause_the_answer_goes_back_unchanged_and_is_the_last() -> None:
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    paused = own(CLAUDE, SIGNED, Text("I search. "), Reasoning("", "server_tool_use", data=search))
    content = [{"type": "thinking", "thinking": "need ls", "signature": "Eq"}, says("I search. "), search]
    assert sent(CLAUDE, paused) == [{"role": "assistant", "content": content}]
    assert sent(with_rules(CLAUDE, replay_reasoning="tool_calls"), paused) == [
        {"role": "assistant", "content": content}
    ]
    found = own(CLAUDE, Text("Found."))
    assert sent(CLAUDE, paused, found, user("go"))[0] == {"role": "assistant", "content": [*content, says("Found.")]}


def test_a_refused_turn_is_not_sent_again_to_who_refused_it() -> None:
    refused = (user("how to"), own(CLAUDE, Text("First"), Reasoning("", "refusal", data={"type": "refusal"})))
    assert sent(CLAUDE, own(CLAUDE, Text("ok")), *refused, user("then this")) == [
        {"role": "assistant", "content": [says("ok")]},
        {"role": "user", "content": [says("then this")]},
    ]
    assert "how to" in json.dumps(sent(MIMO, own(CLAUDE, Text("ok")), *refused, user("then this")))


def test_images_go_as_base64_and_as_a_note_to_who_cannot_see() -> None:
    message = Message("user", (Text("what is this"), PICTURE))
    request = Request("", (message,))
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert encode(request, PLAIN)["messages"][0]["content"][1] == {"type": "image", "source": source}
    (entry,) = encode(request, with_rules(PLAIN, images=False))["messages"]
    assert entry["content"][1] == says("[image: cat.png, which this model cannot see]")


def test_images_of_tools_are_in_the_result_or_follow_it() -> None:
    turn = (CALL, Message("tool", (ToolResult("toolu_1", "seen", images=(PICTURE,)),)))
    _, entry = sent(CLAUDE, own(CLAUDE, turn[0]), turn[1])
    (result,) = entry["content"]
    assert [part["type"] for part in result["content"]] == ["text", "image"]
    _, entry = sent(PLAIN, own(PLAIN, turn[0]), turn[1], user("so?"))
    assert [block["type"] for block in entry["content"]] == ["tool_result", "image", "text"]
    _, entry = sent(with_rules(CLAUDE, images=False), own(CLAUDE, turn[0]), turn[1])
    assert entry["content"][0]["content"] == [says("seen"), says("[image: cat.png, which this model cannot see]")]


def marks(value: Any) -> int:
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(marks(item) for item in value.values())
    return sum(marks(item) for item in value) if isinstance(value, list) else 0


def test_cache_marks_end_the_system_prompt_and_the_last_two_messages_of_the_user() -> None:
    history = (user("a"), own(CLAUDE, SIGNED, CALL), RESULT, own(CLAUDE, SIGNED, Text("ok")), user("b"))
    body = encode(Request("s", history, (LS,)), CLAUDE)
    assert body["system"] == [says("s") | {"cache_control": {"type": "ephemeral"}}]
    assert [marks(entry) for entry in body["messages"]] == [0, 0, 1, 0, 1] and marks(body) == 3
    without_system = encode(Request("", history, (LS, LS)), CLAUDE)
    assert marks(without_system["tools"][-1]) == 1 and marks(without_system) == 3
    assert marks(encode(Request("s", history, (LS,)), PLAIN)) == 0


def test_what_the_last_request_cached_is_marked_again() -> None:
    first = (user("a"), own(CLAUDE, *[ToolCall(f"t{i}", "ls", {}) for i in range(30)]))
    more = (Message("tool", tuple(ToolResult(f"t{i}", "x") for i in range(30))),)
    before = encode(Request("s", first[:1]), CLAUDE)["messages"][-1]
    assert encode(Request("s", first + more), CLAUDE)["messages"][0] == before
