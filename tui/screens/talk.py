"""What is being said: the conversation, the turn that runs, and the messages that wait for its end. No widgets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.core.events import (
    CUT,
    ApprovalAsked,
    ApprovalGiven,
    Delta,
    QuestionAnswered,
    QuestionAsked,
    Record,
    Retrying,
    StepFinished,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tui.core.messages import Image
from tui.settings.config import Mode
from tui.widgets.countdown import Countdown

if TYPE_CHECKING:
    from tui.agent.calls import Answer
    from tui.agent.conversation import Conversation
    from tui.agent.turn import Turn

SLICE_S = 0.001
"""How long records are shown before keys get their turn. A key passes through the event loop about six times before
it is on the screen, so a slice of 4 ms would cost it 24."""

GO_ON = "Go on from where your answer broke off."
"""What the user says, with one key, to have an answer that was cut go on."""


class Outgoing(NamedTuple):
    """A message of the user's that is to be sent."""

    text: str
    images: tuple[Image, ...] = ()

    @property
    def shown(self) -> str:
        """It on a line."""
        return " ".join([self.text, *("[image]" for _ in self.images)]).strip()


class Talk:
    """Until `conversation` is there (it is opened in a thread while one can type already) messages wait."""

    def __init__(self, mode: Mode) -> None:
        self.conversation: Conversation | None = None
        self.waiting: list[Outgoing] = []
        self.next_mode: Mode = mode
        """The mode of the next turn; the running one keeps its own."""
        self._began = 0.0
        """When the running turn began, by the monotonic clock, later by what questions took."""
        self._asked: float | None = None
        """Since when a question waits."""
        self.has_answer = False
        """Something of an answer came in the last turn."""
        self.can_go_on = False
        """The last answer was cut: it can be gone on with."""
        self.countdown: Countdown | None = None
        """Of the retry that is waited for."""
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

    async def turn(self, message: Outgoing, show: Callable[[Record], None]) -> Record | None:
        """Send `message` and show what comes of it, up to the end of the turn, which is returned."""
        assert self.conversation is not None
        self.conversation.mode = self.next_mode
        self._began, self._asked, self.has_answer = time.monotonic(), None, False
        self.can_go_on = False
        turn = self._turn = self.conversation.send(message.text, images=message.images)
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
            self._turn = self.countdown = None
            self.look_back()
        return last

    def look_back(self) -> None:
        """Find out whether the last answer can be gone on with."""
        self.can_go_on = self.conversation is not None and broke_off(self.conversation.records)

    def _clock(self, record: Record) -> None:
        """Stop the clock while a question waits; know until when a retry is waited for."""
        event = record.event
        self.countdown = Countdown(event, record.time + event.wait_s) if isinstance(event, Retrying) else None
        if isinstance(record.event, ApprovalAsked | QuestionAsked):
            self._asked = time.monotonic()
        elif isinstance(record.event, ApprovalGiven | QuestionAnswered) and self._asked is not None:
            self._began += time.monotonic() - self._asked
            self._asked = None

    def stop(self) -> bool:
        """Stop the running turn; what came is kept. False when none runs."""
        if self._turn is None:
            return False
        self._turn.stop()
        return True

    def answer(self, id: str, answer: Answer | str | None) -> None:
        """Answer a question of the running turn."""
        if self._turn is not None:
            self._turn.answer(id, answer)


def broke_off(records: Sequence[Record]) -> bool:
    """Whether the last turn was stopped or cut when something of its answer was there."""
    end: TurnFinished | TurnFailed | None = None
    last: StepFinished | None = None
    has_begun = False
    for record in reversed(records):
        event = record.event
        if record.parent is not None:
            continue
        if isinstance(event, TurnFinished | TurnFailed):
            end = end or event
        elif isinstance(event, StepFinished):
            last = last or event
            has_begun = has_begun or bool(event.message.blocks)
        elif isinstance(event, TurnStarted):
            if not has_begun and event.message.words == GO_ON:
                continue  # nothing came of it: what it was about still stands
            break
    is_whole = isinstance(end, TurnFinished) and end.reason == "done" and last and last.finish_reason not in CUT
    return has_begun and not is_whole
