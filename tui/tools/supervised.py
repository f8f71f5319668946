"""Runs a command below `supervise.py`, so that all that it started ends with it, confined by Landlock or not at all."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tui.core.messages import Json


class Enclosure(Protocol):
    """What a command is started in: `argv` with `descriptors` left open and `environment` added to its own.

    `close` when it was started, or all that it started has ended.
    """

    argv: list[str]
    descriptors: tuple[int, ...]
    environment: dict[str, str]
    is_told_to_end: bool
    """Whether SIGTERM to its first process ends all in it."""
    tells_exit_code: bool
    """Whether it writes the command's exit code, so that its own failure can be told from the command's."""

    def close(self) -> tuple[str, ...]:
        """Take it down; sentences about what the command made that only the user may."""
        ...


class Supervised:
    """An Enclosure: the command below a supervisor, which `confines` tells to confine it (None: not)."""

    is_told_to_end = True
    tells_exit_code = True

    def __init__(
        self,
        argv: Sequence[str],
        status_fd: int | None,
        confines: Json | None = None,
        environment: dict[str, str] | None = None,
        undo: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        """Raises OSError."""
        order = {"argv": list(argv), "status": status_fd, "parent": os.getpid(), "confines": confines}
        number = os.memfd_create("order")
        os.write(number, marshal.dumps(order))
        os.lseek(number, 0, os.SEEK_SET)
        self.descriptors: tuple[int, ...] = (number,)
        script = Path(__file__).with_name("supervise.py")
        self.argv = [sys.executable, "-I", "-S", str(script), str(number)]
        self.environment = environment or {}
        self._undo = undo

    def close(self) -> tuple[str, ...]:
        for number in self.descriptors:
            os.close(number)
        self.descriptors = ()
        return self._undo()


def can_supervise() -> bool:
    """Orphans can be kept below one process on Linux only."""
    return sys.platform == "linux" and bool(sys.executable) and Path("/proc/self/stat").exists()
