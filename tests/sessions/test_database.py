"""A database that cannot be used is an error that says what to do, and the file stays as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.making import Stream
from tui.core.errors import SessionError
from tui.sessions.migrations import MIGRATIONS, migrate
from tui.sessions.store import Store

# The schema of the first version with a session in it, as that version wrote it. Never to be changed.
OLDEST = Path(__file__).parent / "oldest.sql"

IMPORTS = """
import os, resource, signal, sys
from pathlib import Path
import tui.sessions.database
from tests.sessions.making import Stream
from tui.core.errors import SessionError
from tui.sessions.store import Store
"""
USE = """
try:
    store = Store.open(Path(sys.argv[1]))
    stream = Stream(store.create(Path("/project")).id)
    store.claim(stream.session)
    for number in range(int(sys.argv[2])):
        store.append(stream.session, stream.answer("x" * 10_000))
except SessionError as error:
    print(error.message, error.hint, sep="\\n")
"""


AS_NOBODY = """
os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
SMALL_FILES = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
"""


def use_in_child(database: Path, before: str, turns: int = 1) -> list[str]:
    """Lines that a program prints which makes a session and writes so many turns of 20 KB: its error, if any."""
    command = [sys.executable, "-c", IMPORTS + before + USE, str(database), str(turns)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach: those of pytest are its own user's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_session_of_the_oldest_version_can_be_read_and_goes_on(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "sessions.db")
    old.executescript(OLDEST.read_text())
    old.close()
    store = Store.open(tmp_path / "sessions.db")
    [info] = store.list()
    assert (info.id, info.title, info.folder, info.turns) == ("bqx7md", "Read a.txt", Path("/project"), 1)
    live = Stream("bqx7md").work()
    assert [r for r in store.records("bqx7md") if not r.event.type.endswith("_delta")] == [
        r for r in live if not r.event.type.endswith("_delta")
    ]
    store.append("bqx7md", Stream("bqx7md", 2).answer())
    assert store.find("bqx7md").turns == 2
    store.close()


def test_migrations_run_once_and_in_order_and_all_or_none() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    steps = [*MIGRATIONS, ("notes", "CREATE TABLE notes (text TEXT)"), ("first note", "INSERT INTO notes VALUES ('a')")]
    migrate(connection, steps[:1])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, [*steps[:2], ("broken", "INSERT INTO nowhere VALUES (1)")])
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT * FROM notes")
    migrate(connection, steps)
    migrate(connection, steps)
    assert connection.execute("SELECT * FROM notes").fetchall() == [("a",)]


def test_the_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.execute("CREATE TABLE later (x)")
    newer.commit()
    newer.close()
    with pytest.raises(SessionError, match=r"sessions\.db.*newer version") as caught:
        Store.open(path)
    assert "Update" in caught.value.hint
    assert sqlite3.connect(path).execute("SELECT name FROM sqlite_master").fetchall() == [("later",)]


@pytest.mark.parametrize(
    "content", [b"this is no database, it is a letter to my aunt" * 50, b"SQLite format 3\0" * 200]
)
def test_a_file_that_is_no_database_is_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=r"sessions\.db") as caught:
        Store.open(path)
    assert "Move it away" in caught.value.hint
    assert path.read_bytes() == content


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").mkdir()
    with pytest.raises(SessionError, match=r"sessions\.db"):
        Store.open(tmp_path / "sessions.db")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("case", ["folder missing", "folder read-only", "file of another user"])
def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(open_folder: Path, case: str) -> None:
    path = open_folder / "data" / "sessions.db"
    if case != "folder missing":
        path.parent.mkdir()
    if case == "file of another user":
        path.touch(mode=0o600)
        path.parent.chmod(0o700)
        os.chown(path.parent, 65534, 65534)
    message, hint = use_in_child(path, AS_NOBODY)
    assert str(open_folder) in message
    assert hint


def test_a_file_size_limit_is_an_error_and_what_was_stored_stays(tmp_path: Path) -> None:
    message, hint = use_in_child(tmp_path / "sessions.db", SMALL_FILES, turns=100)
    assert "sessions.db" in message and hint
    store = Store.open(tmp_path / "sessions.db")
    [info] = store.list()
    assert 0 < info.turns < 100
    assert len(store.records(info.id)) == info.turns * 5
    assert not info.interrupted
    store.close()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_an_error_and_with_room_it_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        store = Store.open(disk / "sessions.db")
        stream = Stream(store.create(Path("/project")).id)
        turn = stream.answer("x" * 10_000)
        with pytest.raises(SessionError, match="disk") as caught:
            for _ in range(100):
                store.append(stream.session, turn := stream.answer("x" * 10_000))
        assert caught.value.hint
        stored = store.find(stream.session).turns
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        store.append(stream.session, turn)
        assert store.find(stream.session).turns == stored + 1
        assert store.records(stream.session)[-1] == turn[-1]
        store.close()
    finally:
        subprocess.run(["umount", disk], check=True)
