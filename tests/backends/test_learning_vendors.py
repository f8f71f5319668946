"""Strict vendors of whom nothing is known beforehand: one refused request for each rule, and none ever after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.backends.asking import spec_for
from tests.scripted import Reply, ScriptedServer, reasoning, tool_call
from tests.scripted.vendors import (
    Claude,
    DeepSeek,
    Gemini,
    Kimi,
    Mimo,
    Mistral,
    OpenAI,
    OpenRouter,
    Qwen,
    Unknown,
    Vendor,
    Vllm,
)
from tui.backends.backend import Backend
from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.spec import Reply as Answer
from tui.core.events import RuleLearned
from tui.core.messages import Image, Message, Origin, Reasoning, Text, ToolCall, ToolResult, user
from tui.settings.learned import learned_of

Start = Callable[..., ScriptedServer]
OTHER = Origin("other", "https://elsewhere/v1", "x", "messages")
LS = ToolSpec("ls", "Lists.", {"type": "object", "properties": {"n": {"enum": [1, 2]}, "all": {"type": "array"}}})
BEFORE = (
    Message("user", (Text("What is in it?"), Image("image/png", "AAAA", "cat.png"))),
    Message("assistant", (Reasoning("hm", "thinking", "Eq"), ToolCall("toolu/1", "ls", {})), OTHER),
    Message("tool", (ToolResult("toolu/1", "a.py", images=(Image("image/png", "AAAA"),)),)),
    Message("assistant", (Text("One file."),), OTHER),
)
"""What was said elsewhere before."""

VENDORS: dict[str, tuple[Callable[[], Vendor], str, str, set[str]]] = {
    "MiMo": (Mimo, "chat-completions", "mimo-v2.6-pro", {"reasoning_required", "empty_content"}),
    "MiMo, blind": (
        Mimo,
        "chat-completions",
        "mimo-v2.6-pro-ultraspeed",
        {"reasoning_required", "empty_content", "images"},
    ),
    "MiMo, Messages": (Mimo, "messages", "mimo-v2.6-pro", {"reasoning_required"}),
    "DeepSeek": (DeepSeek, "chat-completions", "deepseek-v4-pro", {"reasoning_required", "images"}),
    "DeepSeek, Messages": (DeepSeek, "messages", "deepseek-flash", {"reasoning_required"}),
    "Kimi": (Kimi, "chat-completions", "kimi-k3", {"reasoning_required"}),
    "Kimi, Messages": (Kimi, "messages", "kimi-k3", {"reasoning_required"}),
    "Gemini": (Gemini, "chat-completions", "gemini-3.8-flash", {"dummy_signature", "tool_schema"}),
    "Mistral": (Mistral, "chat-completions", "mistral-medium-3-5", {"call_ids", "assistant_before_user"}),
    "Qwen": (Qwen, "chat-completions", "qwen3-coder-plus", {"images"}),
    "OpenRouter": (OpenRouter, "chat-completions", "text/only", {"images"}),
    "OpenAI": (OpenAI, "chat-completions", "gpt-6.1-sol", {"max_tokens_field"}),
    "Claude": (Claude, "messages", "claude-opus-5-5", set()),
    "vLLM": (Vllm, "chat-completions", "Qwen/Qwen3-8B", set()),
    "a strange one": (
        lambda: Unknown(
            "max_completion_tokens",
            "no_stream_options",
            "reasoning_back",
            "no_images",
            "no_null_content",
            "no_system",
        ),
        "chat-completions",
        "m",
        {"max_tokens_field", "stream_usage", "reasoning_required", "images", "empty_content", "system_role"},
    ),
}


async def talk(backend: Backend, turns: int = 2) -> list[str]:
    """Turns with a tool each; the rules that were learned meanwhile."""
    messages, learned = [*BEFORE], []
    for turn in range(turns):
        messages.append(user(f"question {turn}"))
        for _ in range(2):
            async for piece in backend.ask(Request("Be brief.", tuple(messages), (LS,))):
                if isinstance(piece, RuleLearned):
                    learned.append(piece.rule)
                elif isinstance(piece, Answer):
                    messages.append(piece.message)
            if calls := messages[-1].tool_calls:
                messages.append(Message("tool", tuple(ToolResult(call.id, "a.py") for call in calls)))
    await backend.aclose()
    return learned


@pytest.mark.parametrize("name", VENDORS)
async def test_a_vendor_who_is_not_known_is_understood_by_one_refusal_for_each_rule(
    home: Path, scripted: Start, name: str
) -> None:
    make, wire, model, rules = VENDORS[name]
    turn: list[Any] = [
        Reply(reasoning("hm"), tool_call("ls"), tool_call("ls", {"n": 1})),
        Reply(reasoning("so"), "It is."),
    ]
    server = scripted(turn * 4, vendor=make())
    spec = spec_for(server.root if wire == "messages" else server.base_url, wire=wire, model=model, max_output=5000)
    learned = await talk(Backend(spec))
    assert sorted(learned) == sorted(rules)  # none of them twice
    assert sum(request.refused is not None for request in server.requests) == len(rules)
    assert await talk(Backend(with_learned(spec))) == []
    assert sum(request.refused is not None for request in server.requests) == len(rules)


def with_learned(spec: BackendSpec) -> BackendSpec:
    kept = {entry.rule: entry.value for entry in learned_of(spec.base_url, spec.model)}
    return msgspec.structs.replace(spec, rules=msgspec.convert(kept, Rules))
