"""The sandbox that commands run in: which kinds there are, and which of them works on this machine.

In each the project folder can be written and there is a private temporary folder; all else is read-only, secrets are
hidden, there is no network unless it is allowed, and no key. What a kind cannot hold back is in its `gaps`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tui.tools.supervised import Enclosure


class Sandbox(Protocol):
    """A kind of sandbox that works here."""

    @property
    def name(self) -> str: ...
    @property
    def gaps(self) -> tuple[str, ...]:
        """What it cannot hold back, as sentences without a full stop; empty when a command may run unasked in it."""
        ...

    def objection(self, folder: Path) -> str | None:
        """Why commands in `folder` cannot be confined, as words after a colon; None when they can. Blocking, short."""
        ...

    def enclose(self, argv: Sequence[str], folder: Path, network: bool, status_fd: int | None = None) -> Enclosure:
        """Make ready to run `argv` in `folder`; to `status_fd` are written the lines of bubblewrap's --json-status-fd.

        Blocking, short. Raises SandboxRefused, OSError.
        """
        ...


def find_sandbox() -> Sandbox | None:
    """The sandbox of this machine; None where none works (`why_no_sandbox`). Tried once; blocking, about 10 ms."""
    return _tried()[0]


def why_no_sandbox() -> str:
    """Why `find_sandbox` found none, and what would help; empty when there is one."""
    return _tried()[1]


@functools.cache
def _tried() -> tuple[Sandbox | None, str]:
    if sys.platform == "darwin":
        from tui.tools.macos import find_sandbox_exec

        return find_sandbox_exec()
    if sys.platform != "linux":
        return None, "there is a sandbox on Linux and macOS only"
    from tui.tools.bubblewrap import find_bubblewrap

    bubblewrap, why_not = find_bubblewrap()
    if bubblewrap is not None:
        return bubblewrap, ""
    from tui.tools.landlock import find_landlock

    landlock, why_not_either = find_landlock()
    return landlock, "" if landlock else f"{why_not}; {why_not_either}"
