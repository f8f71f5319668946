"""Keeps what a turn changes in the project folder, so that it can be taken back.

Stands around each call that may change something: before it what it may change is kept, after it what did is known.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.errors import MimoError
from tui.core.events import Happened, Notice, ToolFinished
from tui.core.messages import Context, Json, Message
from tui.sessions.checkpoints.states import NEVER, why_unkept
from tui.tools.base import Tool
from tui.tools.repositories import RepositoryWatch

if TYPE_CHECKING:
    from tui.sessions.checkpoints.recorder import Held, Place, Recorder
    from tui.sessions.checkpoints.states import Change, State
    from tui.sessions.checkpoints.undoing import Result, Undoing
    from tui.sessions.store import Store

Told = tuple[Json, Sequence[str]]
"""What is told of a call's changes in its `detail`, and what the user has to know."""

_SHOWN = 100
"""So many changed files are told with a call."""


class Begun:
    """A call that is about to run: what it may change is kept, and `around` tells what it has changed."""

    def __init__(self, find_out: Callable[[], Told], problems: Sequence[str] = ()) -> None:
        """`find_out` blocks; `problems` are what the user has to know before it runs."""
        self._find_out, self._problems = find_out, problems
        self._told: Told | None = None
        self._took_s = 0.0
        self._ending = threading.Lock()

    def end(self) -> Told:
        """It is over: find out what has changed. Blocking. A tool may do it in its own thread; else `around` does."""
        with self._ending:  # a second time it would find no change, and forget those that were
            if self._told is None:
                began = time.monotonic()
                self._told = self._find_out()
                self._took_s = time.monotonic() - began
            return self._told

    async def around(self, events: AsyncGenerator[Happened, None]) -> AsyncGenerator[Happened, None]:
        """The events of the call as it runs, with what it changed in `ToolFinished.detail`."""
        try:
            for problem in self._problems:
                yield Notice(problem)
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, ToolFinished):
                        if (told := self._told) is None:
                            told = await asyncio.to_thread(self.end)
                        else:  # within the tool's time, but no work of its own
                            event = replace(event, total_s=max(event.total_s - self._took_s, 0.0))
                        detail, problems = told
                        for problem in problems:
                            yield Notice(problem)
                        event = replace(event, detail=event.detail | detail)
                    yield event
        finally:
            if self._told is None:  # nobody reads on: what has changed is found out all the same
                asyncio.get_running_loop().run_in_executor(None, self.end)


class Keeper:
    """Of one session in one folder. What goes wrong with keeping is said and stops nothing."""

    def __init__(
        self,
        store: Store,
        session_id: str,
        folder: Path,
        place: Callable[[], Place] = lambda: (0, 0),
        works_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        """`place` tells the turn and step under way, `works_behind` whether commands run in the background."""
        self._store, self._session_id, self._folder = store, session_id, folder
        self._place, self._works_behind = place, works_behind
        self._made: tuple[Recorder, Undoing] | None = None
        self._making = threading.Lock()
        self._said: set[str] = set()
        self._had: dict[str, set[State | None]] = {}  # all that each changed file has been in the turn
        self._turn = 0

    def begin(self, tool: Tool, places: Sequence[Path]) -> Begun | None:
        """A call of a tool that changes files is about to run: keep what it may change; None when nothing here is.

        `places` are its paths. Blocking.
        """
        try:
            recorder = self._parts()[0]
            if tool.effect == "edit":
                if not (paths := self._inside(places)):
                    return None
                held = recorder.before_files(self._place(), paths)
            elif (tree := recorder.before_command(self._place())) is not None:
                held = tree
            else:
                return Begun(lambda: ({}, ()), self._once(_limit(recorder)))
        except (MimoError, OSError) as error:
            return Begun(lambda: ({}, ()), self._once([_not_kept(error)]))
        return Begun(lambda: self._find_out(recorder, held))

    @property
    def undoing(self) -> Undoing:
        """Takes back and brings back. Blocking, as all that it does. Raises SessionError."""
        return self._parts()[1]

    def recover(self) -> None:
        """Find out what was changed when the program was killed, before anything else changes. Blocking, raises
        nothing."""
        with suppress(MimoError, OSError), self._parts()[0].at_work():
            pass

    @property
    def has_outgrown(self) -> bool:
        """A command has made too much of the folder: of what commands change only what was there before is kept."""
        return self._made is not None and self._made[0].has_outgrown

    def put_back(self, work: Callable[[Undoing], Result]) -> Result:
        """Take back or bring back; what git would run a program by then is set aside, as after a command.

        Blocking. Raises what `work` raises.
        """
        watch = RepositoryWatch(self._folder)
        result = work(self.undoing)
        return result._replace(remarks=(*self._since(result), *watch.set_aside()))

    async def told(self, message: Message) -> Message:
        """A message of the user's with what the model has to know: what was taken back since the last one."""
        try:
            words = await asyncio.to_thread(lambda: self.undoing.take_words())
        except MimoError:
            return message
        return replace(message, blocks=(*message.blocks, Context(f"\n\n[{words}]"))) if words else message

    def close(self) -> None:
        """Take in what commands in the background have changed. Blocking, raises nothing."""
        if self._made is not None:
            with suppress(MimoError, OSError):
                self._made[0].end(self._place())

    def _since(self, result: Result) -> Iterator[str]:
        """What to say where the last turn was not among those that were taken back: it may have worked elsewhere."""
        last, entries = max(result.turns, default=0), self._parts()[0].ledger.entries()
        is_undo = bool(entries) and entries[-1].kind == "undo" and not entries[-1].is_reverted
        if is_undo and 0 < last < self._place()[0] and all(entry.turn <= last for entry in entries):
            yield "the turns since have changed nothing that is kept here"

    def _find_out(self, recorder: Recorder, held: Held) -> Told:
        try:
            changes = recorder.after(held)
        except (MimoError, OSError) as error:
            return {}, self._once([_not_kept(error)])
        return self._told_of(changes), self._once([*_limit(recorder), *_lost(changes)])

    def _told_of(self, changes: Sequence[Change]) -> Json:
        """What is told with a call of what it has changed: `changed`, a list of paths, and of them `came_back`, those
        that are again what they were before in this turn.
        """
        names, came_back = [name for change in changes if (name := _named(change))], self._came_back(changes)
        told: Json = {"changed": names[:_SHOWN]} if names else {}
        return told | {"came_back": came_back} if came_back and len(names) <= _SHOWN else told

    def _came_back(self, changes: Sequence[Change]) -> list[str]:
        """The files that are again what they were before in this turn."""
        if self._turn != (turn := self._place()[0]):
            self._turn, self._had = turn, {}
        found = []
        for change in changes:
            had = self._had.setdefault(change.path, set())
            if change.after in had and (name := _named(change)):
                found.append(name)
            had |= {change.before, change.after}
        return found

    def _parts(self) -> tuple[Recorder, Undoing]:
        from tui.sessions.checkpoints.recorder import Recorder
        from tui.sessions.checkpoints.undoing import Undoing

        with self._making:
            if self._made is None:
                recorder = Recorder(self._store.ledger(self._session_id), self._folder, self._works_behind)
                self._made = recorder, Undoing(recorder)
            return self._made

    def _inside(self, places: Sequence[Path]) -> list[str]:
        """Paths of the folder; what the user allowed to be changed elsewhere is not kept."""
        inside = [place.relative_to(self._folder) for place in places if place.is_relative_to(self._folder)]
        return [str(path) for path in inside if NEVER.isdisjoint(path.parts) and path.parts]

    def _once(self, sentences: Iterable[str]) -> list[str]:
        new = [sentence for sentence in sentences if sentence not in self._said]
        self._said.update(new)
        return new


def _named(change: Change) -> str:
    """A changed file for people; empty for a folder, whose files say enough."""
    kinds = {state.kind for state in (change.before, change.after) if state is not None}
    return "" if kinds <= {"folder", "cache"} else change.path + ("/" if "installed" in kinds else "")


def _limit(recorder: Recorder) -> list[str]:
    if not recorder.limit:
        return []
    return [f"This folder has {recorder.limit}: only what file tools change can be taken back, not what commands do."]


def _lost(changes: Iterable[Change]) -> Iterator[str]:
    for path, before, _ in changes:
        if before is not None and before.kind in ("unkept", "other"):
            yield f"{path} was changed and cannot be taken back: it is {why_unkept(before)}."


def _not_kept(error: MimoError | OSError) -> str:
    why = error.message if isinstance(error, MimoError) else error.strerror or str(error)
    return f"What changes now cannot be taken back: {why}"
