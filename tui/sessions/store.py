"""The sessions of this user in one SQLite database: the stored stream of events, whole steps at a time.

A finished step's deltas are not kept, they are made again from its message; an unfinished one has those that came.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.core.codec import dumps, event_from_json
from tui.core.errors import NoSessionError, SessionError
from tui.core.events import Record, StepFinished, TurnFailed, TurnFinished, TurnStarted
from tui.core.text import clean_line
from tui.sessions import locks
from tui.sessions.cut import endings
from tui.sessions.rows import COLUMNS, DELTA_TYPES, Row, records_of, row_of, starts_of

if TYPE_CHECKING:
    import sqlite3

    from tui.sessions.checkpoints.blobs import Blobs
    from tui.sessions.checkpoints.ledger import Ledger
    from tui.sessions.database import Database

_ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that look alike
_ID_LENGTH = 6
_TITLE_LIMIT = 80
# The condition of the index `unfinished`, word for word: SQLite uses the index only then.
_IS_DELTA = f"type IN ({', '.join(repr(name) for name in DELTA_TYPES)})"
_INFO = "id, title, folder, created, updated, turns, interrupted, is_open"


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What a list shows of a session. Times are in seconds since the epoch; the title is cleaned text."""

    id: str
    title: str
    folder: Path
    created: float
    updated: float
    turns: int
    interrupted: bool
    """The last turn was cut short: by the user, or because its program was killed."""


Infos = list[SessionInfo]  # inside of the class, `list` is its method
Records = list[Record]
Rows = list[Row]


class Store:
    """The database. Blocking; several threads may use it, one at a time. It raises SessionError and nothing else."""

    def __init__(self, database: Database, locks_folder: Path) -> None:
        self._database = database
        self._locks_folder = locks_folder
        self._locks: dict[str, locks.Lock] = {}

    @classmethod
    def open(cls, path: Path | None = None) -> Store:
        """Open the user's database, or the one at `path`; it is made if it is missing."""
        from tui.sessions.database import Database

        if path is None:
            from tui.settings.paths import data_dir

            path = data_dir() / "sessions.db"
        return cls(Database(path), path.parent / "locks")

    def close(self) -> None:
        """Let go of the sessions that this store has claimed, and of the database."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()
        self._database.close()

    def create(self, folder: Path, title: str = "") -> SessionInfo:
        """A new, empty session. Its title is the first line of `title`, or of its first message when that is empty."""
        now, title = time.time(), _title_of(title)
        with self._database.write() as sql:
            while True:
                name = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
                done = sql.execute(
                    "INSERT OR IGNORE INTO sessions (id, title, folder, created, updated) VALUES (?, ?, ?, ?, ?)",
                    (name, title, os.fsencode(folder), now, now),
                )
                if done.rowcount:
                    return SessionInfo(name, title, folder, now, now, 0, False)

    def claim(self, session_id: str) -> None:
        """Take the session for this program until `release` or `close`. A turn that was cut off is marked interrupted.

        Raises SessionError when a running program has it.
        """
        if session_id in self._locks:
            return
        lock = self._take_lock(session_id)
        try:
            if self._is_open(session_id):
                self.append(session_id, endings(self._stored(session_id)))
        except BaseException:
            lock.release()
            raise
        self._locks[session_id] = lock

    def release(self, session_id: str) -> None:
        if lock := self._locks.pop(session_id, None):
            lock.release()

    def append(self, session_id: str, records: Sequence[Record]) -> None:
        """Store records behind those that are there, all or none. A `StepFinished` replaces its step's deltas."""
        if not records:
            return
        with self._database.write() as sql:
            key = _key(sql, session_id)
            rows: Rows = []
            for record in records:
                row = row_of(record)
                if isinstance(record.event, StepFinished):
                    mine = [delta for delta in rows if _is_delta_of(delta, row)]
                    rows = [other for other in rows if not _is_delta_of(other, row)]
                    row = row._replace(starts=dumps(_starts([*_take_deltas(sql, key, row), *mine])))
                rows.append(row)
            insert = f"INSERT INTO records (session, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            sql.executemany(insert, [(key, *row) for row in rows])  # each statement lets other threads in between
            for record in records:
                if record.parent is None:
                    _follow(sql, key, record)
            sql.execute("UPDATE sessions SET updated = ? WHERE key = ?", (records[-1].time, key))

    def records(self, session_id: str) -> Records:
        """All records, in order, as readers were shown them live. A turn that was cut off ends interrupted."""
        found = self._stored(session_id)
        if self._is_open(session_id) and not locks.is_held(self._lock_path(session_id)):
            found += endings(found)
        return found

    def list(self, folder: Path | None = None) -> Infos:
        """Sessions in which something was said, of one folder or of all, the last used first."""
        where, values = ("", ()) if folder is None else ("AND folder = ?", (os.fsencode(folder),))
        with self._database.read() as sql:
            rows = sql.execute(
                f"SELECT {_INFO} FROM sessions WHERE turns > 0 {where} ORDER BY updated DESC, key DESC",  # noqa: S608
                values,
            ).fetchall()
        return [self._info(row) for row in rows]

    def latest(self, folder: Path) -> SessionInfo:
        """The session of this folder that was last used. Raises SessionError when there is none."""
        found = self.list(folder)
        if not found:
            raise NoSessionError(
                f"there is no session of {folder} yet", "Begin one, or see all: mimo-tui sessions list"
            )
        return found[0]

    def find(self, prefix: str) -> SessionInfo:
        """The session whose id begins so. Raises SessionError when it is none, or more than one."""
        with self._database.read() as sql:
            rows = sql.execute(
                f"SELECT {_INFO} FROM sessions WHERE substr(id, 1, ?) = ? LIMIT 5",  # noqa: S608
                (len(prefix), clean_line(prefix)),
            ).fetchall()
        if len(rows) == 1 and prefix:
            return self._info(rows[0])
        if rows and prefix:
            names = ", ".join(row[0] for row in rows)
            raise NoSessionError(f"{prefix} can be more than one session: {names}", "Write more of its id.")
        raise NoSessionError(f"there is no session {prefix!r}", "See which there are: mimo-tui sessions list")

    def ledger(self, session_id: str) -> Ledger:
        """What is known of the session's changes to files."""
        from tui.sessions.checkpoints.ledger import Ledger

        with self._database.read() as sql:
            key = _key(sql, session_id)
            (folder,) = sql.execute("SELECT folder FROM sessions WHERE key = ?", (key,)).fetchone()
        return Ledger(self._database, key, folder, self._blobs())

    def delete(self, session_id: str) -> None:
        """Remove a session, its records and the files that it kept. Raises SessionError when a program has it open."""
        from tui.sessions.checkpoints.ledger import forget

        lock = None if session_id in self._locks else self._take_lock(session_id)
        try:
            with (blobs := self._blobs()).held(to_remove=True), self._database.write() as sql:
                key = _key(sql, session_id)
                forget(sql, key, blobs)
                sql.execute("DELETE FROM records WHERE session = ?", (key,))
                sql.execute("DELETE FROM sessions WHERE key = ?", (key,))
        except OSError as error:
            raise SessionError(f"the kept states of files cannot be used: {error}") from error
        finally:
            if lock:
                lock.release()

    def _blobs(self) -> Blobs:
        from tui.sessions.checkpoints.blobs import Blobs

        return Blobs(self._locks_folder.parent / "blobs")

    def _stored(self, session_id: str) -> Records:
        with self._database.read() as sql:
            rows = sql.execute(
                f"SELECT {COLUMNS} FROM records WHERE session = ? ORDER BY number",  # noqa: S608
                (_key(sql, session_id),),
            ).fetchall()
        return records_of(session_id, rows)

    def _is_open(self, session_id: str) -> bool:
        with self._database.read() as sql:
            key = _key(sql, session_id)
            return bool(sql.execute("SELECT is_open FROM sessions WHERE key = ?", (key,)).fetchone()[0])

    def _info(self, row: Sequence[Any]) -> SessionInfo:
        name, title, folder, created, updated, turns, interrupted, is_open = row
        cut = bool(is_open) and not locks.is_held(self._lock_path(name))
        return SessionInfo(
            name, title, Path(os.fsdecode(folder)), created, updated, turns, cut or (bool(interrupted) and not is_open)
        )

    def _take_lock(self, session_id: str) -> locks.Lock:
        path = self._lock_path(session_id)
        try:
            lock = locks.take(path)
        except OSError as error:
            raise SessionError(f"the session cannot be opened: {path}: {error.strerror}") from error
        if lock is None:
            raise SessionError(
                f"session {session_id} is open in another mimo-tui", "Close it there, or begin a new session here."
            )
        return lock

    def _lock_path(self, session_id: str) -> Path:
        return self._locks_folder / f"{session_id}.lock"


def _key(sql: sqlite3.Connection, session_id: str) -> int:
    row = sql.execute("SELECT key FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        raise NoSessionError(f"there is no session {session_id!r}", "See which there are: mimo-tui sessions list")
    return int(row[0])


def _is_delta_of(row: Row, step: Row) -> bool:
    return row.type in DELTA_TYPES and (row.turn, row.step, row.parent) == (step.turn, step.step, step.parent)


def _take_deltas(sql: sqlite3.Connection, key: int, step: Row) -> Rows:
    """Remove the deltas of a step that is finished now. Returns them, in order."""
    where = f"FROM records WHERE session = ? AND turn = ? AND step IS ? AND parent IS ? AND {_IS_DELTA}"
    values = (key, step.turn, step.step, step.parent)
    rows = [Row(*row) for row in sql.execute(f"SELECT {COLUMNS} {where} ORDER BY number", values)]
    if rows:
        sql.execute(f"DELETE {where}", values)
    return rows


def _starts(deltas: Rows) -> list[list[str | float]]:
    """When each of the blocks of a step began."""
    return starts_of((row.time, event_from_json(json.loads(row.body))) for row in deltas)


def _follow(sql: sqlite3.Connection, key: int, record: Record) -> None:
    """Keep what lists show of a session in step with its records."""
    match record.event:
        case TurnStarted(message=message):
            sql.execute(
                "UPDATE sessions SET turns = turns + 1, is_open = 1, interrupted = 0,"
                " title = CASE title WHEN '' THEN ? ELSE title END WHERE key = ?",
                (_title_of(message.words), key),
            )
        case TurnFinished() | TurnFailed() as end:
            cut = isinstance(end, TurnFinished) and end.reason == "interrupted"
            sql.execute("UPDATE sessions SET is_open = 0, interrupted = ? WHERE key = ?", (cut, key))


def _title_of(text: str) -> str:
    return clean_line(next((line for line in text.splitlines() if line.strip()), ""), _TITLE_LIMIT)
