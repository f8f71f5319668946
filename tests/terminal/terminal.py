"""A terminal for the tests: a real pty, the program behind it, and an emulator to read the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

LIMIT_S = 20.0
_LEFT_OUT = ("NO_COLOR", "COLUMNS", "LINES")
PROGRAM = [sys.executable, "-m", "tui"]


class Terminal:
    """The program in a terminal of its own. Use it in a `with`: the program is killed at its end, if it still runs."""

    def __init__(self, *arguments: str, folder: Path, size: tuple[int, int] = (100, 30), **environ: str) -> None:
        columns, lines = size
        self._emulator = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._emulator)
        self.output = b""
        """All that the program ever wrote."""
        self.exit_code: int | None = None
        self._handle: int | None
        self.pid, self._handle = pty.fork()
        if self.pid == 0:
            # Passed on by hand: readline, which pytest loads, puts COLUMNS and LINES where Python does not see them.
            environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
            environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(Path.cwd())}
            os.chdir(folder)
            os.execve(PROGRAM[0], [*PROGRAM, *arguments], environment | environ)
        self.resize(columns, lines)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.hang_up()

    def hang_up(self) -> None:
        """The window is closed."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @property
    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self._emulator.display)

    def type(self, keys: str | bytes) -> None:
        assert self._handle is not None
        os.write(self._handle, keys.encode() if isinstance(keys, str) else keys)

    def paste(self, text: str) -> None:
        """As terminals do it, with line ends as carriage returns."""
        self.type("\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")

    def resize(self, columns: int, lines: int) -> None:
        self._emulator.resize(lines, columns)
        assert self._handle is not None
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Read what the program writes until it is so."""
        end = time.monotonic() + LIMIT_S
        while not happened():
            if time.monotonic() > end:
                raise AssertionError(f"it never happened: {what}\n{self.screen}\n{self.output[-500:]!r}")
            self._read()

    def until_shown(self, *texts: str) -> None:
        self.until(lambda: all(text in self.screen for text in texts), f"shown: {texts}")

    def wait_ms(self, milliseconds: int) -> None:
        """Let time pass, for tests about what happens at any moment."""
        end = time.monotonic() + milliseconds / 1000
        while time.monotonic() < end and not self.has_ended:
            self._read()

    def until_ended(self) -> int:
        """Until the program has ended; its exit code, negative for a signal."""
        self.until(lambda: self.has_ended, "the program ended")
        assert self.exit_code is not None
        return self.exit_code

    @property
    def has_ended(self) -> bool:
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self._read():
                    pass
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def _read(self) -> bool:
        if self._handle is None:
            time.sleep(0.02)
            return False
        ready, _, _ = select.select([self._handle], [], [], 0.02)
        if not ready:
            return False
        try:
            data = os.read(self._handle, 65536)
        except OSError:  # the program has closed its end
            return False
        self.output += data
        self._stream.feed(data)
        return bool(data)
