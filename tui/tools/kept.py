"""What a sandbox without mounts cannot lock in the project: how it was before a command, and how that is put back."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import NamedTuple, Union

from tui.tools.paths import git_folder
from tui.tools.seals import SandboxRefused

_IN_GIT = ("hooks", "config", "config.worktree", "commondir")
_LIMIT_BYTES = 16 * 1024 * 1024
_LIMIT_ENTRIES = 5000


class _State(NamedTuple):
    """A file (its bytes), a link (its target) or a folder (what is in it)."""

    mode: int
    content: Union[bytes, str, dict[str, _State]]  # noqa: UP007 (evaluated, and it names itself)


class Kept:
    """The state of `.mimo` and of the parts of `.git` that make git run programs, in the project folder `root`."""

    def __init__(self, root: Path) -> None:
        """Blocking. Raises SandboxRefused, OSError."""
        self._root = root
        self._room_bytes, self._room_entries = _LIMIT_BYTES, _LIMIT_ENTRIES
        self._before = {path: self._state(path) for path in self._places()}

    def put_back(self) -> tuple[str, ...]:
        """Make all of it as it was; sentences about what was not. Blocking; nothing of the command may run any more."""
        sentences = []
        for path, before in self._before.items():
            self._room_bytes, self._room_entries = _LIMIT_BYTES, _LIMIT_ENTRIES
            name = path.relative_to(self._root)
            try:
                if self._state(path) == before:
                    continue
            except (SandboxRefused, OSError):  # it has become too large: not as it was, in any case
                pass
            try:
                self._restore(path, before)
                sentences.append(f"{name} was put back as it was: nothing but the user may change it")
            except OSError as error:
                sentences.append(f"{name} was changed and could not be put back: {error}")
        return tuple(sentences)

    def _places(self) -> list[Path]:
        dot_git, git = self._root / ".git", git_folder(self._root)
        places = [self._root / ".mimo"]
        if os.path.lexists(dot_git) and (dot_git.is_symlink() or not dot_git.is_dir()):
            places.append(dot_git)
        if git is not None and git.is_relative_to(self._root):
            places += [git / name for name in _IN_GIT]
        for path in places:
            if path.is_symlink():
                raise SandboxRefused(
                    f"{path.relative_to(self._root)} is a symbolic link, which the sandbox cannot keep in its place"
                )
        return places

    def _state(self, path: Path) -> _State | None:
        try:
            state = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._room_entries -= 1
        self._room_bytes -= state.st_size if stat.S_ISREG(state.st_mode) else 0
        if min(self._room_entries, self._room_bytes) < 0:
            raise SandboxRefused(f"{path.parent.relative_to(self._root)} is too large to be kept as it is")
        if stat.S_ISLNK(state.st_mode):
            return _State(state.st_mode, os.readlink(path))  # noqa: PTH115
        if stat.S_ISDIR(state.st_mode):
            inner = {entry.name: found for entry in path.iterdir() if (found := self._state(entry))}
            return _State(state.st_mode, inner)
        return _State(state.st_mode, path.read_bytes() if stat.S_ISREG(state.st_mode) else b"")

    def _restore(self, path: Path, before: _State | None) -> None:
        current = self._root
        for name in path.relative_to(self._root).parts[:-1]:
            current = current / name
            if before is not None and (current.is_symlink() or not current.is_dir()):
                with contextlib.suppress(FileNotFoundError):
                    current.unlink()
                current.mkdir()
        if current.is_symlink():
            return
        _remove(path)
        if before is not None:
            _make(path, before)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _make(path: Path, state: _State) -> None:
    if isinstance(state.content, dict):
        path.mkdir()
        for name, inner in state.content.items():
            _make(path / name, inner)
    elif isinstance(state.content, str):
        path.symlink_to(state.content)
        return
    else:
        path.write_bytes(state.content)
    path.chmod(stat.S_IMODE(state.mode))
