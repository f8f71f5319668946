"""How a model is asked for tool calls: in its server's own way, by a schema that its answer must fit, or in words."""

from __future__ import annotations

from tui.agent.strategies.base import Item, Strategy
from tui.agent.strategies.native import Native
from tui.backends.backend import Backend

__all__ = ["Item", "Native", "Strategy", "choose"]


async def choose(backend: Backend, may_ask: bool) -> Strategy:
    """The strategy for a backend; its server is asked only if that `may_ask`."""
    match await backend.tool_strategy(may_ask=may_ask):
        case "constrained":
            from tui.agent.strategies.constrained import Constrained

            return Constrained()
        case "text":
            from tui.agent.strategies.text import InWords

            return InWords()
    return Native()
