"""Output that is too long for the model: the whole of it is kept on disk, in a folder of the session."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tui.core.errors import MimoError
from tui.settings.paths import data_dir, private_dir

KEPT_BYTES = 64 * 1024 * 1024
"""So much of one output is kept: half from its beginning, half from its end."""

RESULT_CHARACTERS = 96 * 1024
"""A result that is longer is cut in the middle, whatever tool it is from."""

_KEPT_S = 14 * 24 * 3600


def outputs_dir() -> Path:
    """The folder of all sessions' kept outputs. Raises MimoError without a home."""
    return data_dir() / "outputs"


def forget_outputs(session_id: str) -> None:
    """Remove what was kept for a session. Blocking."""
    if folder := _folder_of(session_id):
        shutil.rmtree(folder, ignore_errors=True)


def _folder_of(session_id: str) -> Path | None:
    """None for what is no id of a session, `..` for one, and without a home."""
    if not re.fullmatch(r"[\w-]+", session_id):
        return None
    try:
        return Path(os.path.realpath(outputs_dir())) / session_id
    except MimoError:
        return None


def forget_old_outputs() -> None:
    """Remove what sessions have kept that kept nothing for 14 days. Blocking."""
    with contextlib.suppress(MimoError, OSError):
        for folder in outputs_dir().iterdir():
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _KEPT_S:
                    shutil.rmtree(folder, ignore_errors=True)


class KeptOutputs:
    """The kept outputs of one session, whose id `session_id` gives. Blocking; used from several threads."""

    def __init__(self, session_id: Callable[[], str]) -> None:
        self._session_id = session_id
        self._has_cleared = False
        self._known: tuple[str, Path | None] = ("", None)

    @property
    def folder(self) -> Path | None:
        """Where they are, links followed, whether it exists or not; None when there is no session, or no home."""
        if self._known[0] != (session_id := self._session_id()):
            self._known = session_id, _folder_of(session_id)
        return self._known[1]

    def make(self) -> Path | None:
        """A new, empty file of the user's alone; None where nothing can be kept: then there is only the excerpt."""
        if (folder := self.folder) is None:
            return None
        if not self._has_cleared:
            self._has_cleared = True
            forget_old_outputs()
        try:
            private_dir(folder)
            for number in range(len(os.listdir(folder)) + 1, 10**6):  # noqa: PTH208
                path = folder / f"{number}.txt"
                try:
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                except FileExistsError:
                    continue
                return path
        except (MimoError, OSError):
            pass
        return None

    def keep(self, text: str) -> Path | None:
        """Keep a whole output, of a huge one its beginning and its end. None where that cannot be done."""
        if (path := self.make()) is None:
            return None
        data = text.encode(errors="replace")
        if left_out := max(len(data) - KEPT_BYTES, 0):
            half = KEPT_BYTES // 2
            data = data[:half] + f"\n[… {left_out} bytes left out …]\n".encode() + data[-half:]
        try:
            path.write_bytes(data)
        except OSError:  # the disk is full: half of it would be taken for the whole
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return path

    def shortened(self, text: str, limit: int = RESULT_CHARACTERS) -> str:
        """`text`, or, when it has more than `limit` characters, its two ends and where the whole of it is."""
        if len(text) <= limit:
            return text
        head, tail = limit * 2 // 3, limit // 3
        where = self.keep(text)
        left_out = f"{len(text) - head - tail:,} of {len(text):,} characters are left out here"
        hint = f"; all of it is in {where}: read_file shows parts of it, search_files too" if where else ""
        return f"{text[:head]}\n[… {left_out}{hint} …]\n{text[len(text) - tail :]}"


class WholeOutput:
    """All of an output that comes in pieces: it is put on disk once it is longer than `limit` characters. Blocking."""

    def __init__(self, outputs: KeptOutputs, limit: int) -> None:
        self.path: Path | None = None
        """Where it is; None while it is short, or where nothing can be kept."""
        self._outputs, self._limit = outputs, limit
        self._held: list[str] = []
        self._characters = 0
        self._room_bytes = KEPT_BYTES
        self._is_over = False

    def add(self, piece: str) -> None:
        self._characters += len(piece)
        if self._is_over:
            return
        self._held.append(piece)
        if self._characters <= self._limit:
            return
        data = "".join(self._held).encode(errors="replace")
        self._held.clear()
        self.path = self.path or self._outputs.make()
        self._is_over = self.path is None or len(data) > self._room_bytes
        if self.path is None:
            return
        data = data[: self._room_bytes] + (b"\n[the rest is not kept]\n" if self._is_over else b"")
        try:
            with self.path.open("ab") as file:
                file.write(data)
        except OSError:
            self.path, self._is_over = None, True
        self._room_bytes -= len(data)
