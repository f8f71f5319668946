"""`mimo-tui sessions diff` and `undo`, as typed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.checkpoints.conftest import Session, fill, picture
from tui.cli import main
from tui.sessions.store import Store


@pytest.fixture
def session(home: Path, tmp_path: Path) -> Iterator[Session]:
    folder = tmp_path / "project"
    folder.mkdir()
    fill(folder)
    store = Store.open()
    yield Session(store, folder)
    store.close()


def test_undo_takes_back_the_last_turn_or_from_a_turn_on(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    before = picture(session.folder)
    for number in range(1, 4):
        session.command(f"echo {number} >> src/a.py; touch {number}")
        session.next_turn()
    session.store.close()
    assert main(["sessions", "undo", session.id]) == 0
    assert capsys.readouterr().out == "Took back turn 3: 1 file restored (src/a.py), 1 file removed (3).\n"
    assert (session.folder / "src/a.py").read_text() == "one\ntwo\n1\n2\n"
    assert main(["sessions", "undo", session.id, "--turn", "1"]) == 0
    assert capsys.readouterr().out == "Took back turns 1, 2: 1 file restored (src/a.py), 2 files removed (1, 2).\n"
    assert picture(session.folder) == before
    assert main(["sessions", "redo", session.id]) == 0
    assert "Brought back turns 1, 2: 3 files restored" in capsys.readouterr().out
    assert main(["sessions", "undo", session.id, "--turn", "1"]) == 0
    assert picture(session.folder) == before
    capsys.readouterr()
    assert main(["sessions", "undo", session.id]) == 2
    said = capsys.readouterr().err
    assert "nothing to take back" in said and "is taken back already" in said


def test_what_was_left_alone_is_named_and_an_exit_code(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.edit("src/a.py", b"theirs")
    session.store.close()
    (session.folder / "src/a.py").write_text("mine")
    assert main(["sessions", "undo", session.id]) == 1
    assert "Left alone, changed since: src/a.py." in capsys.readouterr().out
    assert (session.folder / "src/a.py").read_text() == "mine"


def test_what_git_would_run_a_program_by_is_not_put_back(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """It was no repository yet when the configuration was written, and is one when that comes back."""
    bare, pwned = session.folder / "bare", session.folder.parent / "pwned"
    session.edit("bare/HEAD", b"ref: refs/heads/main\n")
    session.edit("bare/config", f"[core]\n\tworktree = ..\n\tfsmonitor = touch {pwned}\n".encode())
    session.next_turn()
    session.edit("bare/config", None)
    for name in ("objects", "refs"):
        (bare / name).mkdir()
    session.store.close()
    assert main(["sessions", "undo", session.id]) == 0
    assert "Took back turn 2" in (said := capsys.readouterr().out) and "But bare/config could make git run" in said
    assert not (bare / "config").exists()
    subprocess.run(["git", "--git-dir", str(bare), "status"], capture_output=True, check=False)
    assert not pwned.exists()


def test_a_session_that_is_open_elsewhere_is_left_alone(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.edit("src/a.py", b"new")
    done = subprocess.run([sys.executable, "-m", "tui", "sessions", "undo", session.id], capture_output=True, text=True)
    assert done.returncode == 1 and "is open in another mimo-tui" in done.stderr
    assert (session.folder / "src/a.py").read_text() == "new"


def test_diff_prints_a_patch_that_can_be_applied(session: Session, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    fill(old)
    session.command(
        "printf 'x\\r\\n' >> src/a.py; rm run.sh; chmod +x empty; echo y > 'a \"b\"\\n'; ln -sfn empty link"
    )
    done = subprocess.run([sys.executable, "-m", "tui", "sessions", "diff", session.id], capture_output=True)
    assert done.returncode == 0 and done.stderr == b""
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=old, check=True)
    assert picture(old) == picture(session.folder)


def test_diff_of_what_is_not_utf_8_is_a_patch_to_the_byte(session: Session, tmp_path: Path) -> None:
    for name, data in (("latin", "süß\nschön\n".encode("cp1252")), ("mixed", b"one\n")):
        (session.folder / name).write_bytes(data)
    old = tmp_path / "old"
    shutil.copytree(session.folder, old, symlinks=True)
    session.edit("latin", "süß\nschöner €\n".encode("cp1252"))
    session.edit("mixed", "größer\n".encode("cp1252"))
    session.edit("new", "süß\n".encode("cp1252"))
    done = subprocess.run([sys.executable, "-m", "tui", "sessions", "diff", session.id], capture_output=True)
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=old, check=True)
    assert picture(old) == picture(session.folder)


def test_diff_of_nothing_says_so(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "diff", session.id]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "are as they were" in err
