"""Runs the real `run_command` in a process of its own, as another user where that is wanted, in a home made for it."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 (another user may not be able to read our Python's folder)
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import termios
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tui.tools.base import Outcome, ToolContext
from tui.tools.bubblewrap import find_bubblewrap
from tui.tools.landlock import find_landlock
from tui.tools.run_command import RunCommand
from tui.tools.sandbox import Sandbox

NOBODY = 65534
USERS = [os.getuid(), *([NOBODY] if os.getuid() == 0 else [])]
"""Who the sandbox is tried as: an unprivileged user too, when the tests run as root."""


FINDERS: dict[str, Callable[[], tuple[Sandbox | None, str]]] = {
    "bubblewrap": find_bubblewrap,
    "Landlock": find_landlock,
}


class Result(NamedTuple):
    content: str
    is_error: bool
    detail: dict
    pieces: list[str]


class Place(NamedTuple):
    """A home folder with a project in it, both the user's."""

    home: Path
    project: Path
    user: int
    kind: str = "bubblewrap"

    def write(self, name: str, text: str) -> Path:
        """A file of the user's, `name` from the home folder."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.own()
        return path

    def own(self) -> None:
        for path in [self.home, *self.home.rglob("*")]:
            os.chown(path, self.user, self.user, follow_symlinks=False)

    def run(
        self, command: str, *later: str, network: bool = False, timeout_s: float = 20, terminal: int | None = None
    ) -> Result:
        """Run a command, and `later` ones in the same program, in the sandbox as the user; the last one's result.

        `terminal` is made the controlling terminal of the program.
        """
        pid, output = self.start(command, *later, network=network, timeout_s=timeout_s, terminal=terminal)
        with os.fdopen(output) as file:
            text = file.read()
        os.waitpid(pid, 0)
        values = json.loads(text)
        assert isinstance(values, list), values
        return Result(*values)

    def start(self, *commands: str, **options: object) -> tuple[int, int]:
        """Begin to: the id of the process that plays the program, and the pipe on which it will give the result."""
        reading, writing = os.pipe()
        if pid := os.fork():
            os.close(writing)
            return pid, reading
        try:
            values: object = self._in_child(*commands, **options)
        except BaseException:
            values = traceback.format_exc()
        os.write(writing, json.dumps(values).encode())
        os._exit(0)

    def _in_child(
        self, *commands: str, network: bool = False, timeout_s: float = 20, terminal: int | None = None
    ) -> object:
        os.environ["HOME"] = str(self.home)
        if terminal is not None:
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        if os.getuid() != self.user:
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)
            if not os.access(sys.executable, os.X_OK):  # one of root's: what supervises a command runs by any other
                sys.executable = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
        found, why_not = FINDERS[self.kind]()
        assert found is not None, why_not
        context = ToolContext(self.project, found, timeout_s, network)
        return [asyncio.run(_collect(command, context)) for command in commands][-1]


async def _collect(command: str, context: ToolContext) -> Result:
    pieces: list[str] = []
    async for piece in RunCommand().run({"command": command}, context):
        if isinstance(piece, Outcome):
            return Result(piece.content, piece.is_error, piece.detail, pieces)
        pieces.append(piece)
    raise AssertionError("no outcome")


@contextmanager
def made_place(user: int, kind: str = "bubblewrap") -> Iterator[Place]:
    """A home folder that `user` can reach: pytest's own temporary folders are closed to others."""
    home = Path(os.path.realpath(tempfile.mkdtemp(prefix="mimo-home-")))
    try:
        home.chmod(0o755)
        place = Place(home, home / "project", user, kind)
        place.project.mkdir()
        place.own()
        yield place
    finally:
        shutil.rmtree(home)


def end(pid: int) -> None:
    """`kill -9`, and wait for it."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
