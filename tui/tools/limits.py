"""How much a command may take of the machine: guards against accidents, each as the shell's `ulimit` sets it.

Per process, since only groups of the system (cgroups) limit all processes of a command together, and those are root's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROCESSES = 4096
"""Threads count too."""

_SHARE = 3 / 4
_LEAST_BYTES = 1 << 30


def memory_bytes() -> int | None:
    """How much one process may allocate: three quarters of the machine's memory; None where that is not known.

    Allocated, not mapped (`-d`, not `-v`): Java, Node and Go map far more than they use.
    """
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    return max(int(total * _SHARE), _LEAST_BYTES)


def file_bytes(folder: Path) -> int | None:
    """How large one file may get: three quarters of what is free on the disk of `folder`."""
    try:
        state = os.statvfs(folder)
    except OSError:
        return None
    return max(int(state.f_bavail * state.f_frsize * _SHARE), _LEAST_BYTES)


def shell_limits(folder: Path, processes: int | None) -> str:
    """What a shell does before anything else. Only the number of processes cannot be raised again by the command.

    (Tools such as address sanitizers need more memory than there is: `ulimit -d unlimited` gives it to them.)
    """
    lines = ["ulimit -c 0"]
    if sys.platform == "linux" and (memory := memory_bytes()):
        lines.append(f"ulimit -S -d {memory // 1024}")
    if size := file_bytes(folder):
        lines.append(f"ulimit -S -f {size // _file_unit()}")
    if processes is not None:
        lines.append(f"ulimit -u {processes}")
    return "; ".join(f"{line} 2>/dev/null" for line in lines)


def processes_of_user() -> int:
    """How many threads the user has, for a limit that counts all of them. Blocking, some milliseconds."""
    count, user = 0, os.getuid()
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            try:
                state = os.stat(f"/proc/{name}/task")  # noqa: PTH116
            except OSError:
                continue
            if state.st_uid == user:
                count += max(state.st_nlink - 2, 1)
    return count


def _file_unit() -> int:
    return 1024 if sys.platform == "linux" else 512
