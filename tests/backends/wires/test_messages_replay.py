"""What goes back on the Messages wire: reasoning by its vendor's rules, and any history as a strict server takes it."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.wires.test_messages_encode import (
    CALL,
    CLAUDE,
    MIMO,
    OTHER,
    PICTURE,
    PLAIN,
    RESULT,
    SIGNED,
    foreign,
    own,
    says,
    sent,
    unmarked,
    with_rules,
)
from tui.backends.spec import BackendSpec, Request
from tui.backends.wires.messages import encode
from tui.core.messages import Message, Origin, Reasoning, Text, ToolCall, ToolResult, user


def test_signed_thinking_goes_back_verbatim_and_in_place() -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, SIGNED, Text("I look."), CALL), RESULT)
    assert answer["content"] == [
        {"type": "thinking", "thinking": "need ls", "signature": "Eq"},
        says("I look."),
        {"type": "tool_use", "id": "toolu_1", "name": "ls", "input": {"path": "."}},
    ]


def test_thinking_without_text_goes_back_for_its_signature() -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, Reasoning("", "thinking", "Eq"), CALL), RESULT)
    assert answer["content"][0] == {"type": "thinking", "thinking": "", "signature": "Eq"}


def test_redacted_thinking_and_unknown_blocks_go_back_whole() -> None:
    redacted = {"type": "redacted_thinking", "data": "Em"}
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    blocks = (
        Reasoning("", "redacted_thinking", data=redacted),
        Reasoning("", "server_tool_use", data=search),
        Text("ok", {"citations": [{"cited_text": "x"}]}),
    )
    (answer, _) = sent(CLAUDE, own(CLAUDE, *blocks), user("more"))
    assert answer["content"] == [redacted, search, says("ok") | {"citations": [{"cited_text": "x"}]}]
    (answer, _) = sent(CLAUDE, foreign(*blocks), user("more"))
    assert answer["content"] == [says("ok")]


@pytest.mark.parametrize("key", ["thinking", "reasoning_content"])
def test_a_block_of_a_cut_stream_is_dropped_and_its_text_kept(key: str) -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, Reasoning("half a th", key), Text("I lo")), user("go"))
    assert answer["content"] == [says("I lo")]
    silent = Request("", (user("a"), own(CLAUDE, Reasoning("half a th", key)), user("go")))
    (entry,) = unmarked(encode(silent, CLAUDE)["messages"])
    assert entry["content"] == [says("a"), says("go")]


def test_an_answer_never_ends_with_thinking() -> None:
    (answer, _) = sent(CLAUDE, own(CLAUDE, Text("I lo"), SIGNED), user("go"))
    assert answer["content"] == [says("I lo")]


def test_unsigned_thinking_goes_back_to_those_who_want_it() -> None:
    (answer, _) = sent(MIMO, own(MIMO, Reasoning("need ls", "thinking"), CALL), RESULT)
    assert answer["content"][0] == {"type": "thinking", "thinking": "need ls", "signature": ""}


@pytest.mark.parametrize(("rule", "of_calls", "of_answers"), [("all", 1, 1), ("tool_calls", 1, 0), ("none", 0, 0)])
def test_the_rule_says_whose_thinking_goes_back(rule: str, of_calls: int, of_answers: int) -> None:
    spec = with_rules(CLAUDE, replay_reasoning=rule)
    calling, _, answer, _ = sent(spec, own(spec, SIGNED, CALL), RESULT, own(spec, SIGNED, Text("ok")), user("go"))
    kinds = [[block["type"] for block in entry["content"]].count("thinking") for entry in (calling, answer)]
    assert kinds == [of_calls, of_answers]


def test_foreign_reasoning_never_crosses() -> None:
    stranger = Message("assistant", (SIGNED, Text("ok"), CALL), Origin("c", CLAUDE.base_url, "older", "messages"))
    (answer, _) = sent(CLAUDE, stranger, RESULT)
    assert [block["type"] for block in answer["content"]] == ["text", "tool_use"]
    assert "Eq" not in json.dumps(answer) and "need" not in json.dumps(answer)


def test_foreign_reasoning_goes_along_as_words_on_the_users_wish() -> None:
    (answer, _) = sent(with_rules(CLAUDE, foreign_reasoning="text"), foreign(SIGNED, Text("ok")), user("go"))
    assert answer["content"] == [says("need ls"), says("ok")]


def test_who_demands_thinking_gets_it_for_the_calls_of_others() -> None:
    (answer, _) = sent(MIMO, foreign(Reasoning("foreign thoughts"), Text("ok"), CALL), RESULT)
    assert answer["content"][0] == {"type": "thinking", "thinking": "foreign thoughts", "signature": ""}
    (answer, _) = sent(MIMO, own(MIMO, CALL), RESULT)
    assert answer["content"][0]["thinking"] == "Calling ls (toolu_1)."
    (answer, _) = sent(with_rules(MIMO, reasoning_fill=" "), own(MIMO, CALL), RESULT)
    assert answer["content"][0]["thinking"] == " "
    assert sent(MIMO, foreign(Text("ok")), user("go"))[0]["content"] == [says("ok")]


TEXTS = st.sampled_from(["", " ", "a", "b\n", "ü"])
IDS = st.sampled_from(["c1", "c2", "functions.ls:0", ""])
BLOCKS = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Reasoning, TEXTS, st.sampled_from(["thinking", "reasoning_content"]), st.sampled_from([None, "Eq"])),
    st.just(Reasoning("", "server_tool_use", data={"type": "server_tool_use", "id": "s"})),
    st.just(Reasoning("", "redacted_thinking", data={"type": "redacted_thinking", "data": "E"})),
    st.just(Reasoning("", "refusal", data={"type": "refusal"})),
    st.builds(ToolCall, IDS, st.sampled_from(["ls", "", "a b"]), st.just({})),
)
SAID = st.one_of(st.builds(Text, TEXTS), st.just(PICTURE))
RESULTS = st.builds(ToolResult, IDS, TEXTS, images=st.sampled_from([(), (PICTURE,)]))
MESSAGES = st.one_of(
    st.builds(Message, st.just("user"), st.lists(SAID, max_size=3).map(tuple)),
    st.builds(Message, st.just("tool"), st.lists(RESULTS, max_size=3).map(tuple)),
    st.builds(
        Message, st.just("assistant"), st.lists(BLOCKS, max_size=4).map(tuple), st.sampled_from([CLAUDE.origin, OTHER])
    ),
)


@given(history=st.lists(MESSAGES, max_size=8), spec=st.sampled_from([CLAUDE, MIMO, PLAIN]))
@settings(deadline=None, max_examples=200)
def test_any_history_becomes_one_that_the_strictest_server_takes(history: list[Message], spec: BackendSpec) -> None:
    entries = encode(Request("", tuple(history)), spec)["messages"]
    assert entries[0]["role"] == "user"
    assert all(a["role"] != b["role"] for a, b in itertools.pairwise(entries))
    ids: list[str] = []
    open_calls: list[str] = []
    for entry in entries:
        kinds = [block["type"] for block in entry["content"]]
        assert kinds and all(block["text"].strip() for block in entry["content"] if block["type"] == "text")
        results = [block["tool_use_id"] for block in entry["content"] if block["type"] == "tool_result"]
        assert results == open_calls and kinds[: len(results)] == ["tool_result"] * len(results)
        open_calls = [block["id"] for block in entry["content"] if block["type"] == "tool_use"]
        ids += open_calls
        if entry["role"] == "assistant":
            assert set(kinds[kinds.index("tool_use") :]) == {"tool_use"} if open_calls else kinds[-1] != "thinking"
    assert not open_calls and len(set(ids)) == len(ids)
    assert entries[-1]["role"] == "user" or entries[-1]["content"][-1]["type"] == "server_tool_use"


@given(history=st.lists(MESSAGES, max_size=8), more=MESSAGES)
@settings(deadline=None, max_examples=200)
def test_the_conversation_is_only_ever_appended_to(history: list[Message], more: Message) -> None:
    """What a thinking block is bound to stays as it was: all of the request that it answered."""
    answer = own(CLAUDE, SIGNED, Text("so it is"))
    last = history[-1] if history else None
    if last and last.tool_calls:
        return  # such a history is no request yet
    before = unmarked(encode(Request("", tuple(history)), CLAUDE)["messages"])
    after = unmarked(encode(Request("", (*history, answer, more)), CLAUDE)["messages"])
    if before[-1]["role"] == "assistant":  # a pause: the answer goes on in the same entry
        begun = before.pop()["content"]
        assert after[len(before)]["content"][: len(begun)] == begun
    assert after[: len(before)] == before
