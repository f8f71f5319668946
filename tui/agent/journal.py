"""Where a conversation is kept: its session in the store, or nowhere when the store cannot be used, which is said."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tui.core.errors import MimoError
from tui.core.events import Record, TurnStarted
from tui.sessions.store import Store
from tui.sessions.writer import Writer
from tui.tools.desk import UNSAVED


class Journal:
    """The session of one conversation. It is created with the first turn, so that looking around leaves no trace.

    Where that fails it is tried again with each turn: a database that was locked or a disk that was full may be so no
    more.
    """

    def __init__(self, folder: Path, on_problem: Callable[[MimoError], None]) -> None:
        """`on_problem` is called in the event loop when the session cannot be saved."""
        self.session_id = ""
        """Empty until the first turn begins."""
        self._folder = folder
        self._on_problem = on_problem
        self._store: Store | None = None
        self._writer: Writer | None = None

    @property
    def store(self) -> Store | None:
        """Where the session is kept; None while it is not, and where it cannot be."""
        return self._store

    def load(self, session: str | None) -> list[Record]:
        """Go on with the session whose id begins with `session` (None: the folder's latest). Blocking.

        Raises SessionError when there is none, or another program has it open.
        """
        store = Store.open()
        try:
            found = store.find(session) if session else store.latest(self._folder)
            store.claim(found.id)
            records = store.records(found.id)
        except BaseException:
            store.close()
            raise
        self._start(store, found.id)
        return records

    async def begin(self, words: str, so_far: Sequence[Record]) -> bool:
        """Create the session, unless there is one; where that failed before, with what was said so far.

        It gets its title from the first message: that of `so_far`, or `words` where there is none.
        Returns whether it was made up for so. Raises nothing: see `on_problem`, which is called the first time.
        """
        if self._store is not None:
            return False
        so_far = tuple(so_far)  # as it is now: what comes while the session is made is kept by who says it
        title = next((record.event.message.words for record in so_far if isinstance(record.event, TurnStarted)), words)
        try:
            store, session_id = await asyncio.to_thread(self._create, title)
        except MimoError as error:
            if not self.session_id:
                self.session_id = f"{UNSAVED}{uuid.uuid4().hex[:8]}"
                self._on_problem(error)
            return False
        was_unsaved = bool(self.session_id)
        self._start(store, session_id)
        for record in so_far:
            self.keep(replace(record, session=session_id))
        return was_unsaved

    def keep(self, record: Record) -> None:
        """Put a record on its way to the store. Does not block."""
        if self._writer is not None:
            self._writer.put(record)

    async def close(self) -> None:
        """Write what is left and let the session go; again does nothing."""
        writer, store, self._writer, self._store = self._writer, self._store, None, None
        if writer is not None:
            await writer.close()
        if store is not None:
            await asyncio.to_thread(store.close)

    def _create(self, title: str) -> tuple[Store, str]:
        store = Store.open()
        try:
            session = store.create(self._folder, title)
            store.claim(session.id)
        except BaseException:
            store.close()
            raise
        return store, session.id

    def _start(self, store: Store, session_id: str) -> None:
        self.session_id, self._store = session_id, store
        self._writer = Writer(store, session_id, self._on_problem)
