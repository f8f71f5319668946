"""The servers on Anthropic Messages: Claude with its signatures, and those that take the wire without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.scripted import Reply, ScriptedServer, reasoning, tool_call
from tests.scripted.test_wires import QUESTION, ask, events, question
from tests.scripted.vendors import Claude, DeepSeek, Kimi, Mimo, Vendor

Start = Callable[..., ScriptedServer]
Body = dict[str, Any]

MODEL = "claude-opus-5-5"
USE = {"type": "tool_use", "id": "t1", "name": "ls", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "is_error": False, "content": [{"type": "text", "text": "a.py"}]}
MARK = {"cache_control": {"type": "ephemeral"}}
SUMMARIZED = {"thinking": {"type": "adaptive", "display": "summarized"}}


def says(role: str, *content: Body) -> Body:
    return {"role": role, "content": list(content)}


def words(text: str, **fields: Any) -> Body:
    return {"type": "text", "text": text} | fields


LOOP = [QUESTION, says("assistant", words("I look."), USE), says("user", RESULT)]
TOOL = {"name": "ls", "input_schema": {"type": "object"}}

GOOD: list[tuple[list[Body], Body]] = [
    (LOOP, {"tools": [TOOL | MARK], "system": [words("be brief", **MARK)]}),
    ([*LOOP[:2], says("user", RESULT, words("go on"))], SUMMARIZED),
    ([*LOOP, says("assistant", words("a.py")), QUESTION], {"output_config": {"effort": "high"}}),
    ([QUESTION, QUESTION], {"temperature": 1}),
    ([QUESTION], {"model": "claude-haiku-5-5", "thinking": {"type": "disabled"}}),
    ([QUESTION], {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}}),
    ([QUESTION], {"model": "claude-haiku-5-5", "tool_choice": {"type": "any"}, "tools": [TOOL]}),
]
BAD: list[tuple[list[Body], Body, str]] = [
    ([QUESTION], {"max_tokens": None}, "max_tokens: Field required"),
    ([QUESTION], {"temperature": 0.2}, "temperature"),
    ([QUESTION], {"top_k": 5}, "top_k"),
    ([QUESTION], {"reasoning_effort": "low"}, "reasoning_effort: Extra inputs are not permitted"),
    ([QUESTION], {"tool_choice": {"type": "any"}, "tools": [TOOL]}, 'type "tool" and "any" are not supported'),
    ([QUESTION], {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "enabled"),
    ([QUESTION], {"thinking": {"type": "disabled"}}, "disabled"),
    ([QUESTION], {"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}}, "disabled"),
    ([QUESTION], {"model": "claude-1"}, "model: claude-1"),
    ([QUESTION, says("assistant", words("a"))], {}, "does not support assistant message prefill"),
    ([says("assistant", words("a")), QUESTION], {}, "first message must use the user role"),
    ([says("user", words(" "))], {}, "text content blocks must be non-empty"),
    ([says("user")], {}, "non-empty"),
    ([says("user", *(words(str(i), **MARK) for i in range(5)))], {}, "A maximum of 4 blocks"),
    (LOOP[:2], {}, "`tool_use` ids were found without `tool_result` blocks immediately after"),
    ([*LOOP[:2], QUESTION, *LOOP[2:]], {}, "tool_result"),
    ([QUESTION, says("user", RESULT)], {}, "unexpected `tool_use_id` found in `tool_result` blocks"),
    ([*LOOP[:2], says("user", words("first"), RESULT)], {}, "must come first"),
    ([QUESTION, says("assistant", USE, words("after")), *LOOP[2:]], {}, "must come last"),
    ([QUESTION, says("assistant", USE | {"id": "a.b"}), says("user", RESULT | {"tool_use_id": "a.b"})], {}, "pattern"),
    ([QUESTION, says("assistant", USE | {"input": "{}"}), *LOOP[2:]], {}, "valid dictionary"),
    ([*LOOP, *LOOP], {}, "must be unique"),
    (
        [QUESTION, says("assistant", {"type": "thinking", "thinking": "hm"}, USE), *LOOP[2:]],
        {},
        "signature: Field required",
    ),
    (
        [QUESTION, says("assistant", {"type": "thinking", "thinking": "hm", "signature": "EqX"}, USE), *LOOP[2:]],
        {},
        "Invalid `signature` in `thinking` block",
    ),
    ([says("user", {"type": "image_url", "image_url": {}})], {}, "does not match any of the expected tags"),
    ([QUESTION], {"tools": [{"name": "ls", "input_schema": {"type": "object", "anyOf": []}}]}, "top level"),
    ([QUESTION], {"tools": [TOOL, TOOL]}, "unique"),
]


@pytest.mark.parametrize(("messages", "fields"), GOOD)
def test_what_claude_takes_is_answered(scripted: Start, messages: list[Body], fields: Body) -> None:
    response = ask(scripted(["fine"], vendor=Claude()), "messages", *messages, **({"model": MODEL} | fields))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(("messages", "fields", "complaint"), BAD)
def test_what_claude_refuses_is_refused(scripted: Start, messages: list[Body], fields: Body, complaint: str) -> None:
    response = ask(scripted(vendor=Claude()), "messages", *messages, **({"model": MODEL} | fields))
    error = response.json()
    assert 400 <= response.status_code < 500 and error["type"] == "error" and complaint in error["error"]["message"], (
        error
    )


class Loop:
    """A step of Claude's with thinking and a call, and what comes back of it."""

    def __init__(self, scripted: Start, **fields: Any) -> None:
        self.fields = {"model": MODEL, "tools": [TOOL], "system": "be brief"} | fields
        self.server = scripted(
            [Reply(reasoning("I look"), tool_call("ls")), "fine", "fine"], vendor=Claude(), may_complain=True
        )
        self.answer = ask(self.server, "messages", stream=False, **self.fields).json()["content"]

    def replay(self, *answer: Body, question: Body = QUESTION, **fields: Any) -> str:
        """The refusal of the next step, or nothing."""
        result = RESULT | {"tool_use_id": self.answer[-1]["id"]}
        messages = (question, says("assistant", *answer), says("user", result))
        response = ask(self.server, "messages", *messages, stream=False, **(self.fields | fields))
        return "" if response.status_code == 200 else str(response.json()["error"]["message"])


def test_claude_shows_thinking_only_when_asked_and_signs_it_always(scripted: Start) -> None:
    silent, shown = Loop(scripted).answer, Loop(scripted, **SUMMARIZED).answer
    assert silent[0]["thinking"] == "" and silent[0]["signature"]
    assert shown[0]["thinking"] == "I look" and shown[0]["signature"] != silent[0]["signature"]


def test_claude_takes_thinking_back_as_it_came(scripted: Start) -> None:
    loop = Loop(scripted)
    assert loop.replay(*loop.answer) == ""


def test_cache_marks_may_move_without_breaking_a_signature(scripted: Start) -> None:
    loop = Loop(scripted)
    assert loop.replay(*loop.answer, tools=[TOOL | MARK], question=says("user", words("list", **MARK))) == ""


def test_claude_notices_thinking_that_is_lost_or_behind_its_call(scripted: Start) -> None:
    loop = Loop(scripted)
    thinking, use = loop.answer
    assert "Expected `thinking` or `redacted_thinking`, but found `tool_use`" in loop.replay(use)
    assert "must come last" in loop.replay(use, thinking)


def test_claude_notices_thinking_that_was_edited(scripted: Start) -> None:
    loop = Loop(scripted)
    thinking, use = loop.answer
    assert "cannot be modified" in loop.replay(thinking | {"thinking": "I do not look"}, use)


@pytest.mark.parametrize(
    "change",
    [
        {"system": "be long"},
        {"tools": [TOOL, TOOL | {"name": "cat"}]},
        {"question": says("user", words("edited"))},
        {"model": "claude-sonnet-5-5"},
    ],
)
def test_claudes_thinking_holds_for_its_model_and_prefix_alone(scripted: Start, change: Body) -> None:
    loop = Loop(scripted)
    thinking, use = loop.answer
    assert "bound to a different conversation" in loop.replay(thinking, use, **change)
    assert loop.replay(use, **change) == "", "what no longer holds may be left out"


def test_claude_drops_what_no_longer_holds_when_the_request_wishes_so(scripted: Start) -> None:
    loop = Loop(scripted)
    wish = {"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}}
    assert "block_binding: Extra inputs" in loop.replay(*loop.answer, system="be long", **wish)
    messages = (QUESTION, says("assistant", *loop.answer), says("user", RESULT | {"tool_use_id": loop.answer[1]["id"]}))
    body = question("messages", *messages, **(loop.fields | wish), stream=False)
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "thinking-binding-controls-2026-08-01"}
    answers = [
        httpx.post(f"{loop.server.base_url}/messages", json=body | {"system": words}, headers=headers).json()
        for words in ("be brief", "be long")
    ]
    assert "input_transformations" not in answers[0]
    assert answers[1]["input_transformations"][0]["path"] == "messages.1.content.0"


def test_claude_lists_its_models_page_by_page_and_counts(scripted: Start) -> None:
    server = scripted(vendor=Claude())
    first = httpx.get(f"{server.base_url}/models?limit=1000").json()
    second = httpx.get(f"{server.base_url}/models?after_id={first['last_id']}").json()
    assert [first["has_more"], second["has_more"]] == [True, False]
    assert first["data"][0]["capabilities"]["thinking"]["types"]["disabled"] == {"supported": False}
    assert {model["id"] for model in first["data"] + second["data"]} == {model.id for model in Claude.models}
    body = {"model": MODEL, "messages": [QUESTION]}
    assert httpx.post(f"{server.base_url}/messages/count_tokens", json=body).json()["input_tokens"] > 0


@pytest.mark.parametrize("kind", [Mimo, DeepSeek, Kimi])
def test_servers_without_signatures_want_thinking_back_all_the_same(scripted: Start, kind: type[Vendor]) -> None:
    server = scripted([Reply(reasoning("hm"), tool_call("ls")), "fine", "fine"], vendor=kind())
    fields = {"model": kind.models[0].id}
    deltas = [event["delta"] for event in events(ask(server, "messages", **fields)) if "delta" in event]
    assert not any("signature" in delta for delta in deltas)
    assert ask(server, "messages", *LOOP, **fields).status_code == 400
    filled = says("assistant", {"type": "thinking", "thinking": "Calling ls (t1)."}, USE)
    assert ask(server, "messages", QUESTION, filled, *LOOP[2:], **fields).status_code == 200
    if kind is not Kimi:
        assert ask(server, "messages", *LOOP, **fields, thinking={"type": "disabled"}).status_code == 200
    else:
        assert ask(server, "messages", **fields).status_code == 200
