"""Opens files at paths whose links were followed before: if one of their folders has become a link since, nothing.

Between the moment when a path is judged and the one when it is used, a command that runs meanwhile can put a link in
its place. So a path is walked folder by folder, from an open folder to the next, and no link is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tui.tools.errors import ToolError

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


@contextlib.contextmanager
def opened_folder(path: Path, *, make: bool = False) -> Iterator[int]:
    """The folder as a descriptor for `dir_fd`; with `make`, what is missing is made. Raises ToolError, OSError."""
    number, at = os.open(path.anchor, _FOLDER), Path(path.anchor)
    try:
        for name in path.parts[1:]:
            try:
                inner = os.open(name, _FOLDER, dir_fd=number)
            except FileNotFoundError:
                if not make:
                    raise
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=number)
                inner = os.open(name, _FOLDER, dir_fd=number)
            os.close(number)
            number, at = inner, at / name
        yield number
    except OSError as error:
        raise _explained(error, at) from error
    finally:
        os.close(number)


def open_regular(path: Path) -> BinaryIO:
    """A regular file, for reading; a pipe or device is never waited for. Raises ToolError, OSError."""
    with opened_folder(path.parent) as folder:
        number = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise ToolError(f"{path} has become something that is not a regular file.")
    return os.fdopen(number, "rb")


def remove(path: Path) -> None:
    """Remove a regular file. Raises ToolError, OSError."""
    with opened_folder(path.parent) as folder:
        if not stat.S_ISREG(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise ToolError(f"{path} has become something that is not a regular file.")
        os.unlink(path.name, dir_fd=folder)


def put_in_place(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write `data` beside `path`, its folders made, and rename it over: readers see the old file or the new one.

    Mode and owner are kept; `mode` is that of a new file, None: the usual one. It is not synced: what a power cut may
    take are the last seconds, and a sync would cost each edit milliseconds. Raises ToolError, OSError; the file is as
    it was then.
    """
    with opened_folder(path.parent, make=True) as folder:
        state = None
        with contextlib.suppress(FileNotFoundError):
            state = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
        if state is not None and not stat.S_ISREG(state.st_mode):
            raise ToolError(f"{path} has become something that is not a regular file.")
        temporary = f".mimo-{secrets.token_hex(8)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        number = os.open(temporary, flags, 0o666, dir_fd=folder)  # less the umask
        try:
            with os.fdopen(number, "wb") as file:
                if state is not None:
                    _keep_owner(number, state)
                    os.fchmod(number, stat.S_IMODE(state.st_mode))
                elif mode is not None:
                    os.fchmod(number, mode)
                file.write(data)
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise


def _keep_owner(number: int, state: os.stat_result) -> None:
    made = os.fstat(number)
    if (made.st_uid, made.st_gid) != (state.st_uid, state.st_gid):
        with contextlib.suppress(PermissionError):  # only root can give a file away
            os.fchown(number, state.st_uid, state.st_gid)


def _explained(error: OSError, folder: Path) -> Exception:
    """What went wrong in an open folder. ENOTDIR stands for a link too, where only a folder is opened."""
    path = folder / error.filename if isinstance(error.filename, str) else folder
    if error.errno == errno.ELOOP:
        return ToolError(f"{path} has become a link since it was looked at, so nothing was done.")
    if error.errno == errno.ENOTDIR and any(parent.is_symlink() for parent in (path, *path.parents)):
        return ToolError(f"A folder of {path} has become a link since it was looked at, so nothing was done.")
    if isinstance(error.filename, str):
        error.filename = str(path)
    return error
