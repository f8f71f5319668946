"""A real server on the other end of the Responses wire: llama.cpp's, with the built-in model."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from tests.backends.asking import error_of, reply_of
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user
from tui.settings.config import Settings

pytestmark = pytest.mark.slow

TOOL = ToolSpec("ls", "Lists files.", {"type": "object", "properties": {"path": {"type": "string"}}})
CALL = ToolCall("c1", "ls", {"path": "."})
RESULT = Message("tool", (ToolResult("c1", "a.py"),))


@pytest.fixture
def spec(embedded_model: str) -> BackendSpec:
    spec = resolve(Settings(), "embedded", embedded_model)
    rules = Rules(stateless=True, replay_reasoning="all", images=False)
    return structs.replace(spec, wire="responses", rules=rules, max_output=12, body={"temperature": 0.2, "seed": 1})


async def test_an_answer_is_read_and_counted(spec: BackendSpec) -> None:
    reply = await reply_of(spec, Request("Be brief.", (user("Say hello."),)))
    assert reply.message.text.strip() and reply.message.origin == spec.origin
    assert reply.usage.input_tokens and reply.usage.output_tokens and reply.finish_reason in ("stop", "length")


async def test_a_conversation_with_tools_and_reasoning_is_taken(spec: BackendSpec) -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    own = Message("assistant", (Reasoning("Hm.", "reasoning", data=thought), Text("I look."), CALL), spec.origin)
    foreign = Message("assistant", (Reasoning("Hm."), CALL), Origin("other", "https://elsewhere", "x", "messages"))
    cut = Message("assistant", (Reasoning("Hm.", "reasoning"), Text("It is")), spec.origin)
    look = Message("user", (Text("And this?"), Image("image/png", "AAAA", "cat.png")))
    messages = (user("list"), own, RESULT, cut, look, foreign, RESULT, user("And now?"))
    assert (await reply_of(spec, Request("Be brief.", messages, (TOOL,)))).usage.output_tokens


async def test_what_openai_is_asked_for_beside_it_does_no_harm(spec: BackendSpec) -> None:
    kept = structs.replace(spec, rules=Rules())
    assert (await reply_of(kept, Request("", (user("Hi"),)))).usage.output_tokens


async def test_the_prefix_of_a_conversation_that_goes_on_is_cached(spec: BackendSpec) -> None:
    question = user("Tell me about " + "rivers and seas and lakes and " * 20)
    first = await reply_of(spec, Request("Be brief.", (question,)))
    then = await reply_of(spec, Request("Be brief.", (question, first.message, user("Go on, please."))))
    assert (then.usage.cached_tokens or 0) >= (first.usage.input_tokens or 0) - 8


async def test_an_answer_that_reaches_the_limit_is_cut(spec: BackendSpec) -> None:
    short = structs.replace(spec, max_output=3)
    assert (await reply_of(short, Request("", (user("Count from one to a hundred."),)))).finish_reason == "length"


async def test_a_prompt_that_is_too_long_is_an_overflow(spec: BackendSpec) -> None:
    error = await error_of(spec, Request("", (user("word " * 5000),)))
    assert error.kind == "context_overflow" and "4096" in json.dumps(error.raw)
