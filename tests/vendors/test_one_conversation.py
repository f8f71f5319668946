"""One conversation, with tools and thinking, goes from vendor to vendor and none of them refuses a request."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.scripted.vendors import Claude, Ollama, Unknown
from tests.vendors.conftest import Forgetful, Tour, turn
from tui.core.events import Event, ReasoningDelta, RuleLearned, StepFinished, ToolFinished, TurnFinished
from tui.core.messages import Image

ROUNDS = {
    "the five": ["mimo", "claude", "deepseek", "gemini", "ollama"],
    "the other five": ["openai", "kimi", "mistral", "qwen", "openrouter"],
    "other wires": ["mimo-messages", "openai-chat", "deepseek-messages", "llama-cpp", "vllm"],
}
SILENT = ("gemini", "openai-chat")
"""They show nothing of the model's reasoning."""


def answer(events: list[Event]) -> str:
    """The words of the last step."""
    return [event for event in events if isinstance(event, StepFinished)][-1].message.text


@pytest.mark.parametrize("names", ROUNDS.values(), ids=ROUNDS)
async def test_ten_turns_go_twice_round_five_vendors_without_one_refused_request(tour: Tour, names: list[str]) -> None:
    tour.visit(*names)
    conversation = tour.conversation(names[0])
    for number, name in enumerate(names * 2):
        conversation.use(name)
        events = await turn(conversation, f"Question {number}: where is the milk?")
        assert tour.refusals() == []
        assert answer(events) == f"{name} has found the milk."
        results = [event for event in events if isinstance(event, ToolFinished)]
        assert len(results) == 3 and not any(event.is_error for event in results)
        assert any(isinstance(event, ReasoningDelta) for event in events) == (name not in SILENT)
    assert [len(server.requests) for server in tour.servers.values()] == [6] * 5


@pytest.mark.parametrize("names", ROUNDS.values(), ids=ROUNDS)
async def test_every_request_extends_the_one_before_on_its_server(tour: Tour, names: list[str]) -> None:
    tour.visit(*names)
    conversation = tour.conversation(names[0])
    for name in names * 2:
        conversation.use(name)
        await turn(conversation, "Where is the milk?")
    for name, server in tour.servers.items():
        assert [f"{name}: {found}" for found in server.prefix_breaks()] == []
        for i, (before, after) in enumerate(pairwise(server.requests)):
            is_same_turn = i % 3 != 2
            if server.vendor.cache == "automatic" or (server.vendor.cache == "marks" and is_same_turn):
                assert after.cached_tokens >= before.prompt_tokens - 1, f"{name} could not use its cache"
    for server in tour.servers.values():
        if isinstance(server.vendor, Claude):
            assert server.vendor.dropped == []
        elif isinstance(server.vendor, Ollama):
            assert server.vendor.cuts == []


@pytest.mark.parametrize("names", ROUNDS.values(), ids=ROUNDS)
async def test_a_conversation_goes_on_from_the_disk_as_if_it_had_never_stopped(tour: Tour, names: list[str]) -> None:
    tour.visit(*names)
    for number, name in enumerate(names * 2):
        conversation = tour.conversation(name, continue_last=number > 0)
        events = await turn(conversation, "Where is the milk?")
        assert tour.refusals() == [] and answer(events) == f"{name} has found the milk."
        await conversation.close()
    assert [found for server in tour.servers.values() for found in server.prefix_breaks()] == []
    assert all(server.vendor.dropped == [] for server in tour.servers.values() if isinstance(server.vendor, Claude))


PIXEL = Image(
    "image/png",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "pixel.png",
)
RULES = ("max_completion_tokens", "no_stream_options", "no_null_content", "reasoning_back", "no_system")


async def test_a_server_of_unknown_kind_refuses_one_request_for_each_rule_and_none_later(tour: Tour) -> None:
    tour.visit("claude")
    vendor = Unknown(*RULES)
    server = tour.visit_unknown(vendor, max_output=4000)
    learned = []
    for _ in range(2):
        conversation = tour.conversation("claude")
        for name in ("claude", "unknown") * 4:
            conversation.use(name)
            events = await turn(conversation, "Where is the milk?")
            learned += [event.rule for event in events if isinstance(event, RuleLearned)]
            assert isinstance(events[-1], TurnFinished) and answer(events) == f"{name} has found the milk."
        assert sorted(vendor.refused) == sorted(RULES)
        assert len([request for request in server.requests if request.refused]) == len(learned) == len(RULES)
    assert len(tour.refusals()) == len(RULES), "none of them by the vendor that is known"


@pytest.mark.parametrize("rule", [*RULES, "no_images", "no_reasoning_back"])
async def test_each_rule_costs_one_refused_request(tour: Tour, rule: str) -> None:
    vendor = Unknown(rule)
    server = tour.visit_unknown(vendor, Forgetful() if rule == "reasoning_back" else None, max_output=4000)
    for _ in range(2):
        conversation = tour.conversation("unknown")
        for _ in range(2):
            shows = rule == "no_images" and conversation.objection_to((PIXEL,)) is None
            events = await turn(conversation, "Where is the milk?", (PIXEL,) if shows else ())
            assert answer(events) == "unknown has found the milk."
        assert vendor.refused == [rule] and [request.refused for request in server.requests].count(400) == 1


async def test_thinking_can_be_switched_off_and_on_again_on_the_way(tour: Tour) -> None:
    names = ["mimo", "deepseek", "qwen", "ollama", "openai", "mimo-messages"]
    tour.visit(*names)
    for level in ("high", "off", "high"):
        tour.think(level)
        conversation = tour.conversation(names[0])
        for name in names * 2:
            conversation.use(name)
            await turn(conversation, "Where is the milk?")
            assert tour.refusals() == []
        await conversation.close()


async def test_images_go_to_those_who_see_and_as_words_to_the_others(tour: Tour) -> None:
    names = ["mimo", "claude", "openai", "gemini", "ollama", "mistral"]
    tour.visit(*names)
    conversation = tour.conversation(names[0])
    for name in names * 2:
        conversation.use(name)
        images = (PIXEL,) if conversation.objection_to((PIXEL,)) is None else ()
        await turn(conversation, "Where is the milk?", images)
        assert tour.refusals() == []
    assert PIXEL.data in str(tour.servers["claude"].requests[-1].body)
    assert PIXEL.data not in str(tour.servers["ollama"].requests[-1].body)


async def test_an_older_ollama_that_does_not_tell_its_levels_refuses_nothing(tour: Tour) -> None:
    server = tour.visit_as("ollama", Ollama(tells_levels=False))
    events = await turn(tour.conversation("ollama"), "Where is the milk?")
    assert tour.refusals() == [] and answer(events) == "ollama has found the milk."
    assert all(request.body["think"] is True for request in server.requests)
