"""Which processes a command has started, wherever they went, and how all of them are ended.

A process can leave its group (`setsid`) and its parents (by forking twice), so besides those it is found by a variable
of its environment. That is best effort: inside the sandbox, the end of the process namespace is what counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

MARK = "MIMO_TUI_CALL"
_POLL_S = 0.01
_ROUNDS = 20
_SUPERVISOR_S = 3


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int
    is_dead: bool


def new_mark() -> str:
    """A value for the variable `MARK` that no other command has."""
    return secrets.token_hex(8)


def started_by(root: int, mark: str) -> set[int]:
    """Ids of the living processes that `root` started, without itself. Blocking, some milliseconds."""
    everything = [process for process in _processes() if not process.is_dead]
    wanted = f"{MARK}={mark}".encode()
    found = {process.pid for process in everything if process.session == root or _has(process.pid, wanted)}
    grown = True
    while grown:
        grown = False
        for process in everything:
            if process.pid not in found and (process.parent == root or process.parent in found):
                found.add(process.pid)
                grown = True
    return found - {root, os.getpid()}


async def end(root: int, mark: str, *, grace_s: float, spared: Iterable[int] = (), is_supervisor: bool = False) -> None:
    """SIGTERM to all that `root` started and to itself, then, to what is left after `grace_s`, SIGKILL (see `kill`).

    The `spared` are not asked to end: those that hold a sandbox together end when nothing runs in it. Cancelling this
    cuts the grace short.
    """
    try:
        asked = (await asyncio.to_thread(started_by, root, mark) | {root}) - set(spared)
        _signal(sorted(asked), signal.SIGTERM)  # a shell before what it waits for: it would go on with the next command
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        while asked and loop.time() < deadline:
            await asyncio.sleep(_POLL_S)
            asked = {pid for pid in asked if _is_alive(pid)}
    except asyncio.CancelledError:
        kill(root, mark, is_supervisor)
        raise
    await asyncio.to_thread(kill, root, mark, is_supervisor)


def kill(root: int, mark: str, is_supervisor: bool = False) -> None:
    """SIGKILL to all that `root` started, and to itself if it runs; again while there are new ones. Blocking.

    A supervisor (`supervise.py`) does that itself when it is told to end, and finds those that hide, too.
    """
    if is_supervisor:
        _signal({root}, signal.SIGTERM)
        wait_until_gone(root, _SUPERVISOR_S)
    _signal({root}, signal.SIGKILL)
    for _ in range(_ROUNDS):
        if not (found := started_by(root, mark)):
            return
        _signal(found, signal.SIGKILL)


async def until_gone(pid: int, timeout_s: float) -> bool:
    """Wait until a process has ended (of a process namespace's first one: until all in it have); whether it has.

    A child of ours is not reaped by this.
    """
    loop = asyncio.get_running_loop()
    if not hasattr(os, "pidfd_open"):  # macOS
        deadline = loop.time() + timeout_s
        while (alive := _is_alive(pid)) and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        return not alive
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended = asyncio.Event()
    loop.add_reader(number, ended.set)
    try:
        async with asyncio.timeout(timeout_s):
            await ended.wait()
        return True
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(number)
        os.close(number)


def wait_until_gone(pid: int, timeout_s: float) -> bool:
    """The same as `until_gone`, blocking."""
    deadline = time.monotonic() + timeout_s
    while alive := _is_alive(pid):
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL_S / 10)
    return not alive


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _is_alive(pid: int) -> bool:
    """Whether it runs; not what has ended and was not reaped, since in some containers nobody reaps orphans."""
    if _has_proc():
        try:
            return not _stat(pid).is_dead
        except (OSError, ValueError):
            return False
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@functools.cache
def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


def _processes() -> Iterator[_Process]:
    if not _has_proc():
        yield from _processes_by_ps()
        return
    for name in os.listdir("/proc"):  # noqa: PTH208 (a third of the time)
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                yield _stat(int(name))


def _stat(pid: int) -> _Process:
    """From /proc/PID/stat, see proc(5). The name, in parentheses, may hold anything: what counts follows the last."""
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (half the time)
        fields = file.read().rpartition(b")")[2].split()
    return _Process(pid, int(fields[1]), int(fields[3]), fields[0] in b"ZX")


def _has(pid: int, wanted: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
            return wanted in file.read().split(b"\0")
    except OSError:
        return False


def _processes_by_ps() -> Iterator[_Process]:
    """For systems without /proc (macOS): `ps` knows no sessions there, but a session's first group has its number."""
    result = subprocess.run(["ps", "-axo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True)
    for line in result.stdout.splitlines():
        pid, parent, group, state = line.split()[:4]
        yield _Process(int(pid), int(parent), int(group), state.startswith("Z"))
