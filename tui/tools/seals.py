"""What in the project folder a command cannot change, or not see, although the folder can be written.

A mount keeps its own place from being renamed, removed and written, but not the folders above it: so each of those, up
to the project, is mounted on itself ("pinned"). A place that does not exist yet gets a mount point.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tui.tools.errors import ToolError
from tui.tools.mount_points import MountPoint, is_ours
from tui.tools.paths import git_folder

_GIT_MORE = ("config.worktree", "commondir", "modules", "worktrees")
"""Kept too where they exist: they lead git to other configurations and hooks."""


class SandboxRefused(ToolError):
    """A folder in which commands cannot be confined; the message is a sentence that says why."""


class Seals:
    """The mounts for one project folder `root` (links followed), as arguments of bubblewrap."""

    def __init__(self, root: Path, *, keep: Iterable[Path] = (), hide: Iterable[Path] = ()) -> None:
        """Blocking. Raises SandboxRefused, OSError."""
        self.points: list[MountPoint] = []
        self._root = root
        self._pinned: set[Path] = set()
        self._closed: dict[Path, tuple[str, ...]] = {}
        self._absent: list[Path] = []
        self._keep(root / ".mimo")
        self._keep_git(root / ".git")
        for path in keep:
            self._keep(path)
        for path in hide:
            self._close(path, is_file=False, hide=True)

    @property
    def arguments(self) -> list[str]:
        """Mounts from the top down; what is in a place that is closed as a whole needs none."""
        arguments: list[str] = []
        for path in sorted({*self._pinned, *self._closed}, key=lambda path: len(path.parts)):
            if not any(parent in self._closed for parent in path.parents):
                arguments += self._closed.get(path, ("--bind", str(path), str(path)))
        return arguments

    def undo(self) -> tuple[str, ...]:
        """Remove what appeared although it must not, and what could not be held back by a mount; its names."""
        undone = []
        for path in self._absent:
            with contextlib.suppress(OSError):  # mostly because it is not there
                path.unlink()
                undone.append(str(path.relative_to(self._root)))
        return tuple(undone)

    def _keep(self, path: Path, *, is_file: bool = False) -> None:
        self._close(path, is_file=is_file, hide=False)

    def _keep_git(self, dot_git: Path) -> None:
        try:
            state = dot_git.lstat()
        except FileNotFoundError:
            state = None
        if state is None or not stat.S_ISDIR(state.st_mode) or is_ours(state, dot_git):
            self._keep(dot_git)
            git = git_folder(self._root) if state is not None else None
        else:
            git = dot_git
        if git is None or (git == dot_git and dot_git in self._closed) or not git.is_relative_to(self._root):
            return
        self._keep(git / "hooks")
        self._keep(git / "config", is_file=True)
        for name in _GIT_MORE:
            if os.path.lexists(git / name) or (name == "config.worktree" and _has_worktree_config(git)):
                self._keep(git / name, is_file=name == "config.worktree")
            elif name == "commondir":  # an empty file of that name would break git, so there is no mount point for it
                self._absent.append(git / name)

    def _close(self, path: Path, *, is_file: bool, hide: bool) -> None:
        current = self._root
        for name in path.relative_to(self._root).parts:
            current = current / name
            is_last = current == path
            try:
                state = current.lstat()
            except FileNotFoundError:
                self._keep_point(MountPoint(current, is_file and is_last))
                return
            if stat.S_ISLNK(state.st_mode):
                raise SandboxRefused(
                    f"{current.relative_to(self._root)} is a symbolic link, which the sandbox cannot keep in its place"
                )
            if is_ours(state, current):
                self._keep_point(MountPoint(current, not stat.S_ISDIR(state.st_mode)))
                return
            if not is_last:
                self._pinned.add(current)
            elif not hide:
                self._closed[current] = ("--ro-bind", str(current), str(current))
            else:
                self._closed[current] = cover(current, is_folder=stat.S_ISDIR(state.st_mode))

    def _keep_point(self, point: MountPoint) -> None:
        if point.path not in self._closed:
            self.points.append(point)
            self._closed[point.path] = ("--ro-bind", str(point.path), str(point.path))


def _has_worktree_config(git: Path) -> bool:
    """Whether git would read `config.worktree` if it were there."""
    try:
        return b"worktreeconfig" in (git / "config").read_bytes().lower()
    except OSError:
        return False


def cover(path: str | Path, *, is_folder: bool) -> tuple[str, ...]:
    """The mount that makes a folder empty, and a file or socket one that reads as empty."""
    return ("--tmpfs", str(path)) if is_folder else ("--dev-bind", "/dev/null", str(path))
