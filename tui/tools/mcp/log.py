"""The log of a server: what it writes to its standard error, and what happens to it. In the state folder, masked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from pathlib import Path

from tui.core.errors import MimoError
from tui.core.text import clean, clean_line
from tui.settings.log import mask
from tui.settings.paths import private_dir, state_dir

_LIMIT_BYTES = 1_000_000
"""A log that is longer is put aside as `NAME.log.1`; there are never more than these two."""
_LINE_CHARACTERS = 2000
_LAST = 100


class ServerLog:
    """Of one server. `last` has its last lines, cleaned, for the screen. Raises nothing: a full disk costs the log."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.last: deque[str] = deque(maxlen=_LAST)
        self._writing = asyncio.Lock()

    @property
    def path(self) -> Path | None:
        """Where it is; None without a home."""
        try:
            return state_dir() / "mcp" / f"{self._name}.log"
        except MimoError:
            return None

    async def add(self, text: str) -> None:
        """Append whole lines."""
        async with self._writing:
            lines = await asyncio.to_thread(self._write, text)
            self.last.extend(lines)

    async def add_if_idle(self, text: str) -> None:
        """Append a line, or leave it out while others are being written: for what a server sends as it likes."""
        if not self._writing.locked():
            await self.add(text)

    def _write(self, text: str) -> list[str]:
        lines = [clean_line(mask(line[:_LINE_CHARACTERS]), _LINE_CHARACTERS) for line in text.splitlines()]
        lines = [line for line in lines if line]
        if lines and (path := self.path):
            with contextlib.suppress(MimoError, OSError):
                private_dir(path.parent)
                _append(path, lines)
        return lines


def _append(path: Path, lines: list[str]) -> None:
    if path.exists() and path.stat().st_size > _LIMIT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "ab") as file:
        file.write(clean("".join(f"{now} {line}\n" for line in lines)).encode("utf-8", "replace"))
