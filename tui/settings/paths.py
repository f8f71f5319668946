"""Where the program's files are, and how they are written: folders 0700, files 0600, each file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

from tui.core.errors import MimoError

APPLICATION = "mimo-tui"

_PLACED_BY = ("HOME", "USERPROFILE", *(f"XDG_{name}_HOME" for name in ("CONFIG", "DATA", "STATE", "CACHE")))
"""Variables that say where the program's folders are. (On Windows the system says it, and it stays.)"""

_HINTS = {
    errno.ENOSPC: "The disk is full: free some space, then try again.",
    errno.EDQUOT: "Your disk quota is used up: free some space, then try again.",
    errno.EROFS: "It is on a read-only file system: point the XDG_..._HOME variables to a place that can be written.",
    errno.ENOTDIR: "Something in that path is a file, not a folder: move it away.",
    errno.EEXIST: "Something that is not a folder has that name: move it away.",
    errno.EISDIR: "A folder has that name: move it away.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def config_dir() -> Path:
    """What the user set: config.toml, backends/, approvals.toml, themes/."""
    return _place(platformdirs.user_config_path)


def data_dir() -> Path:
    """What must not be lost: sessions and models."""
    return _place(platformdirs.user_data_path)


def state_dir() -> Path:
    """What is useful between runs: the log and the prompt history."""
    return _place(platformdirs.user_state_path)


def cache_dir() -> Path:
    """What can be made again."""
    return _place(platformdirs.user_cache_path)


def private_dir(path: Path) -> Path:
    """`path`, made where it is missing; it and every folder made on the way is the user's alone.

    A folder that was there is made private too, unless it is a link: what that points to is not ours. One that is
    another user's is an error, since they could read and change what is put into it. Raises MimoError.
    """
    try:
        _make(path)
        state = path.stat()
        _refuse_of_others(path, state.st_uid)
        if state.st_mode & 0o077 and not path.is_symlink():
            path.chmod(0o700)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def _refuse_of_others(path: Path, owner: int) -> None:
    user = os.geteuid() if hasattr(os, "geteuid") else owner
    if owner not in (user, 0):  # root can read and change everything anyway
        raise MimoError(
            f"{path} belongs to another user (id {owner}), who could read and change what is kept in it",
            "Move it away, or point the XDG_..._HOME variables to a place of your own.",
        )


def write_private(path: Path, content: str | bytes) -> None:
    """Put `content` (text as UTF-8) at `path`, its folders included, so that readers see the old or the new whole.

    A link at `path` is replaced, not followed. Raises MimoError; the old file is as it was then.
    """
    import tempfile

    private_dir(path.parent)
    temporary = None
    try:
        number, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")  # is 0600
        with os.fdopen(number, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> MimoError:
    """The user's words for an `error` at writing `path`."""
    hint = _HINTS.get(error.errno or 0, "Check who owns it and its mode bits (`ls -ld`).")
    return MimoError(f"cannot write {path}: {error.strerror or error}", hint)


def _make(path: Path) -> None:
    """Like `mkdir -p -m 700`, but for the missing parents too, which `Path.mkdir` makes by the umask alone."""
    if path.is_dir():
        return
    if path.parent != path:
        _make(path.parent)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:  # another process was faster, or a file is in the way
        if not path.is_dir():
            raise


def _sync_folder(path: Path) -> None:
    """Make a rename last through a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _place(of: Callable[..., Path]) -> Path:
    """The system's folder for the program, or an error: with no home known it could only be one of the project's."""
    return _placed(of, tuple(map(os.environ.get, _PLACED_BY)))


@functools.lru_cache(maxsize=32)
def _placed(of: Callable[..., Path], _: tuple[str | None, ...]) -> Path:
    """Kept by all that the answer depends on: before each call of a tool all four are asked for."""
    try:
        path = of(APPLICATION, appauthor=False)
    except RuntimeError:  # platformdirs of today; those of some years ago answered `~/...`
        path = Path("~")
    if not path.is_absolute():
        raise MimoError(
            "no place for the program's files is known: you have no home folder",
            "Set HOME (and the XDG_..._HOME variables, where they are used) to absolute paths.",
        )
    return path
