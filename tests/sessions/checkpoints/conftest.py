"""A project folder, a session, and turns that change files in it as tools and commands do."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.making import Stream
from tui.sessions.checkpoints.recorder import Recorder
from tui.sessions.checkpoints.undoing import Undoing
from tui.sessions.store import Store


class Session:
    """One session in a folder; each of `edit` and `command` is a step of the turn."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.id = store.create(folder).id
        store.claim(self.id)
        store.append(self.id, Stream(self.id).answer())
        self.turn, self.step = 1, 0
        self.reopen()

    def reopen(self) -> None:
        """As another program takes it up."""
        self.recorder = Recorder(self.store.ledger(self.id), self.folder)
        self.undoing = Undoing(self.recorder)

    def next_turn(self) -> None:
        self.turn, self.step = self.turn + 1, 0

    def edit(self, path: str, data: bytes | None) -> list[str]:
        """Write a file, its folders made, or remove it (None)."""
        self.step += 1
        held = self.recorder.before_files((self.turn, self.step), [path])
        place = self.folder / path
        if data is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return [change.path for change in self.recorder.after(held)]

    def command(self, script: str) -> list[str]:
        self.step += 1
        held = self.recorder.before_command((self.turn, self.step))
        run(script, self.folder)
        return [change.path for change in self.recorder.after(held)] if held else []


def run(script: str, folder: Path) -> None:
    """Run a script as a command would. `$OUTSIDE` is a folder beside the project that it may lead out to: a script made
    at random must never find the machine's own."""
    outside = folder.parent / "outside"
    outside.mkdir(exist_ok=True)
    subprocess.run(
        ["bash", "-ec", script], cwd=folder, check=True, capture_output=True, env=os.environ | {"OUTSIDE": str(outside)}
    )


def picture(folder: Path) -> dict[str, tuple[Any, ...]]:
    """All that is in a folder, to the last byte."""
    found: dict[str, tuple[Any, ...]] = {}
    for base, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = base + b"/" + name
            state = os.lstat(path)
            content: Any = None
            if stat.S_ISLNK(state.st_mode):
                content = os.readlink(path)  # noqa: PTH115
            elif stat.S_ISREG(state.st_mode):
                content = Path(os.fsdecode(path)).read_bytes()
            key = os.fsdecode(os.path.relpath(path, os.fsencode(folder)))
            found[key] = (state.st_mode, content)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "data" / "sessions.db")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with all that one may hold."""
    path = tmp_path / "project"
    path.mkdir()
    fill(path)
    return path


def fill(path: Path) -> None:
    (path / "src" / "deep").mkdir(parents=True)
    (path / "src" / "a.py").write_text("one\ntwo\n")
    (path / "src" / "deep" / "b.py").write_bytes(b"no newline")
    (path / "empty").write_bytes(b"")
    (path / "empty folder").mkdir(mode=0o750)
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o755)
    (path / "secret").write_text("key")
    (path / "secret").chmod(0o600)
    (path / "binary").write_bytes(bytes(range(256)) * 40)
    (path / "naïve ünïcode 文.txt").write_text("x")
    Path(os.fsdecode(os.fsencode(path) + b"/not-utf8-\xff")).write_bytes(b"odd name")
    (path / "link").symlink_to("src/a.py")
    (path / "dangling").symlink_to("nowhere")
    (path / "folder link").symlink_to("src")
    (path / ".gitignore").write_text("ignored\n")
    (path / "ignored").write_text("but kept")


@pytest.fixture
def session(store: Store, folder: Path) -> Session:
    return Session(store, folder)
