"""The SQLite file: opened, brought up to date, written in transactions. SQLite's errors are named here only."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.core.errors import MimoError, SessionError
from tui.sessions.migrations import NewerVersion, migrate
from tui.settings.paths import private_dir

_BUSY_TIMEOUT_S = 10.0
_REASONS = {  # primary result codes: https://sqlite.org/rescode.html
    "SQLITE_NOTADB": ("it is not a database", "Move it away: a new one will be made."),
    "SQLITE_CORRUPT": (
        "it is damaged",
        "Move it away: a new one will be made; `sqlite3 FILE .recover` may save the old.",
    ),
    "SQLITE_FULL": ("the disk is full", "Make room, and go on: what is not stored yet will be then."),
    "SQLITE_READONLY": ("it cannot be written", "Check who owns the file and its folder, or set XDG_DATA_HOME."),
    "SQLITE_CANTOPEN": ("it cannot be opened", "Check who owns the file and its folder, or set XDG_DATA_HOME."),
    "SQLITE_BUSY": ("another program keeps it locked", "Close that program, or try again."),
    "SQLITE_IOERR": ("the disk does not take it", "See whether the disk is full or broken."),
}


class Database:
    """One connection, for several threads one at a time. Raises SessionError, and no other error of a lower layer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.RLock()
        _make_folder(path.parent)
        with self._named_errors():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same mode
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                # NORMAL: a killed program loses nothing, a power cut at most the last transactions, never the file.
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                migrate(self._connection)
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with self._mutex, self._named_errors():
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end of the block, rolled back by whatever is raised in it."""
        with self._mutex, self._named_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk rolls back by itself
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._mutex, self._named_errors():
            self._connection.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except NewerVersion as error:
            raise self._unusable(
                "it was made by a newer version of mimo-tui", "Update this program: its package is mimo-terminal."
            ) from error
        except sqlite3.Error as error:
            name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
            raise self._unusable(*_REASONS.get(name, (str(error), ""))) from error
        except OSError as error:
            raise self._unusable(str(error.strerror), _REASONS["SQLITE_CANTOPEN"][1]) from error

    def _unusable(self, why: str, hint: str) -> SessionError:
        return SessionError(f"the sessions in {self._path} cannot be used: {why}", hint)


def _make_folder(path: Path) -> None:
    try:
        private_dir(path)
    except MimoError as error:
        raise SessionError(f"sessions cannot be stored: {error.message}", error.hint) from error
