"""A program in a real pty, seen through the bytes that it writes.

No emulator: at high throughput one would compete with the program for the processor. What must be noticed is marked
with characters that occur nowhere else, so that it can be found in the bytes between all escape sequences.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

COLUMNS, LINES = 120, 40
LETTERS = [chr(code) for code in [*range(0x410, 0x482), *range(0x48A, 0x500)]]
"""Cyrillic: one cell wide, in no text of the program or the model, and none is part of an escape sequence."""
CLEAR = b"\x15"
"""ctrl+u empties the line, in Textual's inputs too."""
ANSWERS = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
}
"""What terminals answer: device attributes, cursor, status; synchronised output is known, in-band resize is not."""
QUERY = re.compile(b"|".join(re.escape(query) for query in ANSWERS))
TAIL_BYTES = 16


class Terminal:
    """Runs a program in a pty of 120x40 until the block ends. Times are from `time.monotonic()`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._main, program_side = pty.openpty()
        fcntl.ioctl(program_side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        settings = termios.tcgetattr(program_side)
        settings[3] &= ~termios.ECHO  # else the kernel echoes keys before the program does
        termios.tcsetattr(program_side, termios.TCSANOW, settings)
        self._awaited: dict[bytes, threading.Event] = {}
        self._seen_s: dict[bytes, float] = {}
        self._letters = itertools.cycle(LETTERS)
        self.output = b""
        """The last few thousand bytes, to tell what went wrong."""
        self.started_s = time.monotonic()
        self.process = subprocess.Popen(
            argv,
            stdin=program_side,
            stdout=program_side,
            stderr=program_side,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(program_side)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(5)
        os.close(self._main)

    def write(self, data: bytes) -> float:
        """Type; the time just before it."""
        now = time.monotonic()
        os.write(self._main, data)
        return now

    def await_(self, marker: bytes) -> threading.Event:
        """Watch for a marker from now on; `seen_s` and `expect` tell when it was read."""
        event = self._awaited[marker] = threading.Event()
        self._seen_s.pop(marker, None)
        return event

    def seen_s(self, marker: bytes, within_s: float) -> float | None:
        """When a marker that is watched for was read; None if it does not come."""
        self._awaited[marker].wait(within_s)
        return self._seen_s.get(marker)

    def letter(self) -> bytes:
        """A key whose echo cannot be mistaken for anything else on the screen, if few of them are there at once."""
        return next(self._letters).encode()

    def expect(self, marker: bytes, within_s: float) -> float:
        """When a marker that is watched for was read; TimeoutError with the last output if it does not come."""
        if not self._awaited[marker].wait(within_s):
            state = self.process.poll()
            died = "" if state is None else f", the program ended with {state}"
            last = re.sub(rb"\x1b\[[0-9;?<>=$]*[ -/]*[@-~]|[\x00-\x1f]+", b" ", self.output).decode(errors="replace")
            raise TimeoutError(
                f"{marker.decode()!r} was not seen within {within_s:.0f} s{died}: {' '.join(last.split())}"
            )
        return self._seen_s[marker]

    def wait_until_ready(self, within_s: float = 30) -> float:
        """Type a key every 10 ms until the first echo of any; the seconds from the start of the program to that."""
        keys: list[bytes] = []
        deadline_s = self.started_s + within_s
        while not any(key in self._seen_s for key in keys):
            if time.monotonic() > deadline_s or len(keys) > 3000:
                self.expect(keys[0], 0)
            keys.append(self.letter())
            self.await_(keys[-1])
            self.write(keys[-1])
            self._awaited[keys[-1]].wait(0.01)
        return min(self._seen_s[key] for key in keys if key in self._seen_s) - self.started_s

    def submit(self, line: str) -> None:
        """Replace what is typed by a line, and send it when the last key of it is on the screen."""
        key = self.letter()
        self.write(CLEAR)
        time.sleep(0.3)
        self.await_(key)
        self.write(line.encode() + b" " + key)
        self.expect(key, 10)
        self.write(b"\r")

    def _read(self) -> None:
        tail = b""
        for data in self._chunks():
            now = time.monotonic()
            seen = tail + data
            for marker in [marker for marker in list(self._awaited) if marker in seen]:
                self._seen_s.setdefault(marker, now)
                self._awaited[marker].set()
            for query in QUERY.finditer(seen):
                if query.end() > len(tail):
                    os.write(self._main, ANSWERS[query[0]])
            tail = seen[-TAIL_BYTES:]
            self.output = (self.output + data)[-8000:]

    def _chunks(self) -> Iterator[bytes]:
        while True:
            try:
                data = os.read(self._main, 65536)
            except OSError:  # the program's side is closed
                return
            if not data:
                return
            yield data
