"""What the database knows of checkpoints: who changed what, in which order, and what was taken back."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tui.core.codec import dumps
from tui.core.messages import Json
from tui.sessions.checkpoints.blobs import Blobs
from tui.sessions.checkpoints.scan import Tree
from tui.sessions.checkpoints.states import Change, Seen, State

if TYPE_CHECKING:
    import sqlite3

    from tui.sessions.database import Database

EntryKind = Literal["files", "tree", "other", "undo"]
"""A tool changed the files that it named; a command changed what it liked; somebody else did; it was taken back."""

_COLUMNS = "number, turn, step, kind, is_open, is_reverted, is_told, body"


@dataclass(frozen=True, slots=True)
class Entry:
    """Changes that belong together. One that is `is_open` has begun, and nothing says how it ended."""

    number: int
    turn: int
    step: int
    kind: EntryKind
    is_open: bool
    is_reverted: bool
    """It was taken back; of an `undo`: it was brought back."""
    is_told: bool
    """The model knows of the undo."""
    changes: tuple[Change, ...]
    took: tuple[int, ...] = ()
    """Of an `undo`: the numbers of what it took back."""
    turns: tuple[int, ...] = ()
    left: tuple[str, ...] = ()
    """Of an `undo`: paths that it left alone, since they had changed."""

    @property
    def is_of_model(self) -> bool:
        return self.kind in ("files", "tree")

    @property
    def place(self) -> tuple[int, int]:
        return self.turn, self.step


class Ledger:
    """The entries of one session. Blocking. Raises SessionError."""

    def __init__(self, database: Database, session: int, folder: bytes, blobs: Blobs) -> None:
        self._database, self._session, self._folder = database, session, folder
        self.blobs = blobs

    def begin(self, turn: int, step: int, kind: EntryKind, changes: Sequence[Change] = (), **more: Any) -> int:
        """Something is about to happen, of which no more may come to be known; returns the entry's number."""
        with self._write_entry() as sql:
            return self._insert(sql, turn, step, kind, True, _body(changes, more))

    def close(self, number: int, changes: Sequence[Change]) -> None:
        """What came of it; when that is nothing, it is forgotten."""
        with self._write_entry() as sql:
            if changes:
                values = (_body(changes, {}), number)
                sql.execute("UPDATE checkpoints SET is_open = 0, body = ? WHERE number = ?", values)
            else:
                sql.execute("DELETE FROM checkpoints WHERE number = ?", (number,))

    def add(self, turn: int, step: int, kind: EntryKind, changes: Sequence[Change]) -> None:
        with self._write_entry() as sql:
            self._insert(sql, turn, step, kind, False, _body(changes, {}))

    def undone(self, number: int, changes: Sequence[Change], took: Sequence[int], **more: Any) -> None:
        """The undo `number` is done: so it went, and that is what it took back."""
        with self._write() as sql:
            body = _body(changes, {"took": took, **more})
            sql.execute("UPDATE checkpoints SET is_open = 0, body = ? WHERE number = ?", (body, number))
            sql.executemany("UPDATE checkpoints SET is_reverted = 1 WHERE number = ?", [(one,) for one in took])
            sql.execute(  # those that were cut off before it
                "DELETE FROM checkpoints WHERE session = ? AND kind = 'undo' AND is_open = 1", (self._session,)
            )

    def redone(self, undo: Entry) -> None:
        with self._write() as sql:
            sql.execute("UPDATE checkpoints SET is_reverted = 1 WHERE number = ?", (undo.number,))
            sql.executemany("UPDATE checkpoints SET is_reverted = 0 WHERE number = ?", [(one,) for one in undo.took])

    def told(self, entries: Iterable[Entry]) -> None:
        """The model knows how these undos stand."""
        with self._write() as sql:
            values = [(not entry.is_reverted, entry.number) for entry in entries]
            sql.executemany("UPDATE checkpoints SET is_told = ? WHERE number = ?", values)

    def entries(self, *, only_open: bool = False) -> list[Entry]:
        """All of them, in the order in which they began."""
        where = "AND is_open = 1" if only_open else ""
        with self._database.read() as sql:
            rows = sql.execute(
                f"SELECT {_COLUMNS} FROM checkpoints WHERE session = ? {where} ORDER BY number",  # noqa: S608
                (self._session,),
            ).fetchall()
        return [_entry(row) for row in rows]

    def files_of_others(self, since: int) -> set[tuple[str, State | None]]:
        """What tools of other sessions of this folder made of which files, since the entry `since` was begun."""
        with self._database.read() as sql:
            rows = sql.execute(
                f"SELECT {_COLUMNS} FROM checkpoints WHERE number > ? AND session <> ? AND kind = 'files'"  # noqa: S608
                " AND is_open = 0 AND session IN (SELECT key FROM sessions WHERE folder = ?)",
                (since, self._session, self._folder),
            ).fetchall()
        return {(change.path, change.after) for row in rows for change in _entry(row).changes}

    def save_tree(self, tree: Tree) -> None:
        """Keep how all is before a command, for the case that the program is ended while it runs."""
        rows = [[path, seen.signature, *seen.state] for path, seen in tree.items()]
        body = zlib.compress(dumps(rows).encode(), 1)
        with self._write() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO kept_trees (session, number, body)"
                " VALUES (?, (SELECT coalesce(max(number), 0) FROM checkpoints), ?)",
                (self._session, body),
            )

    def has_tree(self) -> bool:
        """Whether this session has ever saved a tree."""
        with self._database.read() as sql:
            return sql.execute("SELECT 1 FROM kept_trees WHERE session = ?", (self._session,)).fetchone() is not None

    def load_tree(self) -> tuple[int, Tree]:
        """The tree that this session saved last, and after which entry that was."""
        return self._tree("WHERE session = ?", self._session)

    def tree_of_folder(self) -> Tree:
        """The tree that any session of the folder saved last: its signatures spare reading what has not changed."""
        where = "WHERE session IN (SELECT key FROM sessions WHERE folder = ?) ORDER BY number DESC LIMIT 1"
        return self._tree(where, self._folder)[1]

    def needs(self, digests: Iterable[str] = ()) -> None:
        """The session needs these contents, and all that were kept. Before this returns, `Blobs.held` must not end."""
        with self.blobs.new() as new:
            if needed := {*digests, *new}:
                with self._write() as sql:
                    self._need(sql, needed)

    def _tree(self, where: str, value: object) -> tuple[int, Tree]:
        with self._database.read() as sql:
            row = sql.execute(f"SELECT number, body FROM kept_trees {where}", (value,)).fetchone()  # noqa: S608
        if row is None:
            return 0, {}
        return row[0], {
            path: Seen(tuple(signature) if signature else None, State(*state))
            for path, signature, *state in json.loads(zlib.decompress(row[1]))
        }

    def _write(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._database.write()

    @contextmanager
    def _write_entry(self) -> Iterator[sqlite3.Connection]:
        """A transaction, with what was kept for it: another one for that would take as long again."""
        with self.blobs.new() as new, self._write() as sql:
            self._need(sql, new)
            yield sql

    def _need(self, sql: sqlite3.Connection, digests: Iterable[str]) -> None:
        if values := [(bytes.fromhex(digest), self._session) for digest in digests]:
            sql.executemany("INSERT OR IGNORE INTO kept_blobs (hash, session) VALUES (?, ?)", values)

    def _insert(self, sql: sqlite3.Connection, turn: int, step: int, kind: EntryKind, is_open: bool, body: str) -> int:
        done = sql.execute(
            "INSERT INTO checkpoints (session, turn, step, kind, is_open, time, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._session, turn, step, kind, is_open, time.time(), body),
        )
        return int(done.lastrowid or 0)


def forget(sql: sqlite3.Connection, session: int, blobs: Blobs) -> None:
    """Remove all of a session's checkpoints, and the contents that no other session needs. `blobs` is held."""
    rows = sql.execute(
        "SELECT hash FROM kept_blobs AS mine WHERE session = ? AND NOT EXISTS"
        " (SELECT 1 FROM kept_blobs AS its WHERE its.hash = mine.hash AND its.session <> mine.session)",
        (session,),
    ).fetchall()
    for table in ("checkpoints", "kept_trees", "kept_blobs"):
        sql.execute(f"DELETE FROM {table} WHERE session = ?", (session,))  # noqa: S608
    blobs.remove(row[0].hex() for row in rows)


def _body(changes: Sequence[Change], more: Json) -> str:
    return dumps({"changes": changes, **more})


def _entry(row: Sequence[Any]) -> Entry:
    number, turn, step, kind, is_open, is_reverted, is_told, body = row
    told: Json = json.loads(body)
    changes = tuple(Change(path, _state(before), _state(after)) for path, before, after in told["changes"])
    lists = {name: tuple(told.get(name, ())) for name in ("took", "turns", "left")}
    return Entry(number, turn, step, kind, bool(is_open), bool(is_reverted), bool(is_told), changes, **lists)


def _state(value: list[Any] | None) -> State | None:
    return None if value is None else State(*value)
