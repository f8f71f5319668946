"""Without the rule that its preset has, each vendor refuses: so the tour shows that the rules are right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.conftest import Tour, turn
from tui.settings.schema import Rules

BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("mimo", {"reasoning_required": False}),
    ("mimo", {"empty_content": "null"}),
    ("deepseek", {"reasoning_required": False}),
    ("kimi", {"reasoning_required": False}),
    ("gemini", {"dummy_signature": ""}),
    ("mistral", {"call_ids": "any"}),
    ("openai-chat", {"max_tokens_field": "max_tokens"}),
    ("openrouter", {"replay_reasoning": "none"}),
    ("claude", {"replay_reasoning": "none"}),
    ("openai", {"replay_reasoning": "none"}),
    ("mimo-messages", {"reasoning_required": False}),
    ("deepseek-messages", {"unsigned_thinking": False, "reasoning_required": False}),
]


@pytest.mark.parametrize(("name", "rules"), BROKEN)
async def test_a_vendor_refuses_when_its_rule_is_broken(tour: Tour, name: str, rules: dict[str, Any]) -> None:
    other = "qwen"
    tour.visit(other, name)
    tour.add(name, rules=Rules(**rules), max_output=4000)
    conversation = tour.conversation(other)
    for backend in (other, name, other, name):
        conversation.use(backend)
        await turn(conversation, "Where is the milk?")
    assert tour.refusals()
