"""The Messages wire against a real server that speaks it: llama.cpp, with the built-in model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backends.asking import ask, error_of, reply_of
from tui.backends.embedded.process import ensure_started
from tui.backends.spec import BackendSpec, Reply, Request, Rules, Sent, ToolSpec
from tui.core.events import RuleLearned, TextDelta
from tui.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult, user

pytestmark = pytest.mark.slow

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
HELLO = Request(SYSTEM, (user("Say hello."),))
LS = ToolSpec("list_files", "Lists files.", {"type": "object", "properties": {"path": {"type": "string"}}})


@pytest.fixture
async def spec(embedded_model: str, monkeypatch: pytest.MonkeyPatch) -> BackendSpec:
    address = await ensure_started(embedded_model)
    monkeypatch.setenv("EMBEDDED_KEY", address.key)
    return BackendSpec(
        "llama",
        "",
        "messages",
        address.base_url.removesuffix("/v1"),
        embedded_model,
        Rules(cache_marks=True, replay_reasoning="all", unsigned_thinking=True),
        max_output=40,
        credential={"env": "EMBEDDED_KEY"},
        headers={"Connection": "close"},
        body={"temperature": 0.2, "top_p": 0.9},
        local=True,
    )


async def test_it_answers_as_a_stream_and_counts(spec: BackendSpec) -> None:
    _, *deltas, answer = await ask(spec, HELLO)
    assert isinstance(answer, Reply) and answer.message.text.strip()
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == answer.message.text
    assert answer.finish_reason in ("stop", "length")
    assert answer.usage.input_tokens and answer.usage.input_tokens > 20 and answer.usage.output_tokens


async def test_it_answers_in_one_piece(spec: BackendSpec) -> None:
    answer = await reply_of(spec, Request(SYSTEM, HELLO.messages, body={"stream": False}))
    assert answer.message.text.strip() and answer.usage.output_tokens


async def test_the_prefix_of_a_conversation_is_cached(spec: BackendSpec) -> None:
    first = await reply_of(spec, HELLO)
    again = await reply_of(spec, Request(SYSTEM, (*HELLO.messages, first.message, user("And again."))))
    assert again.usage.cached_tokens and first.usage.input_tokens
    assert again.usage.cached_tokens >= first.usage.input_tokens // 2


async def test_it_takes_a_conversation_with_tools_and_reasoning(spec: BackendSpec) -> None:
    """Its model cannot call tools, which is why calls and results of others are what is shown here."""
    blocks: tuple[Any, ...] = (Reasoning("need ls", "thinking"), Text("I look."), ToolCall("t1", "list_files", {}))
    turn = (Message("assistant", blocks, spec.origin), Message("tool", (ToolResult("t1", "a.py"),)), user("Thanks."))
    answer = await reply_of(spec, Request(SYSTEM, (*HELLO.messages, *turn), (LS,), tool_choice="required"))
    assert answer.message.text.strip() or answer.message.tool_calls


async def test_a_prompt_that_is_too_long_is_known_as_that(spec: BackendSpec) -> None:
    assert (await error_of(spec, Request("", (user("word " * 5000),)))).kind == "context_overflow"


async def test_that_it_cannot_see_is_learned_from_its_refusal(spec: BackendSpec) -> None:
    picture = Message("user", (Text("What is this?"), Image("image/png", "iVBORw0KGgo=", "cat.png")))
    pieces = await ask(spec, Request(SYSTEM, (picture,)))
    assert [piece.rule for piece in pieces if isinstance(piece, RuleLearned)] == ["images"]
    assert isinstance(pieces[-1], Reply)
    again = [piece for piece in pieces if isinstance(piece, Sent)][-1]
    assert "cat.png, which this model cannot see" in str(again.body["messages"])
