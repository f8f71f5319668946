"""Which session is open in a running program: a lock file for each, freed by the system however the program ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> None:
        """Raises BlockingIOError when another holds it. Written from the documentation, not tried on Windows."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error
else:
    import fcntl

    def _try_lock(file: int) -> None:
        """Raises BlockingIOError when another holds it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


# A lock may be held for an instant by who only looks (`is_held`), or be removed between our opening and locking it.
_ATTEMPTS = 4
_PAUSE_S = 0.01


class Lock:
    """A held lock; `release` frees it and removes its file."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()  # first, while nobody else can have it: `take` looks at what it has locked
        os.close(self._file)


def take(path: Path) -> Lock | None:
    """Take the lock of this name; None when a running program (this one too) has it. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _attempt in range(_ATTEMPTS):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _try_lock(file)
            if _is_at(path, file):
                return Lock(path, file)
            os.close(file)
        except BlockingIOError:
            os.close(file)
            time.sleep(_PAUSE_S)
        except BaseException:
            os.close(file)
            raise
    return None


def is_held(path: Path) -> bool:
    """Whether a running program has the lock."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        _try_lock(file)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
