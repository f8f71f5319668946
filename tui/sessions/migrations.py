"""The schema of the session database, as the list of changes that made it. Append only: released entries never change.

`PRAGMA user_version` holds how many of them a database has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

# `folder` is the path's bytes (a path need not be text); `parent` and `body` are ASCII JSON, so that whatever a model
# wrote, unpaired surrogates included, comes back as it was. `number` orders the records of all sessions.
# `starts` of a step_finished holds when each block of its message began: the deltas themselves are not kept.
MIGRATIONS: tuple[tuple[str, str], ...] = (
    (
        "sessions and their records",
        """
        CREATE TABLE sessions (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, folder BLOB NOT NULL,
            created REAL NOT NULL, updated REAL NOT NULL, turns INTEGER NOT NULL DEFAULT 0,
            is_open INTEGER NOT NULL DEFAULT 0, interrupted INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX sessions_by_folder ON sessions (folder, updated);
        CREATE TABLE records (
            number INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES sessions (key),
            turn INTEGER NOT NULL, step INTEGER, parent TEXT, time REAL NOT NULL,
            type TEXT NOT NULL, body TEXT NOT NULL, starts TEXT
        );
        CREATE INDEX records_by_session ON records (session, number);
        CREATE INDEX unfinished ON records (session, turn, step)
            WHERE type IN ('text_delta', 'reasoning_delta', 'tool_call_delta');
        """,
    ),
    (
        # `kept_trees` has how a project was before a command that may be cut off, `number` the last checkpoint then;
        # `kept_blobs` says which sessions need which contents in the folder `blobs`.
        "checkpoints",
        """
        CREATE TABLE checkpoints (
            number INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES sessions (key),
            turn INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, is_open INTEGER NOT NULL,
            is_reverted INTEGER NOT NULL DEFAULT 0, is_told INTEGER NOT NULL DEFAULT 0, time REAL NOT NULL,
            body TEXT NOT NULL
        );
        CREATE INDEX checkpoints_by_session ON checkpoints (session, number);
        CREATE TABLE kept_trees (
            session INTEGER PRIMARY KEY REFERENCES sessions (key), number INTEGER NOT NULL, body BLOB NOT NULL
        );
        CREATE TABLE kept_blobs (
            hash BLOB NOT NULL, session INTEGER NOT NULL REFERENCES sessions (key), PRIMARY KEY (hash, session)
        ) WITHOUT ROWID;
        CREATE INDEX kept_blobs_by_session ON kept_blobs (session)
        """,
    ),
)


class NewerVersion(Exception):
    """The database has changes that this version does not know."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[tuple[str, str]] = MIGRATIONS) -> None:
    """Bring a database up to date, all or nothing. Raises NewerVersion, and such a database is left as it is."""
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another program may just have done it
        if version > len(migrations):
            raise NewerVersion
        for _name, script in migrations[version:]:
            for statement in script.split(";"):  # executescript would commit first
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
