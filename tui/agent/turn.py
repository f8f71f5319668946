"""A turn under way: one task that runs the loop, and the records that come out of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from tui.agent.calls import Answer, Asker
from tui.agent.limits import Limits
from tui.agent.loop import run_turn
from tui.agent.outfit import outfit
from tui.agent.time_limit import TimeLimit
from tui.core.errors import ErrorInfo, MimoError
from tui.core.events import (
    ApprovalAsked,
    Event,
    Happened,
    MessageAdded,
    Nested,
    Notice,
    QuestionAnswered,
    QuestionAsked,
    Reason,
    Record,
    StepStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tui.core.messages import Message
from tui.settings.log import log_crash

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation

_PATIENCE_S = 15.0
"""What ends has so long for it before it may be cut off."""


class Turn:
    """Iterate over it for its records: `turn_started` comes first, `turn_finished` or `turn_failed` last, always.

    The work goes on in a task of its own, however slowly the records are read.
    """

    def __init__(self, conversation: Conversation, message: Message, number: int, asker: Asker | None) -> None:
        self.number = number
        self._conversation = conversation
        self._message = message
        self._asker = asker or self
        self._records: asyncio.Queue[Record | None] = asyncio.Queue()
        self._questions: dict[str, asyncio.Future[Answer | str | None]] = {}
        self._step: int | None = None
        self._steps = 0
        self._end: tuple[Reason, str] = ("interrupted", "")
        self._limits = Limits()
        self._time = TimeLimit(conversation.timeout_s, self._expire)
        self._has_begun = self._is_stopped = self._has_started = False
        self._ending_since: float | None = None
        """When the work was told to end, by the monotonic clock."""
        self._task = asyncio.create_task(self._work(), name=f"turn {number}")

    async def __aiter__(self) -> AsyncIterator[Record]:
        while (record := await self._records.get()) is not None:
            yield record

    @property
    def is_waiting(self) -> bool:
        """Whether all that has happened so far was read."""
        return self._records.empty()

    @property
    def place(self) -> tuple[int, int]:
        """The turn and the step under way; 0: none of it is yet."""
        return self.number, self._steps

    @property
    def is_running(self) -> bool:
        return not self._task.done()

    def stop(self) -> None:
        """End the turn now. What came is kept; `turn_finished` says that it was interrupted."""
        self._is_stopped = True
        if self._has_begun:  # cancelled before that, it would never say that it ended
            self._cancel()

    async def wait(self) -> None:
        """Until the turn has ended and all of it is on its way to the store."""
        await asyncio.wait([self._task])

    @property
    def can_answer(self) -> bool:
        return True

    async def ask(self, question: ApprovalAsked) -> Answer:
        """Wait for `answer` to be called with the question's id."""
        return cast(Answer, await self._answer_to(question.id))

    async def reply(self, question: QuestionAsked) -> QuestionAnswered:
        """Wait for `answer` to be called with the question's id, and the user's words: None when they say nothing."""
        words = cast("str | None", await self._answer_to(question.id))
        return QuestionAnswered(question.id, words, "" if words is not None else "The user did not answer.")

    async def _answer_to(self, id: str) -> Answer | str | None:
        future: asyncio.Future[Answer | str | None] = asyncio.get_running_loop().create_future()
        self._questions[id] = future
        try:
            with self._time.held():  # how long the user thinks is no work
                return await future
        finally:
            del self._questions[id]

    def answer(self, id: str, answer: Answer | str | None) -> None:
        """Answer the question `id`; nothing happens if it does not wait any more."""
        future = self._questions.get(id)
        if future is not None and not future.done():
            future.set_result(answer)

    async def _work(self) -> None:
        self._has_begun = True
        if self._is_stopped:
            self._cancel()
        self._time.start()
        try:
            end = await self._run()
            self._ending_since = None
            await self._tell_end(end)
            self._emit(end)
        finally:
            self._time.stop()
            self._records.put_nowait(None)

    async def _run(self) -> Event:
        """Emit all events but the last, which is returned: whatever happens, there is exactly one end."""
        conversation, last = self._conversation, TurnFinished("done")
        try:
            await self._begin()
            await conversation.begin()
            agent = await outfit(conversation, self._asker)
            self._limits = agent.limits
            for added in await conversation.mentioned(self._message.words):
                self._emit(MessageAdded(Message("user", (added,))))
            async for event in run_turn(agent, conversation.history.copy()):
                if isinstance(event, TurnFinished):
                    last = event
                else:
                    self._emit(event)
            return last
        except asyncio.CancelledError:  # this task is the turn: its end is the last event, nobody awaits the exception
            reason, words = self._end
            return TurnFinished(reason, self._limits.told(words) if words else "")
        except MimoError as error:
            return TurnFailed(error.info)
        except Exception as error:
            return TurnFailed(ErrorInfo("internal", f"something went wrong that should not: {log_crash(error)}"))

    async def _begin(self) -> None:
        """Open the session and say that the turn has started. That is over in milliseconds, so a stop waits for it."""
        conversation = self._conversation
        opening = asyncio.ensure_future(conversation.journal.begin(self._message.words, conversation.records))
        try:
            if await asyncio.shield(opening):
                conversation.tell("This session is being saved now, with all that was said so far.")
            if conversation.keeper is not None:
                self._message = await conversation.keeper.told(self._message)
            self._message = await conversation.briefed(self._message)
        finally:
            await opening
            self._emit(TurnStarted(self._message, conversation.mode, conversation.permissions.policy))
            for words in conversation.take_untold():
                self._emit(Notice(words))

    async def _tell_end(self, end: Event) -> None:
        """Run the user's hooks for a turn that ended by itself; who stops it does not wait for them."""
        if not self._has_started or end == TurnFinished("interrupted"):
            return
        reason = end.reason if isinstance(end, TurnFinished) else "failed"
        with contextlib.suppress(asyncio.CancelledError):  # stopped now: the turn has its end all the same
            await self._conversation.tell_hooks("turn_finished", {"reason": reason})

    def tell(self, words: str) -> bool:
        """Emit a notice, if the turn is under way; whether it was."""
        if self.is_running and self._has_started:
            self._emit(Notice(words))
            return True
        return False

    def _expire(self) -> None:
        self._end = ("limit", f"{self._conversation.timeout_s:g} s are over (timeout)")
        self._cancel()

    def _cancel(self) -> None:
        """Once: a key that is struck again must not cut off what ends a command and takes in what it did."""
        now = time.monotonic()
        if self._ending_since is None or now - self._ending_since > _PATIENCE_S:
            self._ending_since = now
            self._task.cancel()

    def _emit(self, event: Happened) -> None:
        if isinstance(event, Nested):
            self._record(event.event, event.step, event.call_id)
            return
        if isinstance(event, StepStarted):
            self._steps += 1
            self._step = self._steps
        elif isinstance(event, TurnStarted | TurnFinished | TurnFailed):
            self._step, self._has_started = None, True
        self._record(event, self._step)

    def _record(self, event: Event, step: int | None, parent: str | None = None) -> None:
        record = Record(self._conversation.session_id, self.number, step, time.time(), event, parent)
        self._conversation.keep(record)
        self._records.put_nowait(record)
