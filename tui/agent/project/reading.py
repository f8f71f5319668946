"""Text files that a project or the user brings: read up to a limit, and only where their paths should lead."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_LIMIT_BYTES = 256 * 1024


def read_text(path: Path, within: Path | None = None) -> str:
    """The text of a file, its beginning if it is long; empty when there is none or it leads out of `within`.

    Blocking, raises nothing. What is no UTF-8 in it is replaced. A pipe or device is never waited for.
    """
    try:
        if within is not None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(within)):
            return ""
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return ""
            return file.read(_LIMIT_BYTES).decode(errors="replace").replace("\r\n", "\n").replace("\0", "\ufffd")
    except (OSError, ValueError):
        return ""


def names_in(folder: Path) -> Iterator[str]:
    """What is in a folder, by name; nothing when it cannot be read."""
    try:
        yield from sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return


def cut(text: str, limit: int, name: str) -> str:
    """`text` in at most about `limit` characters, its end left out with a word."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()}\n[... the rest of {name} was left out: {len(text) - limit:,} characters ...]"
