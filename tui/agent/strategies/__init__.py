"""How a model is asked for tool calls: in its server's own way, or by a schema that its answer must fit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from tui.backends.backend import Backend
from tui.backends.spec import BackendSpec, Reply, Request, Sent
from tui.core.events import Delta, Notice, Retrying

Item = Sent | Delta | Retrying | Notice | Reply


class Strategy(Protocol):
    """Asks `backend` and gives what comes, the `Reply` last; tool calls are in it however the model wrote them."""

    def ask(self, backend: Backend, request: Request) -> AsyncIterator[Item]: ...


class Native:
    """The server knows tools: nothing to do."""

    def ask(self, backend: Backend, request: Request) -> AsyncIterator[Item]:
        return backend.ask(request)


def choose(spec: BackendSpec) -> Strategy:
    """The strategy for a backend: its own setting, else what its rules say. Asks no server."""
    if spec.strategy == "constrained" or (spec.strategy == "auto" and not spec.rules.native_tools):
        from tui.agent.strategies.constrained import Constrained

        return Constrained()
    return Native()
