"""How a model is asked for tool calls: in its server's own way, or by a schema that its answer must fit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from tui.backends.backend import Backend, Piece
from tui.backends.spec import Request
from tui.core.events import Notice

Item = Piece | Notice


class Strategy(Protocol):
    """Asks `backend` and gives what comes, the `Reply` last; tool calls are in it however the model wrote them."""

    def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]: ...


class Native:
    """The server knows tools: nothing to do."""

    def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]:
        return backend.ask(request)


async def choose(backend: Backend, may_ask: bool) -> Strategy:
    """The strategy for a backend; its server is asked only if that `may_ask`."""
    if await backend.tool_strategy(may_ask=may_ask) == "constrained":
        from tui.agent.strategies.constrained import Constrained

        return Constrained()
    return Native()
