"""A program that is killed while files are changed, or put back, loses no state that was to be kept."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import configure
from tests.scripted import Reply, ScriptedServer, tool_call
from tests.sessions.checkpoints.conftest import Session, fill, picture, run
from tui.sessions.checkpoints.recorder import Recorder
from tui.sessions.checkpoints.undoing import Undoing
from tui.sessions.store import Store
from tui.tools.sandbox import Sandbox, find_sandbox


def child(database: Path, what: str, folder: Path) -> subprocess.Popen[str]:
    """A child that may be killed now."""
    command = [sys.executable, "-m", "tests.sessions.checkpoints.child", str(database), what, str(folder)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert started.stdout and started.stdout.readline() == "ready\n"
    return started


def kill(started: subprocess.Popen[str]) -> None:
    started.kill()
    started.communicate()


def undoing_of(database: Path) -> Undoing:
    store = Store.open(database)
    [info] = store.list()
    store.claim(info.id)
    return Undoing(Recorder(store.ledger(info.id), info.folder))


def test_an_edit_that_was_cut_off_is_taken_back(tmp_path: Path, folder: Path) -> None:
    before = picture(folder)
    kill(child(tmp_path / "sessions.db", "edit", folder))
    assert undoing_of(tmp_path / "sessions.db").undo().left == ()
    assert picture(folder) == before


def test_a_command_that_was_cut_off_is_taken_back_but_for_what_the_user_did(tmp_path: Path, folder: Path) -> None:
    before = picture(folder)
    kill(child(tmp_path / "sessions.db", "command", folder))
    assert undoing_of(tmp_path / "sessions.db").undo().left == ()
    assert (folder / "empty").read_text() == "the user's, in between"
    (folder / "empty").write_text("")
    assert picture(folder) == before


def test_a_command_that_was_cut_off_when_it_had_made_too_much_is_taken_back(tmp_path: Path, folder: Path) -> None:
    before = picture(folder)
    kill(child(tmp_path / "sessions.db", "command", folder))
    run(f"mkdir -p '{'d/' * 70}'", folder)
    undoing_of(tmp_path / "sessions.db").undo()
    (folder / "empty").write_text("")
    after = picture(folder)
    assert {path: after[path] for path in before} == before


@pytest.mark.parametrize(
    "delay_s",
    [0.05, *(pytest.param(delay, marks=pytest.mark.slow) for delay in (random.Random(3).random() for _ in range(25)))],
)
def test_an_undo_that_was_cut_off_is_carried_on(tmp_path: Path, folder: Path, delay_s: float) -> None:
    before = picture(folder)
    started = child(tmp_path / "sessions.db", "many", folder)
    after = picture(folder)
    assert started.stdin
    started.stdin.write("\n")
    started.stdin.flush()
    timer = threading.Timer(delay_s, started.kill)  # anywhere: what is promised holds at any point
    timer.start()
    started.communicate()
    undoing = undoing_of(tmp_path / "sessions.db")
    states = []
    for act in (undoing.redo, undoing.undo, undoing.redo):
        try:
            result = act()
        except Exception as error:
            assert type(error).__name__ == "UsageError"  # it had not begun, or was brought back already
        else:
            assert (result.left, result.failed) == ((), {})
        states.append(picture(folder))
    assert states[1:] == [before, after]


@pytest.fixture
def sandbox() -> Sandbox:
    found = find_sandbox()
    if found is None:
        pytest.skip("needs bubblewrap")
    return found


def test_the_whole_program_killed_in_a_command_can_be_undone_afterwards(
    home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer], sandbox: Sandbox
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    fill(folder)
    before = picture(folder)
    script = "rm -rf src; echo x > new; chmod 700 secret; echo ready; sleep 600"
    configure(scripted([Reply(tool_call("run_command", {"command": script})), "Hello."]))
    going = [sys.executable, "-m", "tui", "run", "go", "--mode", "agent", "--policy", "auto", "--json"]
    started = subprocess.Popen(going, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=folder)
    assert started.stdout
    for line in started.stdout:
        if json.loads(line)["type"] == "tool_output":
            break
    started.kill()
    started.communicate()
    assert picture(folder) != before
    [info] = Store.open().list()
    again = [sys.executable, "-m", "tui", "run", "and now?", "--continue"]
    assert subprocess.run(again, stdin=subprocess.DEVNULL, cwd=folder, capture_output=True).returncode == 0
    (folder / "users").write_text("made since it was opened again")
    undo = [sys.executable, "-m", "tui", "sessions", "undo", info.id]
    done = subprocess.run(undo, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for made_by_sandbox in (".git", ".mimo"):  # its mount points, which nobody could remove
        if (folder / made_by_sandbox).is_dir():
            (folder / made_by_sandbox).rmdir()
    (folder / "users").unlink()
    assert picture(folder) == before


def test_a_full_disk_is_an_error_and_nothing_is_lost(tmp_path: Path, folder: Path) -> None:
    (folder / "large").write_bytes(random.Random(1).randbytes(150_000))
    code = """
import resource, signal, sys
from pathlib import Path
from tests.sessions.checkpoints.conftest import Session
from tui.core.errors import SessionError
from tui.sessions.store import Store
session = Session(Store.open(Path(sys.argv[1])), Path(sys.argv[2]))
session.edit("src/a.py", b"model")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
begins = lambda: session.recorder.before_files((1, 2), ["large"]), lambda: session.recorder.before_command((1, 3))
for begin in begins:
    try:
        begin()
    except (OSError, SessionError) as error:
        print(type(error).__name__)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "sessions.db"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 2
    assert undoing_of(tmp_path / "sessions.db").undo().failed == {}
    assert (folder / "src/a.py").read_text() == "one\ntwo\n"
    assert not list((tmp_path / "blobs").rglob("*.tmp"))


def test_a_session_that_is_taken_up_again_knows_what_it_did(session: Session) -> None:
    before = picture(session.folder)
    session.edit("a", b"1")
    session.reopen()
    session.command("echo 2 >> a")
    session.reopen()
    assert session.undoing.undo().left == ()
    assert picture(session.folder) == before
