"""What was said before at the prompt: walking through it, and keeping it between runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tui.core.errors import MimoError
from tui.settings.paths import private_dir

KEPT = 1000
"""Entries kept in the file and in memory; older ones are forgotten."""


class History:
    """Entries from old to new, and a place among them. The unfinished text is put aside while one walks."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self._place = 0
        self._draft = ""

    @property
    def is_walking(self) -> bool:
        """An entry is shown instead of the unfinished text."""
        return self._place < len(self.entries)

    def load(self, older: list[str]) -> None:
        """Put the entries of earlier runs before those of this one."""
        self.entries[:0] = older
        self._place += len(older)

    def add(self, text: str) -> bool:
        """Remember `text` and go back to the end. False when it is nothing new: blank, or the same as the last."""
        is_new = bool(text.strip()) and (not self.entries or self.entries[-1] != text)
        if is_new:
            self.entries.append(text)
            del self.entries[:-KEPT]
        self._place, self._draft = len(self.entries), ""
        return is_new

    def back(self, shown: str) -> str | None:
        """The entry before; `shown` is kept as the draft when the walk begins. None at the oldest."""
        if self._place == 0:
            return None
        if not self.is_walking:
            self._draft = shown
        self._place -= 1
        return self.entries[self._place]

    def forward(self) -> str | None:
        """The entry after, or the draft at the end. None when not walking."""
        if not self.is_walking:
            return None
        self._place += 1
        return self.entries[self._place] if self.is_walking else self._draft


def read(path: Path) -> list[str]:
    """The newest entries of a history file, one JSON string a line; broken lines are passed over. Blocking."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    entries = [entry for entry in map(_decode, lines[-KEPT:]) if entry]
    if len(lines) > 2 * KEPT:
        _replace(path, entries)
    return entries


def append(path: Path, text: str) -> None:
    """Add one entry to the file (made 0600 at need). Blocking; a disk that cannot be written costs the entry only."""
    try:
        private_dir(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(text) + "\n")  # one write of one line: two programs may append at once
    except (OSError, MimoError):
        return


def _decode(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    return entry if isinstance(entry, str) else ""


def _replace(path: Path, entries: list[str]) -> None:
    from tui.settings.paths import write_private

    try:
        write_private(path, "".join(json.dumps(entry) + "\n" for entry in entries))
    except Exception:  # the history is a comfort: a disk that cannot be written is said elsewhere
        return
