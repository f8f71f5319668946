"""A reader of the stream that stores it, in a thread of its own: whoever puts a record never waits for the disk."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from tui.core.errors import SessionError
from tui.core.events import (
    Event,
    ReasoningDelta,
    Record,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolOutput,
    ToolStarted,
)
from tui.sessions.store import Store

_GROWTH_EVERY_S = 1.0
_TOGETHER_S = 0.01
"""What ends within this time is one transaction. An agent's next request is on its way by then: storing in a thread
takes the interpreter from the loop, so it is done while the model is waited for."""
_GROWING = (TextDelta, ReasoningDelta, ToolCallDelta, ToolOutput)
_CAN_WAIT = (*_GROWING, StepStarted, ToolStarted)
"""What is no end of anything. It is stored with the next end, or after a second: a transaction for each would take
longer than an agent's step does."""


class Writer:
    """Stores what it is given: growing text and beginnings within a second, all that ends something at once.

    When the disk fails, `on_error` is called in the event loop, once until it has worked again in between, and what
    could not be stored is tried again with what comes next. `put`, `flush` and `close` belong to the event loop.
    """

    def __init__(self, store: Store, session_id: str, on_error: Callable[[SessionError], object] | None = None) -> None:
        self._store = store
        self._session = session_id
        self._queue: deque[Record | Future[None]] = deque()
        self._unstored: list[Record] = []
        self._something = threading.Event()
        self._now = threading.Event()
        self._hurry = threading.Event()
        self._is_closed = False
        self._has_failed = False
        self._on_error = on_error
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="session writer", daemon=True)
        self._thread.start()

    def put(self, record: Record) -> None:
        self._queue.append(record)
        if not isinstance(record.event, _CAN_WAIT):
            self._now.set()
        if not self._something.is_set():
            self._loop = self._loop or asyncio.get_running_loop()
            self._something.set()

    async def flush(self) -> None:
        """Return when all that was put before has been stored, or has failed to be."""
        done: Future[None] = Future()
        self._queue.append(done)
        self._hurry.set()
        self._now.set()
        self._something.set()
        await asyncio.wrap_future(done)

    async def close(self) -> None:
        """Store the rest and end the thread; again does nothing. The store stays open."""
        if self._is_closed:
            return
        await self.flush()
        self._is_closed = True
        self._now.set()
        self._something.set()

    def _run(self) -> None:
        while not self._is_closed:
            self._something.wait()
            self._now.wait(_GROWTH_EVERY_S)
            self._hurry.wait(_TOGETHER_S)
            self._something.clear()
            self._now.clear()
            self._hurry.clear()
            self._write()

    def _write(self) -> None:
        waiting: list[Future[None]] = []
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, Record):
                self._unstored.append(item)
            else:
                waiting.append(item)
        try:
            self._unstored = _join(self._unstored)
            self._store.append(self._session, self._unstored)
        except SessionError as error:
            self._fail(error)
        except Exception as error:  # the door of this thread: what cannot be stored must not hold up what can
            self._unstored.clear()
            self._fail(SessionError(f"a part of the session could not be stored: {error}"))
        else:
            self._unstored.clear()
            self._has_failed = False
        for future in waiting:
            future.set_result(None)

    def _fail(self, error: SessionError) -> None:
        if not self._has_failed and self._on_error is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(self._on_error, error)
        self._has_failed = True


def _join(records: Iterable[Record]) -> list[Record]:
    """Records with neighbouring pieces of one text joined. Each carries the time of its first piece."""
    found: list[Record] = []
    for text, run in itertools.groupby(records, _text_of):
        pieces = list(run)
        if text is None or len(pieces) == 1:
            found += pieces
        else:
            found.append(replace(pieces[0], event=_joined([piece.event for piece in pieces])))
    return found


def _text_of(record: Record) -> tuple[object, ...] | None:
    """Which growing text a record is a piece of; None when it is no piece."""
    event = record.event
    if not isinstance(event, _GROWING):
        return None
    place = (type(event), record.turn, record.step, record.parent)
    match event:
        case ToolOutput(call_id=call):
            return *place, call
        case ToolCallDelta(index=index):
            return *place, index
    return place


def _joined(pieces: list[Event]) -> Event:
    match pieces[0]:
        case ToolCallDelta(index=index):
            calls = [piece for piece in pieces if isinstance(piece, ToolCallDelta)]
            name = next((call.name for call in calls if call.name), "")
            return ToolCallDelta(index, name, "".join(call.arguments for call in calls))
        case TextDelta() | ReasoningDelta() | ToolOutput() as first:
            return replace(first, text="".join(piece.text for piece in pieces if isinstance(piece, type(first))))
    raise TypeError(pieces[0])
