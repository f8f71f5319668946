"""A lost prompt cache is said: what was sent before should not be paid for as new."""

from __future__ import annotations

from typing import Any

from tests.agent.conftest import Stage, events_of
from tests.scripted import Reply, usage
from tui.core.events import Notice
from tui.core.usage import Price

PRICED = {"price": Price(1.0, 1.0, 0.1)}


async def told(stage: Stage, *cached: int | None, backend: dict[str, Any] = PRICED) -> list[str]:
    """What is told after each of the turns, of which the server says so many of 10,000 tokens were cached."""
    usages = [usage(10_000, 10) if tokens is None else usage(10_000, 10, cached=tokens) for tokens in cached]
    conversation = stage.conversation([Reply("Yes.", usage=used) for used in usages], mode="chat", backend=backend)
    words = []
    for _ in cached:
        events = await events_of(conversation.send("Go"))
        notices = [event.message for event in events if isinstance(event, Notice)]
        words.append(" ".join(words for words in notices if "cache" in words))
    return words


async def test_a_miss_after_a_hit_is_told_once(stage: Stage) -> None:
    first, hit, miss, again, back, miss_again = await told(stage, 0, 9000, 100, 0, 9000, 0)
    assert not (first or hit or again or back)
    assert "should have held about 10,010 tokens of this request, and held 100" in miss
    assert "and held 0" in miss_again


async def test_a_server_that_never_has_a_hit_though_its_price_says_so_is_told(stage: Stage) -> None:
    assert [bool(words) for words in await told(stage, 0, 0, 0, 0, 0)] == [False, False, False, True, False]


async def test_a_server_that_says_nothing_of_a_cache_is_not_suspected(stage: Stage) -> None:
    assert not any(await told(stage, None, None, None, None, None))


async def test_without_a_price_for_cached_tokens_there_is_nothing_to_lose(stage: Stage) -> None:
    assert not any(await told(stage, 0, 0, 0, 0, 0, backend={"price": Price(1.0, 1.0)}))
