"""Whatever tools and commands do, in whatever order: taking back all turns gives the tree as it was, to the byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sessions.checkpoints.conftest import Session, fill, picture
from tui.core.errors import UsageError
from tui.sessions.store import Store

pytestmark = pytest.mark.slow

NAMES = ("src", "src/a.py", "src/deep", "src/deep/b.py", "empty", "new", "new/x", "new/y/z", "link", "run.sh", "ü")
COMMANDS = (
    "rm -rf '{0}'",
    "mkdir -p '{0}' || true",
    "mkdir -p \"$(dirname '{0}')\" && echo '{1}' > '{0}' || true",
    "ln -sfn '{1}' '{0}' || true",
    "chmod 700 '{0}' || true",
    "chmod 555 '{0}' || true",
    "mv '{0}' '{1}' || true",
    "cp -r '{0}' '{1}' || true",
    "rm -rf '{0}' && mkdir -p '{0}/inner' && echo x > '{0}/inner/f' || true",
    "rm -rf '{0}' && ln -s $OUTSIDE '{0}' || true",
    "echo more >> '{0}' || true",
    "find . -name '*.py' -exec sed -i 's/o/0/' {{}} + || true",
    "true",
)
acts = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from(NAMES), st.sampled_from([b"", b"one\n", b"\0\xff", None])),
    st.tuples(st.just("command"), st.sampled_from(COMMANDS), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("turn")),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)


def do(session: Session, act: tuple) -> None:
    match act:
        case ("edit", path, data):
            try:
                if not (session.folder / path).resolve().is_relative_to(session.folder):
                    return  # never without being asked
                session.edit(str((session.folder / path).resolve().relative_to(session.folder)), data)
            except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle, before Python 3.13
                session.reopen()  # a folder is in the way: as if the program had been ended there
        case ("command", script, one, other):
            session.command(script.format(one, other))
        case ("turn",):
            session.next_turn()
        case ("reopen",):
            session.reopen()
        case ("undo",):
            take_back(session)
        case ("redo",):
            try:
                result = session.undoing.redo()
            except UsageError:
                return
            assert not result.left and not result.failed


def take_back(session: Session) -> bool:
    try:
        result = session.undoing.undo()
    except UsageError:
        return False
    assert not result.left and not result.failed
    return True


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(acts, max_size=14))
def test_undo_of_all_turns_gives_the_tree_as_it_was_and_redo_gives_it_back(what: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "project"
        folder.mkdir()
        fill(folder)
        store = Store.open(Path(name) / "data" / "sessions.db")
        session = Session(store, folder)
        before = picture(folder)
        for act in what:
            do(session, act)
        after = picture(folder)
        count = 0
        while take_back(session):
            count += 1
        assert picture(folder) == before
        for _ in range(count):
            result = session.undoing.redo()
            assert not result.left and not result.failed
        assert picture(folder) == after
        store.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(acts, max_size=25))
def test_it_holds_for_long_sessions(what: list[tuple]) -> None:
    test_undo_of_all_turns_gives_the_tree_as_it_was_and_redo_gives_it_back.hypothesis.inner_test(what)
