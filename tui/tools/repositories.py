"""Git repositories that a command made or changed so that the user's next `git` would run a program of its choosing.

The configuration and hooks of the project's own `.git` are kept by the sandbox. Any other folder can be made to look
like a repository, and its configuration and hooks run outside of the sandbox. So after a command what is new of that
kind is set aside: renamed, with a word about it. What was there before is left alone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tui.tools.git_files import MARKS, GitFile, files_of, is_git_folder, steps_of
from tui.tools.paths import git_folder, led_to, locate, shown

_LIMIT_FOLDERS = 100_000
_COARSE_CLOCK = 5
"""CLOCK_REALTIME_COARSE, which Python has no name for."""
_GRAIN_NS = 20_000_000
_Identity = tuple[int, int]


class _Repository(NamedTuple):
    """What is remembered of one."""

    folder: _Identity
    hooks: _Identity | None
    outside: frozenset[Path]
    """The places that its configuration has git write to although commands cannot."""


class _Look(NamedTuple):
    """What a look at a project folder has found."""

    repositories: dict[Path, _Repository]
    links: dict[_Identity, set[Path]]
    """The places outside of the project that a `.git` which is no folder leads to."""
    has_hidden: bool
    """Whether something could not be looked at that a later command could bring to light."""
    is_large: bool
    """Whether the folder had more in it than is looked at before any command."""


_looks: dict[Path, _Look] = {}
"""The last one by project folder."""


class RepositoryWatch:
    """Looks at a project folder before a command, and, in `set_aside`, after it."""

    def __init__(self, root: Path) -> None:
        """Blocking; walks the folder once in the life of the program, since later what was found last is known."""
        self._root = root
        if root not in _looks:
            _looks[root] = _first_look(root)
        self._before = _looks[root]
        self._known = {repository.folder: repository for repository in self._before.repositories.values()}
        self._own_steps = steps_of(git_folder(root) or root)
        self._since_ns = _file_clock_ns()

    def set_aside(self) -> tuple[str, ...]:
        """Rename what could make git run a program; a sentence about each. Blocking: walks the folder."""
        walk, sentences = _Walk(self._root), list[str]()
        found: dict[Path, _Repository] = {}
        for path in walk.repositories():
            with walk.looking_at(path):
                is_new = self._is_new_repository(path)
                for file in walk.files_of(path):
                    if self._is_risky(file, is_new):
                        sentences.append(_set_aside(file.path, self._root))
                found[path] = _repository(path, self._root)
        links = _links(walk, self._root)
        for path, (identity, outside) in links.items():
            if outside - self._before.links.get(identity, set()):
                sentences.append(_set_aside(path, self._root))
        is_large = self._before.is_large
        if walk.is_cut and not is_large:
            sentences.append(
                f"there are more than {_LIMIT_FOLDERS:,} folders now: not all were searched for repositories"
            )
        has_hidden = walk.has_hidden or (walk.is_cut and not is_large)
        _looks[self._root] = _Look(found, dict(links.values()), has_hidden, is_large)
        return tuple(sentences)

    def _is_new_repository(self, path: Path) -> bool:
        state, before = path.stat(), self._before
        identity = _identity(state)
        if path in before.repositories and before.repositories[path].folder == identity:
            return False
        was_hidden = before.has_hidden and identity not in self._known
        return was_hidden or state.st_ctime_ns >= self._since_ns

    def _is_risky(self, file: GitFile, is_in_new: bool) -> bool:
        if not Path(os.path.realpath(file.path.parent)).is_relative_to(self._root):
            return False  # by a link of the user's: commands cannot write there
        if not os.path.lexists(file.path):  # with its folder
            return False
        if is_in_new or self._is_new(file):
            is_harmless = file.is_harmless(self._own_steps)
            return not is_harmless or any(not self._is_tree_of(tree, file.repository) for tree in file.work_trees())
        known = self._known.get(_identity(file.repository.stat()))
        outside = _outside(file, self._root)  # now, by a link in the place of a folder, or since all of it was moved
        return bool(outside - known.outside if known else outside)

    def _is_new(self, file: GitFile) -> bool:
        folder = file.path.parent
        if folder == file.repository:  # a link of the user's may lead to where commands write
            return self._is_changed(file.path) or self._is_changed(file.path, follow=True)
        if self._is_changed(file.path):
            return True
        is_folder_changed = self._is_changed(folder) or self._is_changed(folder, follow=True)
        if folder.name != "hooks":
            return is_folder_changed
        known = self._before.repositories.get(file.repository)  # hooks that are moved as a whole keep their times
        return is_folder_changed and known is not None and known.hooks != _identity(folder.stat())

    def _is_changed(self, path: Path, *, follow: bool = False) -> bool:
        with contextlib.suppress(OSError):
            return path.stat(follow_symlinks=follow).st_ctime_ns >= self._since_ns
        return False

    def _is_tree_of(self, tree: Path, repository: Path) -> bool:
        """Whether it is in the project and leads back, as git makes those of submodules."""
        return tree.is_relative_to(self._root) and git_folder(tree) == Path(os.path.realpath(repository))


class _Walk:
    """A walk through a project folder."""

    def __init__(self, root: Path) -> None:
        self.own = root / ".git"
        self.has_hidden = self.is_cut = False
        self.links: list[Path] = []
        """Each `.git` that is no folder, but for the project's own."""
        self._root = root
        self._opened: list[tuple[Path, int]] = []

    def repositories(self) -> Iterator[Path]:
        """Folders that git takes for a repository, or for a part that several share."""
        try:
            yield from self._found()
        finally:
            for path, mode in reversed(self._opened):
                with contextlib.suppress(OSError):
                    path.chmod(mode)

    def _found(self) -> Iterator[Path]:
        waiting, count = [str(self._root)], 0
        while waiting and count < _LIMIT_FOLDERS:
            folder = waiting.pop()
            count += 1
            names = set()
            with self.looking_at(Path(folder)):
                for entry in self._entries(folder):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.name.lower() == ".git" and Path(entry.path) != self.own:
                        self.links.append(Path(entry.path))
                    if (name := entry.name.lower()) in MARKS:
                        names.add(name)
            if is_git_folder(names):
                yield Path(folder)
        self.is_cut = bool(waiting)

    def files_of(self, repository: Path) -> Iterator[GitFile]:
        """Raises OSError after the last one when a command could bring others to light."""
        for name in ("hooks", "remotes", "branches"):
            self._open(repository / name)
        try:
            yield from files_of(repository, only_states=repository == self.own)
        except OSError as error:
            if _can_be_opened(Path(error.filename or repository)):
                raise

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """Raises OSError."""
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except PermissionError:
            if not self._open(Path(folder)):
                raise
            with os.scandir(folder) as entries:
                return list(entries)

    def _open(self, folder: Path) -> bool:
        """Whether a folder of the user's had to be made one that can be listed, for the time of the walk.

        Git needs no list of what is in a repository, so it would use one that only cannot be looked at.
        """
        with contextlib.suppress(OSError):
            state = folder.lstat()
            mode = stat.S_IMODE(state.st_mode)
            if stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and mode & 0o500 == 0o100:
                folder.chmod(mode | 0o400)
                self._opened.append((folder, mode))
                return True
        return False

    @contextlib.contextmanager
    def looking_at(self, path: Path) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.has_hidden |= _can_be_opened(Path(error.filename or path))


def _can_be_opened(path: Path) -> bool:
    """Whether a place that could not be looked at is the user's, so that a command could change that."""
    with contextlib.suppress(OSError):
        return path.lstat().st_uid == os.geteuid()
    return _can_be_opened(path.parent)


def _first_look(root: Path) -> _Look:
    walk, found = _Walk(root), dict[Path, _Repository]()
    for path in walk.repositories():
        with walk.looking_at(path):
            list(walk.files_of(path))
            found[path] = _repository(path, root)
    return _Look(found, dict(_links(walk, root).values()), walk.has_hidden, walk.is_cut)


def _links(walk: _Walk, root: Path) -> dict[Path, tuple[_Identity, set[Path]]]:
    """What each `.git` that is no folder is, and the places outside of the project that it leads to."""
    links = {}
    for path in walk.links:
        with walk.looking_at(path):
            outside = {place for place in led_to(path) if not place.is_relative_to(root)}
            links[path] = _identity(path.lstat()), outside
    return links


def _repository(path: Path, root: Path) -> _Repository:
    """Raises OSError."""
    hooks = None
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        hooks = _identity((path / "hooks").stat())
    configurations = [GitFile(path, name) for name in ("config", "config.worktree")]
    return _Repository(_identity(path.stat()), hooks, frozenset().union(*(_outside(it, root) for it in configurations)))


def _outside(file: GitFile, root: Path) -> set[Path]:
    """The places outside of the project, or kept from change, that it has git write to."""
    places = [locate(root, str(tree / "config")) for tree in file.work_trees()]
    return {place.path for place in places if not place.inside or place.protected}


def _identity(state: os.stat_result) -> _Identity:
    return state.st_dev, state.st_ino


def _file_clock_ns() -> int:
    """Now by the clock that times of files are taken from: it stands still for some milliseconds at a time."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(_COARSE_CLOCK)
    return time.time_ns() - _GRAIN_NS


def _set_aside(path: Path, root: Path) -> str:
    aside = path.with_name(f"{path.name}.set-aside-{secrets.token_hex(3)}")
    word = f"{shown(path, root)} could make git run a program outside of the sandbox, or write or send elsewhere"
    try:
        _rename(path, aside)
    except OSError as error:
        return f"{word}, and could not be renamed ({error.strerror}): the user has to remove it before using git there"
    return f"{word}, so it is now {shown(aside.name)}"


def _rename(path: Path, aside: Path) -> None:
    """Raises OSError."""
    try:
        path.rename(aside)
    except PermissionError:  # a folder that its owner may not write to; the command could have made it so
        mode = path.parent.stat().st_mode & 0o7777
        path.parent.chmod(mode | 0o300)
        try:
            path.rename(aside)
        finally:
            path.parent.chmod(mode)
