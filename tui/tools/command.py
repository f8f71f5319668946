"""One run of a shell command, from its start to the end of all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

from tui.core.messages import Json
from tui.tools.base import ToolContext
from tui.tools.environment import tool_environment, trusted_which
from tui.tools.errors import ToolError
from tui.tools.limits import PROCESSES, processes_of_user, shell_limits
from tui.tools.output import Output
from tui.tools.processes import MARK, end, kill, new_mark, until_gone, wait_until_gone
from tui.tools.repositories import RepositoryWatch
from tui.tools.supervised import Enclosure, Supervised, can_supervise

TIMEOUT_GRACE_S = 2.0
"""How long a command that took too long may take to end by itself."""

CANCEL_GRACE_S = 0.03
"""The same when the user stops it: `esc` has to work within 100 ms."""

_GATHER_S = 0.03
"""Pieces that come closer together than this are given as one."""

_DRAIN_S = 0.5
_LAST_WAIT_S = 10
_BLOCKING_WAIT_S = 1
_STATUS_LIMIT_BYTES = 65536


class Command:
    """A command that `start` starts; then `pieces` gives its output, and `finish` must follow in any case."""

    def __init__(self, command: str, context: ToolContext, *, takes_input: bool = False) -> None:
        self.command, self.context, self._takes_input = command, context, takes_input
        self.timed_out_after_s: float | None = None
        self.undone: tuple[str, ...] = ()
        """Sentences about what it made or changed although nothing but the user may."""
        self.is_undone = False
        """Whether the sandbox itself took some of that back."""
        self._mark = new_mark()
        self._enclosure: Enclosure | None = None
        self._watch: RepositoryWatch | None = None
        self._status_fd = -1
        self._status: Json = {}

    def excerpt(self, whole: Path | None) -> str:
        """The beginning and the end of the output; it says that all of it is in the file `whole`."""
        return self._output.excerpt.text(whole)

    @property
    def lines(self) -> int:
        """How many it has put out so far."""
        return self._output.excerpt.lines

    @property
    def exit_code(self) -> int | None:
        """As the shell says it: 128 and the signal's number if one ended it. None while it runs."""
        code = self._process.returncode
        return code if code is None or code >= 0 else 128 - code

    @property
    def sandbox_name(self) -> str | None:
        return self.context.sandbox.name if self.context.sandbox else None

    @property
    def has_own_network(self) -> bool:
        """Whether even the loopback is its own, so that no other command can be reached, nor reach it."""
        return self.sandbox_name == "bubblewrap" and not self.context.network

    @property
    def never_ran(self) -> bool:
        """The sandbox itself failed: bubblewrap ends with 1 then, and tells no exit code of the command."""
        if self._enclosure is None or not self._enclosure.tells_exit_code:
            return False
        return self.exit_code == 1 and "exit-code" not in self._status

    def start(self) -> None:
        """Start it; a few milliseconds. Not in a thread: bubblewrap would end with the thread that it was started from.

        Raises ToolError, OSError, ValueError; then there is nothing to finish.
        """
        shell = trusted_which("bash") or trusted_which("sh")
        if shell is None:
            raise ToolError("there is no shell (bash or sh) on this machine.")
        if "\0" in self.command:
            raise ValueError("A command cannot have a NUL character in it.")
        if self.context.sandbox:
            self._watch = RepositoryWatch(Path(os.path.realpath(self.context.folder)))
        with contextlib.ExitStack() as only_here, contextlib.ExitStack() as on_failure:
            output_fd, write_fd = _pipe(on_failure, only_here)
            self._status_fd, status_fd = _pipe(on_failure, only_here)
            self._enclosure = self._enclosed(self._limited(shell), status_fd)
            if self._enclosure:
                on_failure.callback(self._enclosure.close)
            self._process = subprocess.Popen(
                self._enclosure.argv if self._enclosure else self._limited(shell),
                cwd=self.context.folder,
                env=self._environment(),
                stdin=subprocess.PIPE if self._takes_input else subprocess.DEVNULL,
                stdout=write_fd,
                stderr=write_fd,
                pass_fds=(status_fd, *self._enclosure.descriptors) if self._enclosure else (),
                start_new_session=True,
                bufsize=0,
            )
            on_failure.pop_all()
        self._output = Output(output_fd, is_endless=self._takes_input)

    def _environment(self) -> dict[str, str]:
        environment = tool_environment() | {MARK: self._mark}
        if self._takes_input:  # whoever reads along would wait for a full block otherwise
            environment["PYTHONUNBUFFERED"] = "1"
        return environment | (self._enclosure.environment if self._enclosure else {})

    def write(self, data: bytes) -> int:
        """Give it input; how much of it was taken, 0 while it reads none. Raises OSError when it takes no more."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise BrokenPipeError
        os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            return os.write(pipe.fileno(), data)
        return 0

    async def stop(self) -> None:
        """Ask all of it to end, and end it after a grace; `pieces` goes on to its end then."""
        if self._process.returncode is None:
            await self._end(TIMEOUT_GRACE_S)

    def _limited(self, shell: str) -> list[str]:
        """The shell that runs the command, by way of one that sets limits."""
        sandbox = self.context.sandbox
        has_own_count = sandbox is not None and not sandbox.gaps
        processes = PROCESSES if has_own_count or not can_supervise() else PROCESSES + processes_of_user()
        limits = shell_limits(self.context.folder, processes)
        return [shell, "-c", f'{limits}; exec "$0" -c "$1"', shell, self.command]

    def _enclosed(self, argv: list[str], status_fd: int) -> Enclosure | None:
        if self.context.sandbox:
            return self.context.sandbox.enclose(argv, self.context.folder, self.context.network, status_fd)
        return Supervised(argv, status_fd) if can_supervise() else None

    async def pieces(self, timeout_s: float) -> AsyncGenerator[str, None]:
        """The output as it comes, until all has ended."""
        self._ending = asyncio.create_task(self._until_end(timeout_s))
        while not self._output.is_at_end.is_set():
            await self._output.has_news.wait()
            for piece in self._output.take():
                yield piece
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_S):
                    await self._output.is_at_end.wait()
        await self._ending
        for piece in self._output.take():
            yield piece

    async def finish(self) -> None:
        """End what still runs and take the sandbox down, even when this is cancelled too."""
        watching: asyncio.Future[tuple[str, ...]] | None = None
        try:
            self._ending.cancel()
            await asyncio.wait({self._ending})
            if self._process.returncode is None:
                await self._end(CANCEL_GRACE_S)
            if self._enclosure:
                await until_gone(self._first_pid, _LAST_WAIT_S)
        finally:
            self._finish_now()
            if self._watch:
                watching = asyncio.get_running_loop().run_in_executor(None, self._watch.set_aside)
        if watching is not None:
            self.undone += await asyncio.shield(watching)

    async def _until_end(self, timeout_s: float) -> None:
        try:
            if not await until_gone(self._process.pid, timeout_s):
                self.timed_out_after_s = timeout_s
                await self._end(TIMEOUT_GRACE_S)
            elif self._enclosure is None:  # what it left in the background; in the sandbox nothing outlives it
                await asyncio.to_thread(kill, self._process.pid, self._mark)
            self._process.poll()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_S):
                    await self._output.is_at_end.wait()
        finally:
            self._output.close()

    def _finish_now(self) -> None:
        """The rest of `finish`. Waits only where that was cancelled: nothing can be put off when the loop ends."""
        if self._process.returncode is None:
            kill(self._process.pid, self._mark, self._is_supervised)
            wait_until_gone(self._process.pid, _BLOCKING_WAIT_S)
            self._process.poll()
        if self._process.stdin:
            self._process.stdin.close()
        is_over = self._enclosure is None or wait_until_gone(self._first_pid, _BLOCKING_WAIT_S)
        self._output.close()
        if self._status_fd >= 0:
            os.close(self._status_fd)
        if self._enclosure and is_over:  # what still runs (on a disk that hangs) would be unlocked
            self.undone = self._enclosure.close()
            self.is_undone = bool(self.undone)

    async def _end(self, grace_s: float) -> None:
        root = self._process.pid
        spared = {root, self._first_pid} if self._enclosure else ()
        await end(root, self._mark, grace_s=grace_s, spared=spared, is_supervisor=self._is_supervised)
        await until_gone(root, _LAST_WAIT_S)
        self._process.poll()

    @property
    def _is_supervised(self) -> bool:
        return self._enclosure is not None and self._enclosure.is_told_to_end

    @property
    def _first_pid(self) -> int:
        """The process that the sandbox ends with."""
        self._read_status()
        pid = self._status.get("child-pid", self._process.pid)
        return pid if isinstance(pid, int) else self._process.pid

    def _read_status(self) -> None:
        """What bubblewrap has said so far: one JSON object a line."""
        if self._status_fd < 0:
            return
        with contextlib.suppress(BlockingIOError):
            for line in os.read(self._status_fd, _STATUS_LIMIT_BYTES).splitlines():
                with contextlib.suppress(ValueError):
                    self._status |= json.loads(line)


def _pipe(on_failure: contextlib.ExitStack, only_here: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe: its reading end, not waited on, is closed on failure, its writing end once the child has it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    on_failure.callback(os.close, reading)
    only_here.callback(os.close, writing)
    return reading, writing
