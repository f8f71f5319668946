"""What a strategy is: the way in which a model is asked for tool calls, and in which they are read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from tui.backends.backend import Backend, Piece
from tui.backends.spec import Request
from tui.core.events import Notice, Repaired
from tui.core.messages import Message

Item = Piece | Notice | Repaired
SMALL_WINDOW_TOKENS = 4096
"""A model with no more than this is taken for a small one."""
TEXT_CALL = "call_text_"
"""The ids of calls that were found in text begin so."""


class Strategy(Protocol):
    """Asks `backend` and gives what comes, the `Reply` last; tool calls are in it however the model wrote them."""

    def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]: ...


def uses_text_calls(message: Message) -> bool:
    """Whether the calls of a message came as text."""
    return any(call.id.startswith(TEXT_CALL) for call in message.tool_calls)
