"""Empty files and folders that the sandbox needs to be there so that it can lock a place that does not exist yet.

What was made is marked by its sticky bit, and locked (`flock`) while a command uses it. So commands in parallel, of
several programs too, share a mount point and the last one removes it (removing it under a running command would unlock
the place), and one that was left by `kill -9` is known as ours by the next command, which removes it at its end, and
when the sandbox is next tried in the folder.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TRIES = 1000


class MountPoint(NamedTuple):
    path: Path
    is_file: bool


class HeldMountPoints:
    """Mount points that exist until `release`."""

    def __init__(self, points: Iterable[MountPoint]) -> None:
        """Make them. Raises OSError; then none of them is held."""
        self._held: list[tuple[MountPoint, int]] = []
        try:
            for point in points:
                self._held.append((point, _hold(point)))
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Remove those that nobody else holds and nobody has put something into. Raises nothing."""
        while self._held:
            point, number = self._held.pop()
            try:
                with contextlib.suppress(OSError):
                    _remove(point, number)
            finally:
                os.close(number)


def remove_leftovers(points: Iterable[MountPoint]) -> None:
    """Remove those of `points` that a program has left that was killed; not those in use. Raises OSError."""
    HeldMountPoints(point for point in points if os.path.lexists(point.path)).release()


def is_ours(state: os.stat_result, path: Path) -> bool:
    """Whether something that exists is a mount point that was made here: marked, ours and empty."""
    if not state.st_mode & stat.S_ISVTX or state.st_uid != os.geteuid():
        return False
    if stat.S_ISREG(state.st_mode):
        return state.st_size == 0
    with os.scandir(path) as entries:
        return next(entries, None) is None


def _hold(point: MountPoint) -> int:
    """Make it if it is not there, and lock it: an open file. Tries again when it is just being removed."""
    import fcntl  # not there on Windows

    for _ in range(_TRIES):
        _make(point)
        try:
            number = os.open(point.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(number), os.lstat(point.path)):
                return number
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(number)
            raise
        os.close(number)
        time.sleep(0.001)
    raise OSError(f"{point.path} is locked by another program")


def _make(point: MountPoint) -> None:
    with contextlib.suppress(FileExistsError):
        if point.is_file:
            os.close(os.open(point.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o1644))
        else:
            point.path.mkdir(0o1755)  # marked from the first moment


def _remove(point: MountPoint, number: int) -> None:
    import fcntl

    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while another command uses it: that one removes it
    state = os.fstat(number)
    if not os.path.samestat(state, os.lstat(point.path)):
        return
    if is_ours(state, point.path):
        point.path.unlink() if point.is_file else point.path.rmdir()
    elif state.st_mode & stat.S_ISVTX and state.st_uid == os.geteuid():  # somebody outside has put something into it
        os.fchmod(number, stat.S_IMODE(state.st_mode) & ~stat.S_ISVTX)
