"""A time limit for many waits: it ends those that take too long, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tui.backends.limit import Limit


@pytest.fixture
async def limit() -> AsyncIterator[Limit]:
    limit = Limit()
    yield limit
    limit.close()


async def soon(value: str) -> str:
    await asyncio.sleep(0)
    return value


async def test_what_comes_in_time_is_handed_on(limit: Limit) -> None:
    assert [await limit.wait(soon(value), 60) for value in "abc"] == ["a", "b", "c"]


async def test_what_fails_fails_as_it_does(limit: Limit) -> None:
    async def failing() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await limit.wait(failing(), 60)


async def test_a_wait_that_takes_too_long_is_ended_also_after_others(limit: Limit) -> None:
    for _ in range(2):
        await limit.wait(soon("a"), 60)
        with pytest.raises(TimeoutError):
            await limit.wait(asyncio.Event().wait(), 0.01)
    assert await limit.wait(soon("b"), 60) == "b"
    task = asyncio.current_task()
    assert task is not None and not task.cancelling()


async def test_the_time_between_two_waits_does_not_count(limit: Limit) -> None:
    await limit.wait(soon("a"), 0.01)
    await asyncio.sleep(0.05)
    assert await limit.wait(soon("b"), 0.01) == "b"


async def test_cancelling_is_not_taken_for_too_late() -> None:
    begun = asyncio.Event()

    async def waiting() -> None:
        limit = Limit()
        begun.set()
        try:
            await limit.wait(asyncio.Event().wait(), 60)
        finally:
            limit.close()

    task = asyncio.create_task(waiting())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
