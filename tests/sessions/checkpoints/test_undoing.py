"""What is taken back and brought back, and what is left alone."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.sessions.checkpoints.conftest import Session, fill, picture, run
from tui.core.errors import SessionError, UsageError
from tui.sessions.checkpoints import scan
from tui.sessions.checkpoints.recorder import Recorder
from tui.sessions.checkpoints.undoing import Undoing
from tui.sessions.store import Store


@pytest.mark.parametrize(
    "script",
    [
        "rm -rf src && echo file > src",
        "rm empty && mkdir empty && echo x > empty/x",
        "rm link && echo file > link",
        "rm src/a.py && ln -s $OUTSIDE/x src/a.py",
        "rm -rf src && ln -s $OUTSIDE src",
        "chmod 000 secret; chmod 500 src; chmod 700 'empty folder'",
        "mv src moved && mkdir src",
        "find . -type f -delete; find . -type l -delete",
        "rm -rf ./* ./.gitignore",
        "mkdir -p a/b/c && mkfifo a/pipe && ln -s loop loop",
        "mkdir -p pkg/__pycache__ .pytest_cache && touch pkg/x.py pkg/__pycache__/x.pyc .pytest_cache/v",
        "mkdir target && printf 'Signature: 8a477f597d28d172789f06886806bc55' > target/CACHEDIR.TAG; touch target/x",
        "touch src/CACHEDIR.TAG; printf 'Signature: 8a477f597d28d172789f06886806bc55' > src/CACHEDIR.TAG; rm src/a.py",
        "printf 'same size' > ignored; touch -d @1 ignored",
        "printf 'BUT KEPT' > ignored && touch -r secret ignored",
    ],
)
def test_whatever_a_command_does_is_taken_back_and_brought_back(session: Session, script: str) -> None:
    before = picture(session.folder)
    session.command(script)
    after = picture(session.folder)
    result = session.undoing.undo()
    assert (result.left, result.failed) == ((), {})
    assert picture(session.folder) == before
    result = session.undoing.redo()
    if "cache" not in script and "CACHEDIR" not in script and "mkfifo" not in script:
        assert (result.left, result.failed) == ((), {})
        assert picture(session.folder) == after


def test_git_and_what_is_installed_are_never_touched(session: Session) -> None:
    script = "mkdir -p .git/objects sub/.git node_modules/x; echo a > .git/index; echo b > sub/.git/config; touch sub/f"
    assert session.command(script) == ["node_modules", "sub", "sub/f"]
    result = session.undoing.undo()
    assert (session.folder / ".git/index").read_text() == "a\n"
    assert (session.folder / "sub/.git/config").read_text() == "b\n"
    assert not (session.folder / "sub/f").exists()
    assert set(result.failed) == {"node_modules", "sub"}


def test_files_that_the_user_changed_since_are_named_and_left(session: Session) -> None:
    session.command("echo theirs > src/a.py; echo theirs > empty; rm run.sh; mkdir made; touch made/theirs")
    (session.folder / "src/a.py").write_text("mine")
    (session.folder / "run.sh").write_text("mine")
    (session.folder / "made/mine").write_text("mine")
    result = session.undoing.undo()
    assert result.left == ("run.sh", "src/a.py")
    assert "made" in result.failed and not (session.folder / "made/theirs").exists()
    assert (session.folder / "empty").read_bytes() == b""
    for name in ("src/a.py", "run.sh", "made/mine"):
        assert (session.folder / name).read_text() == "mine"
    assert session.undoing.undo(is_forced=True).left == ()
    assert (session.folder / "src/a.py").read_text() == "one\ntwo\n"
    assert (session.folder / "made/mine").read_text() == "mine"
    session.undoing.redo()
    assert (session.folder / "src/a.py").read_text() == "mine"


def test_what_the_user_changed_in_the_middle_of_a_turn_is_left(session: Session) -> None:
    session.edit("src/a.py", b"model 1")
    (session.folder / "src/a.py").write_text("mine")
    session.edit("src/a.py", b"mine and model 2")
    session.command("touch new")
    (session.folder / "empty").write_text("mine")
    session.command("echo more >> empty")
    assert session.undoing.undo().left == ("src/a.py",)
    assert (session.folder / "empty").read_text() == "mine"
    assert (session.folder / "src/a.py").read_text() == "mine and model 2"
    assert not (session.folder / "new").exists()


def test_turns_are_taken_back_one_by_one_or_several_at_once(session: Session) -> None:
    states = [picture(session.folder)]
    for number in range(4):
        session.next_turn()
        session.edit(f"file {number % 2}", bytes([number]))
        session.command(f"mkdir -p d{number}; echo {number} > d0/f")
        states.append(picture(session.folder))
    session.undoing.undo()
    assert picture(session.folder) == states[3]
    assert session.undoing.undo(2).turns == (3, 4)
    assert picture(session.folder) == states[1]
    session.undoing.redo()
    assert picture(session.folder) == states[3]
    session.undoing.redo()
    assert picture(session.folder) == states[4]
    with pytest.raises(UsageError):
        session.undoing.redo()
    assert session.undoing.undo(99).turns == (2, 3, 4, 5)
    assert picture(session.folder) == states[0]
    with pytest.raises(UsageError):
        session.undoing.undo()


def test_why_there_is_nothing_to_take_back_is_told(session: Session) -> None:
    def why() -> str:
        with pytest.raises(UsageError, match="nothing to take back") as found:
            session.undoing.undo()
        return found.value.hint

    assert why() == "No turn of this session has changed a file that is kept here."
    session.edit("src/a.py", b"model")
    session.undoing.undo()
    assert why() == "All that its turns have changed here is taken back already."
    session.undoing.redo()
    session.edit("run.sh", b"model")
    (session.folder / "run.sh").write_text("mine")
    session.undoing.undo()
    assert why() == "All that its turns have changed here is taken back already, but for what has changed since."


def test_after_a_new_change_nothing_is_brought_back(session: Session) -> None:
    session.edit("a", b"1")
    session.undoing.undo()
    session.next_turn()
    session.edit("b", b"2")
    with pytest.raises(UsageError):
        session.undoing.redo()
    session.undoing.undo()
    session.undoing.redo()
    assert (session.folder / "b").read_bytes() == b"2"


def test_the_state_after_any_step_comes_back(session: Session) -> None:
    states = {}
    for number in range(6):
        if number == 3:
            session.next_turn()
        session.command(f"echo {number} >> src/a.py; touch 'n{number}'; rm -rf n{number - 2}")
        states[session.turn, session.step] = picture(session.folder)
    for place in ((2, 2), (1, 3), (1, 1)):
        assert session.undoing.preview(*place).left == ()
        session.undoing.back_to(*place)
        assert picture(session.folder) == states[place]
    with pytest.raises(UsageError):
        session.undoing.preview(1, 2)  # it was taken back
    for place in ((1, 3), (2, 2), (2, 3)):
        session.undoing.redo()
        assert picture(session.folder) == states[place]


def test_a_folder_that_became_a_link_is_not_written_through(session: Session, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "a.py").write_text("theirs")
    session.edit("src/a.py", b"model")
    shutil.rmtree(session.folder / "src")
    (session.folder / "src").symlink_to(outside)
    result = session.undoing.undo(is_forced=True)
    assert result.failed == {"src/a.py": "a folder of it has become a link or a file"}
    assert (outside / "a.py").read_text() == "theirs"


def test_a_file_that_became_a_link_is_replaced_not_followed(session: Session, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.write_text("theirs")
    session.command(f"rm src/a.py; ln -s '{outside}' src/a.py")
    session.undoing.undo()
    assert (session.folder / "src/a.py").read_text() == "one\ntwo\n"
    assert outside.read_text() == "theirs"


def test_a_folder_link_is_not_entered(session: Session, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("1")
    (session.folder / "out").symlink_to(tmp_path / "elsewhere")
    assert session.command("echo 2 > out/x") == []


def test_two_sessions_in_one_folder_take_back_their_own(store: Store, session: Session) -> None:
    other = Session(store, session.folder)
    session.command("true")
    held = session.recorder.before_command((1, 2))
    assert held
    other.edit("src/a.py", b"other")
    run("echo mine > empty", session.folder)
    assert [change.path for change in session.recorder.after(held)] == ["empty"]
    session.undoing.undo()
    assert (session.folder / "src/a.py").read_bytes() == b"other"
    assert (session.folder / "empty").read_bytes() == b""
    other.undoing.undo()
    assert (session.folder / "src/a.py").read_text() == "one\ntwo\n"


def test_what_another_session_changed_since_is_left(store: Store, session: Session) -> None:
    other = Session(store, session.folder)
    session.edit("src/a.py", b"mine")
    other.edit("src/a.py", b"other")
    assert session.undoing.undo().left == ("src/a.py",)
    other.undoing.undo()
    session.undoing.undo()
    assert (session.folder / "src/a.py").read_text() == "one\ntwo\n"


def test_what_is_kept_is_the_users_alone_once_and_goes_with_the_last_session(
    store: Store, session: Session, tmp_path: Path
) -> None:
    blobs = tmp_path / "data" / "blobs"

    def kept() -> set[str]:
        return {str(path) for path in blobs.rglob("*") if path.is_file() and path.name != "lock"}

    session.command("echo 1 > new")
    mine = kept()
    other = Session(store, session.folder)
    other.command("echo 2 > other")
    assert len(kept()) == len(mine) + 1
    for path in blobs.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    store.delete(session.id)
    assert len(kept()) == len(mine) + 1  # the other needs all of it: `new` was there when it began
    store.delete(other.id)
    assert kept() == set()


def test_a_damaged_kept_state_is_an_error_and_the_file_stays(session: Session, tmp_path: Path) -> None:
    session.edit("src/a.py", b"model")
    for path in (tmp_path / "data" / "blobs").rglob("*"):
        if path.is_file() and path.name != "lock":
            path.write_bytes(b"pdamaged")
    result = session.undoing.undo()
    assert "damaged" in result.failed["src/a.py"]
    assert (session.folder / "src/a.py").read_bytes() == b"model"


def test_only_what_changed_is_read(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [path for path in session.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    for path in old:
        os.utime(path, (1, 1))
    session.command("sleep 0.1")  # beyond one tick of the clock of files
    session.command("true")
    read: list[str] = []
    real = scan.look_in
    monkeypatch.setattr(scan, "look_in", lambda folder, name, keep: read.append(name) or real(folder, name, keep))
    session.command("echo x >> empty")
    assert set(read) == {"empty"}


def test_a_folder_that_is_gone_comes_back(session: Session) -> None:
    before = picture(session.folder)
    session.command("cd .. && rm -rf project")
    session.undoing.undo()
    assert picture(session.folder) == before


def test_a_deep_tree_is_not_kept_before_commands(session: Session) -> None:
    run(f"mkdir -p '{'d/' * 70}'", session.folder)
    assert session.command("true") == []
    assert "deep" in session.recorder.limit


@pytest.mark.parametrize(
    "makes_too_much", [f"mkdir -p '{'d/' * 70}'", "mkdir many; cd many; seq 50010 | xargs touch"], ids=["deep", "many"]
)
def test_what_was_there_comes_back_from_a_command_that_makes_too_much(session: Session, makes_too_much: str) -> None:
    before = picture(session.folder)
    session.command("true")
    assert "src/a.py" in session.command(f"rm src/a.py; echo x >> run.sh; {makes_too_much}")
    assert session.recorder.has_outgrown and session.recorder.limit
    session.undoing.undo()
    after = picture(session.folder)
    assert {path: after[path] for path in before} == before


def test_what_was_hidden_by_closing_its_folder_comes_back(session: Session) -> None:
    before = picture(session.folder)
    session.command("echo x >> run.sh; rm -r src/deep; echo x > src/a.py; chmod 000 src")
    session.undoing.undo()
    assert picture(session.folder) == before
    session.edit("src/a.py", b"model")
    session.edit("src/new", b"model")
    session.command("rm -r src/deep; echo x > src/hidden; chmod 000 src")
    session.reopen()
    session.undoing.undo()
    assert picture(session.folder) == before


def test_bringing_back_leaves_what_the_user_had_taken_back(session: Session) -> None:
    session.edit("new", b"model")
    session.edit("src/a.py", b"model")
    (session.folder / "new").unlink()
    session.undoing.undo()
    session.undoing.redo()
    assert (session.folder / "src/a.py").read_bytes() == b"model" and not (session.folder / "new").exists()


def start_in_background(session: Session) -> None:
    """A turn that starts a command which goes on; what it does is done by hand."""
    works = False
    session.recorder = Recorder(session.store.ledger(session.id), session.folder, lambda: works)
    session.undoing = Undoing(session.recorder)
    held = session.recorder.before_command((session.turn, 1))
    works = True
    assert held is not None
    session.recorder.after(held)
    session.next_turn()


def test_what_goes_on_in_the_background_does_not_keep_a_turn_from_being_brought_back(session: Session) -> None:
    start_in_background(session)
    session.edit("feature", b"model")
    session.undoing.undo()
    (session.folder / "log").write_text("made in the background")
    assert session.undoing.redo().turns == (2,) and (session.folder / "feature").exists()


def test_what_was_there_comes_back_from_what_makes_too_much_in_the_background(session: Session) -> None:
    before = picture(session.folder)
    start_in_background(session)
    run(f"rm src/a.py; mkdir -p '{'d/' * 70}'", session.folder)
    session.command("rm run.sh")
    assert session.recorder.has_outgrown
    run("rm empty", session.folder)
    while picture(session.folder).keys() & before.keys() != before.keys():
        session.undoing.undo()
    after = picture(session.folder)
    assert {path: after[path] for path in before} == before


def test_changes_are_shown_as_they_would_be_taken_back(session: Session) -> None:
    """Also what goes on in the background, which belongs to the turn that began it."""
    start_in_background(session)
    session.edit("later", b"model")
    (session.folder / "behind").write_text("made in the background")
    assert [change.path for change in session.undoing.session_changes()] == ["behind", "later"]
    assert [change.path for change in session.undoing.turn_changes()] == ["later"]
    assert session.undoing.undo().turns == (2,) and (session.folder / "behind").exists()
    assert session.undoing.undo().turns == (1,) and not (session.folder / "behind").exists()


def test_the_ledger_of_no_session_is_an_error(store: Store) -> None:
    with pytest.raises(SessionError):
        store.ledger("nobody")


def test_an_old_folder_of_the_same_name_is_no_obstacle(session: Session, tmp_path: Path) -> None:
    """The signatures of another session's tree are of files that are no more."""
    session.command("true")
    shutil.rmtree(session.folder)
    session.folder.mkdir()
    fill(session.folder)
    (session.folder / "src/a.py").write_text("1ne\ntwo\n")
    other = Session(session.store, session.folder)
    before = picture(other.folder)
    other.command("rm -r src")
    other.undoing.undo()
    assert picture(other.folder) == before
