"""The server knows tools. What its model writes wrong all the same is mended: broken arguments, calls in the text."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from tui.agent.strategies.base import Item, uses_text_calls
from tui.backends.backend import Backend
from tui.backends.spec import Reply, Request
from tui.core.errors import MimoError
from tui.core.events import Notice, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from tui.agent.strategies.holding import Holding

_PARSERS = "tui.agent.strategies.repair"
_NOTED_AT = 2
"""Replies with calls in their text after which the user is told, once."""
_NOTE = (
    "This model writes its tool calls as text, and they are read from it. "
    "Its server probably has a parser for them that is not on."
)


class Native:
    """Asks as it is; a reply is looked through only where it may need mending."""

    async def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]:
        if not request.tools:
            async with aclosing(backend.ask(request)) as answer:
                async for piece in answer:
                    yield piece
            return
        async with aclosing(mended_answer(backend, request, request)) as items:
            async for item in items:
                if isinstance(item, Reply) and uses_text_calls(item.message):
                    seen = sum(map(uses_text_calls, request.messages))
                    if seen + 1 == _NOTED_AT:
                        yield Notice(_NOTE)
                yield item


async def mended_answer(backend: Backend, asked: Request, request: Request) -> AsyncGenerator[Item, None]:
    """The answer to `asked`, its calls mended for the tools of `request`; what may be a call is not shown as text."""
    holding = _new_holding() if _PARSERS in sys.modules else await asyncio.to_thread(_new_holding)
    try:
        async with aclosing(backend.ask(asked)) as answer:
            async for piece in answer:
                if isinstance(piece, TextDelta):
                    for delta in _shown(holding, piece.text):
                        yield delta
                    continue
                if isinstance(piece, ToolCallDelta) and (words := holding.release()):
                    yield TextDelta(words)  # the server knows this model's calls, so its text has none
                if not isinstance(piece, Reply):
                    yield piece
                    continue
                from tui.agent.strategies.repair import repaired

                if _is_well_formed(piece):
                    reply, repairs = repaired(piece, request)  # in no time, where a thread takes half a millisecond
                else:
                    reply, repairs = await asyncio.to_thread(repaired, piece, request)
                if words := _left_over(holding.release(), piece, reply):
                    yield TextDelta(words)
                for repair in repairs:
                    yield repair
                yield reply
    except (asyncio.CancelledError, MimoError):
        if words := holding.release():
            yield TextDelta(words)
        raise


def _is_well_formed(reply: Reply) -> bool:
    """It has calls, whose arguments are JSON: nothing has to be looked for."""
    calls = reply.message.tool_calls
    return bool(calls) and all(call.raw is None for call in calls)


def _new_holding() -> Holding:
    """The first time it imports the parsers, which takes 50 ms."""
    from tui.agent.strategies import repair  # noqa: F401
    from tui.agent.strategies.holding import Holding

    return Holding()


def _shown(holding: Holding, text: str) -> Iterator[TextDelta | ToolCallDelta]:
    was_tagged = holding.is_tagged
    if words := holding.feed(text):
        yield TextDelta(words)
    if holding.is_tagged:
        yield ToolCallDelta(0, "", text if was_tagged else holding.held)


def _left_over(held: str, before: Reply, after: Reply) -> str:
    """What was kept back and is no call after all."""
    removed = len(before.message.text) - len(after.message.text)
    return held[: max(0, len(held) - removed)].rstrip() if removed else held
