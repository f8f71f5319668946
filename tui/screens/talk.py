"""What is being said: the conversation, the turn that runs, and the messages that wait for its end. No widgets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.core.events import ApprovalAsked, ApprovalGiven, Delta, Record
from tui.settings.config import Mode

if TYPE_CHECKING:
    from tui.agent.calls import Answer
    from tui.agent.conversation import Conversation
    from tui.agent.turn import Turn

SLICE_S = 0.001
"""How long records are shown before keys get their turn. A key passes through the event loop about six times before
it is on the screen, so a slice of 4 ms would cost it 24."""


class Talk:
    """Until `conversation` is there (it is opened in a thread while one can type already) messages wait."""

    def __init__(self, mode: Mode) -> None:
        self.conversation: Conversation | None = None
        self.waiting: list[str] = []
        self.next_mode: Mode = mode
        """The mode of the next turn; the running one keeps its own."""
        self._began = 0.0
        """When the running turn began, by the monotonic clock, later by what questions took."""
        self._asked: float | None = None
        """Since when a question waits."""
        self.has_answer = False
        """Something of an answer came in the last turn."""
        self._turn: Turn | None = None

    @property
    def is_working(self) -> bool:
        return self._turn is not None

    @property
    def worked_s(self) -> float:
        """How long the running turn has worked; waiting for the user's word is no work."""
        return (time.monotonic() if self._asked is None else self._asked) - self._began

    @property
    def is_ready(self) -> bool:
        """A message would be sent at once."""
        return self.conversation is not None and not self.is_working

    @property
    def mode(self) -> Mode:
        """The mode of the running turn, or of the next one."""
        return self.conversation.mode if self.conversation is not None and self.is_working else self.next_mode

    async def turn(self, text: str, show: Callable[[Record], None]) -> Record | None:
        """Send `text` and show what comes of it, up to the end of the turn, which is returned."""
        assert self.conversation is not None
        self.conversation.mode = self.next_mode
        self._began, self._asked, self.has_answer = time.monotonic(), None, False
        turn = self._turn = self.conversation.send(text)
        last: Record | None = None
        until = time.perf_counter() + SLICE_S
        try:
            async for last in turn:
                self.has_answer = self.has_answer or isinstance(last.event, Delta)
                self._clock(last)
                show(last)
                if time.perf_counter() > until:
                    await asyncio.sleep(0)
                    until = time.perf_counter() + SLICE_S
        finally:
            turn.stop()
            self._turn = None
        return last

    def _clock(self, record: Record) -> None:
        """Stop the clock while a question waits."""
        if isinstance(record.event, ApprovalAsked):
            self._asked = time.monotonic()
        elif isinstance(record.event, ApprovalGiven) and self._asked is not None:
            self._began += time.monotonic() - self._asked
            self._asked = None

    def stop(self) -> bool:
        """Stop the running turn; what came is kept. False when none runs."""
        if self._turn is None:
            return False
        self._turn.stop()
        return True

    def answer(self, id: str, answer: Answer) -> None:
        """Answer a question of the running turn."""
        if self._turn is not None:
            self._turn.answer(id, answer)
