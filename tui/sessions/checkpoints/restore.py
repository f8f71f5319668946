"""Puts paths of a project into an earlier state. No link is followed, and what is in `.git` is never touched."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tui.core.errors import MimoError
from tui.sessions.checkpoints.states import NEVER, State, is_left_out, kind_of_folder, opened, parent_of

Read = Callable[[str], bytes]
"""The contents with that hash. Raises SessionError."""


def restore(folder: Path, targets: Mapping[str, State | None], read: Read) -> dict[str, str]:
    """Make each path what it is to be; returns why it could not be done, for those where it could not.

    Each file is changed whole or not at all. Blocking. Raises OSError when the folder itself cannot be used.
    """
    failures: dict[str, str] = {}
    inside_out = sorted(targets, key=lambda path: (-path.count("/"), path))
    folder.mkdir(exist_ok=True)
    with opened(folder) as root:

        def each(paths: list[str], do: Callable[[int, str, State | None], None]) -> None:
            for path in paths:
                try:
                    if not NEVER.isdisjoint(path.split("/")):
                        raise OSError(errno.EPERM, "is never touched")
                    do(root, path, targets[path])
                except (OSError, MimoError) as error:
                    failures.setdefault(path, _words(error))

        folders = [path for path in inside_out if (target := targets[path]) is not None and target.kind == "folder"]
        each(folders[::-1], _open_up)
        each(inside_out, _clear)
        each(inside_out[::-1], lambda root, path, target: _make(root, path, target, read))
        each(folders, _set_mode)
    return failures


def _open_up(root: int, path: str, target: State | None) -> None:
    """Let the owner work in a folder that is there, until all is done."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), parent_of(root, path) as (parent, name):
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
            _chmod_folder(parent, name, stat.S_IMODE(mode) | 0o700)


def _clear(root: int, path: str, target: State | None) -> None:
    """Take away what is at the path, unless the target is to take its place in one go."""
    try:
        with parent_of(root, path) as (parent, name):
            is_folder = stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
            if is_folder and (target is None or target.kind in ("file", "link")):
                _remove_folder(parent, name)
            elif not is_folder and (target is None or target.kind == "folder"):
                os.unlink(name, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        if error.errno != errno.ELOOP:  # a folder of it is a link now: nothing is at the path
            raise


def _remove_folder(parent: int, name: str) -> None:
    """Remove an empty folder, or one in which only caches are left."""
    if is_left_out(kind := kind_of_folder(parent, name)):
        if kind == "cache":
            shutil.rmtree(name, dir_fd=parent)
        return
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        number = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            with os.scandir(number) as entries:
                inner = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            if all(is_folder and kind_of_folder(number, one) == "cache" for one, is_folder in inner):
                for one, _ in inner:
                    shutil.rmtree(one, dir_fd=number)
        finally:
            os.close(number)
        os.rmdir(name, dir_fd=parent)


def _make(root: int, path: str, target: State | None, read: Read) -> None:
    if target is None or target.kind not in ("file", "link", "folder"):
        return
    with parent_of(root, path, make=True) as (parent, name):
        if target.kind == "folder":
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            return
        temporary = _temporary_of(name)
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            os.unlink(temporary, dir_fd=parent)
        try:
            if target.kind == "link":
                os.symlink(target.what, temporary, dir_fd=parent)
            else:
                _write(parent, temporary, name, read(target.what), target.mode)
            os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=parent)
            raise


def sweep(folder: Path, paths: Iterable[str]) -> None:
    """Remove what a `restore` of these paths has left lying when it was killed. Blocking."""
    with contextlib.suppress(OSError), opened(folder) as root:
        for path in paths:
            with contextlib.suppress(OSError, MimoError), parent_of(root, path) as (parent, name):
                os.unlink(_temporary_of(name), dir_fd=parent)


def _temporary_of(name: str) -> str:
    """Where a file is written before it takes its name: always the same, so that it can be found again."""
    return f".mimo-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.tmp"


def _write(parent: int, temporary: str, name: str, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    number = os.open(temporary, flags, 0o600, dir_fd=parent)
    with os.fdopen(number, "wb") as file:
        with contextlib.suppress(OSError):  # nothing is there, or only root could give it away
            old = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISREG(old.st_mode) and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(number, old.st_uid, old.st_gid)
        file.write(data)
        file.flush()
        os.fchmod(number, mode)  # last: writing and giving away take the set-user bit off


def _set_mode(root: int, path: str, target: State | None) -> None:
    with parent_of(root, path) as (parent, name):
        if (
            target is not None
            and stat.S_IMODE(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode) != target.mode
        ):
            _chmod_folder(parent, name, target.mode)


def _chmod_folder(parent: int, name: str, mode: int) -> None:
    look = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        number = os.open(name, os.O_RDONLY | look, dir_fd=parent)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            raise
        number = os.open(name, os.O_PATH | look, dir_fd=parent)
        try:  # Linux: what cannot be opened can be reached by its descriptor all the same
            os.chmod(f"/proc/self/fd/{number}", mode)  # noqa: PTH101
        finally:
            os.close(number)
        return
    try:
        os.fchmod(number, mode)
    finally:
        os.close(number)


def _words(error: OSError | MimoError) -> str:
    if isinstance(error, MimoError):
        return error.message
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a folder of it has become a link or a file"
    return error.strerror or str(error)
