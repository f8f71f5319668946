"""What a strategy is: the way in which a model is asked for tool calls, and in which they are read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from tui.backends.backend import Backend, Piece
from tui.backends.spec import Request
from tui.core.events import Notice, Repaired
from tui.core.messages import Message, ToolCall

Item = Piece | Notice | Repaired
SMALL_WINDOW_TOKENS = 4096
"""A model with no more than this is taken for a small one."""
TEXT_CALL = "call_text_"
"""The ids of calls that were found in text begin so."""
UNREAD_CALL = "call_unread_"
"""The ids of calls begin so that are no JSON as a whole, so that perhaps not even their tool is known."""
UNREAD_NAME = "call"
"""How such a call is called when its tool cannot be read either."""
_SHOWN_CHARACTERS = 500


class Strategy(Protocol):
    """Asks `backend` and gives what comes, the `Reply` last; tool calls are in it however the model wrote them."""

    def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]: ...


def uses_text_calls(message: Message) -> bool:
    """Whether the calls of a message came as text."""
    return any(call.id.startswith(TEXT_CALL) for call in message.tool_calls)


def about_unread(call: ToolCall) -> str:
    """What to tell the model of a call that could not be read; empty for any other."""
    if not call.id.startswith(UNREAD_CALL) or call.raw is None:
        return ""
    what = "This call" if call.name == UNREAD_NAME else f"This call of {call.name}"
    how = "cannot be read as JSON" if call.raw.rstrip().endswith("}") else "broke off in the middle of its JSON"
    return f"{what} {how}, so it was not run: {call.raw[:_SHOWN_CHARACTERS]}\nWrite it again as one whole JSON object."
