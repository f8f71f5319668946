"""Which files the model has seen, and how they were then: what it does not know of it must not overwrite."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import NamedTuple

_HASHED_BYTES = 16 * 1024 * 1024
"""Of larger files only size and time of change are compared."""


class _Print(NamedTuple):
    """How a file was: its size, its time of change, and a hash of what was in it (empty for a large one)."""

    size_bytes: int
    changed_ns: int
    digest: bytes


class SeenFiles:
    """Files by their paths, links followed. Blocking; used from several threads."""

    def __init__(self) -> None:
        self._prints: dict[Path, _Print] = {}
        self._lock = threading.Lock()

    def saw(self, path: Path) -> None:
        """The model knows the file as it is now: it has read it, or written it. Raises ToolError, OSError."""
        found = _print_of(path)
        with self._lock:
            self._prints[path] = found

    def forget(self, path: Path) -> None:
        """The file is gone, and the model knows."""
        with self._lock:
            self._prints.pop(path, None)

    def knows(self, path: Path) -> bool:
        """Whether the model has ever seen it, as it is now or not."""
        with self._lock:
            return path in self._prints

    def has_changed(self, path: Path) -> bool:
        """Whether it is other than the model knows it; not for one that it never saw. Raises ToolError, OSError."""
        with self._lock:
            known = self._prints.get(path)
        if known is None:
            return False
        try:
            state = path.stat()
        except FileNotFoundError:
            return True
        if not known.digest:
            return (state.st_size, state.st_mtime_ns) != known[:2]
        return state.st_size != known.size_bytes or _print_of(path).digest != known.digest


def _print_of(path: Path) -> _Print:
    import hashlib  # these two: not for the start of the program

    from tui.tools.opening import open_regular

    with open_regular(path) as file:
        state = os.fstat(file.fileno())
        is_small = state.st_size <= _HASHED_BYTES
        digest = hashlib.blake2b(file.read(_HASHED_BYTES + 1), digest_size=16).digest() if is_small else b""
    return _Print(state.st_size, state.st_mtime_ns, digest)
