"""How a path of a project is: a file, a link, a folder, or nothing. Paths are relative to the project folder."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

FILE_LIMIT_BYTES = 20 * 1024 * 1024
"""Larger files are not kept; only that they have changed is known."""

NEVER = frozenset({".git", ".mimo"})
"""Nothing in here is read, kept or restored, and nothing so called is removed."""

_CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_INSTALLED = frozenset({"node_modules", ".venv", ".tox", ".nox"})
_TAG, _TAG_BEGINS = "CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55"  # bford.info/cachedir

_RACY_NS = 50_000_000
"""A file that was changed so shortly before it was read may change again within one tick of the file system's clock."""

_LOOK = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)

Kind = Literal["file", "link", "folder", "cache", "installed", "unkept", "other"]
Keep = Callable[[bytes], str]
"""Keeps contents and gives their hash."""
Signature = tuple[int, int, int, int, int]
"""Times of change of contents and of state, size, inode, mode: while it is the same, so is the file."""


class State(NamedTuple):
    """What is at a path; None stands for nothing. Two that are equal are the same to the last byte.

    `what` is the hash of a file's contents, where a link leads, or size and time of a file that is not kept. Of a
    `cache` (which programs make again by themselves) and of what is `installed` only the presence is known.
    """

    kind: Kind
    mode: int = 0
    what: str = ""


class Seen(NamedTuple):
    """A state and the signature that it was found with; None: it has to be looked at again."""

    signature: Signature | None
    state: State


class Change(NamedTuple):
    """What a path was, and what it became."""

    path: str
    before: State | None
    after: State | None


def why_unkept(state: State) -> str:
    """Why a state cannot be restored; empty when it can."""
    if state.kind == "unkept":
        size_bytes = int(state.what.split()[0])
        limit = FILE_LIMIT_BYTES // (1024 * 1024)
        return f"larger than {limit} MB" if size_bytes > FILE_LIMIT_BYTES else "not readable"
    return {"other": "no regular file", "installed": "not kept", "cache": "not kept"}.get(state.kind, "")


def signature_of(state: os.stat_result) -> Signature:
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino, state.st_mode


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The project folder as a descriptor. Raises OSError."""
    number = os.open(folder, os.O_DIRECTORY | os.O_CLOEXEC | os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


@contextlib.contextmanager
def parent_of(root: int, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The folder of `path` as a descriptor, and the name in it. No link is followed, so it is never outside.

    With `make`, missing folders are made. Raises OSError.
    """
    *names, last = path.split("/")
    number = os.dup(root)
    try:
        for name in names:
            if name in ("", ".", ".."):
                raise FileNotFoundError(path)
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=number)
            inner = os.open(name, _LOOK, dir_fd=number)
            os.close(number)
            number = inner
        yield number, last
    finally:
        os.close(number)


def look(root: int, path: str, keep: Keep) -> Seen | None:
    """What is at `path` now, its contents kept; None when nothing is, also when a folder of it is none."""
    try:
        with parent_of(root, path) as (folder, name):
            return look_in(folder, name, keep)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES):  # a link in place of a folder, or one that is closed
            return None
        raise


def look_in(folder: int, name: str, keep: Keep) -> Seen:
    """What is at `name` in a folder. Raises OSError."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    mode = found.st_mode
    if stat.S_ISREG(mode):
        return _look_at_file(folder, name, found, keep)
    signature = signature_of(found)
    if stat.S_ISLNK(mode):
        return Seen(_unless_racy(signature), State("link", 0, os.readlink(name, dir_fd=folder)))
    if stat.S_ISDIR(mode):
        return Seen(None, State(kind_of_folder(folder, name), stat.S_IMODE(mode)))
    return Seen(signature, State("other", stat.S_IFMT(mode)))


def kind_of_folder(parent: int, name: str) -> Kind:
    """Whether a folder is part of the project, or made by programs that make it again."""
    if name in _CACHES:
        return "cache"
    if name in _INSTALLED or (name == "venv" and _exists(parent, f"{name}/pyvenv.cfg")):
        return "installed"
    return "cache" if _exists(parent, f"{name}/{_TAG}") and _is_tagged(parent, name) else "folder"


def is_left_out(kind: Kind) -> bool:
    return kind in ("cache", "installed")


def _exists(folder: int, path: str) -> bool:
    try:
        os.stat(path, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True


def _is_tagged(parent: int, name: str) -> bool:
    try:
        number = os.open(f"{name}/{_TAG}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    except OSError:
        return False
    with os.fdopen(number, "rb") as file:
        return stat.S_ISREG(os.fstat(number).st_mode) and file.read(len(_TAG_BEGINS)) == _TAG_BEGINS


def _look_at_file(folder: int, name: str, found: os.stat_result, keep: Keep) -> Seen:
    if found.st_size <= FILE_LIMIT_BYTES:
        with contextlib.suppress(PermissionError, IsADirectoryError):
            number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(number, "rb", buffering=0) as file:
                found = os.fstat(number)
                data = _read(file.fileno(), found.st_size) if stat.S_ISREG(found.st_mode) else b""
            if len(data) <= FILE_LIMIT_BYTES:
                return Seen(_unless_racy(signature_of(found)), State("file", stat.S_IMODE(found.st_mode), keep(data)))
    what = f"{found.st_size} {found.st_mtime_ns}"
    return Seen(signature_of(found), State("unkept", stat.S_IMODE(found.st_mode), what))


def _read(number: int, size_bytes: int) -> bytes:
    """All that is in a file, or one byte more than is kept."""
    pieces, left = [], FILE_LIMIT_BYTES + 1
    while left and (piece := os.read(number, min(max(size_bytes, 4096) + 1, left))):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _unless_racy(signature: Signature) -> Signature | None:
    return None if max(signature[:2]) > time.time_ns() - _RACY_NS else signature
