"""Files that others may have made: read only where they are regular ones, and not above a limit."""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path

CONFIG_BYTES = 256 * 1024
"""The most that a file of settings or of a subagent may have, where a project can bring it."""


class NotRegularError(ValueError):
    """It is a folder, a pipe or a device."""


class TooLongError(ValueError):
    """It is longer than it may be; says so."""


def open_regular(path: Path) -> BufferedReader:
    """The file at `path`, links followed. Never waits for a pipe. Raises OSError, NotRegularError."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotRegularError(f"{path} is not a regular file")
    return os.fdopen(number, "rb")


def read_regular(path: Path, limit_bytes: int | None = None) -> bytes:
    """All of it. Raises OSError, NotRegularError, and TooLongError above `limit_bytes`."""
    with open_regular(path) as file:
        data = file.read(-1 if limit_bytes is None else limit_bytes + 1)
    if limit_bytes is not None and len(data) > limit_bytes:
        raise TooLongError(f"the file is longer than {limit_bytes // 1024} KB")
    return data
