"""Commands that go on while the model does something else: a server, a watcher, a program that is talked to.

They end with the conversation, and with the program however it ends: their sandbox, or their supervisor, sees to that.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.command import Command
from tui.tools.errors import ToolError
from tui.tools.kept_outputs import WholeOutput
from tui.tools.output import EXCERPT_CHARACTERS, Excerpt, plain

MOST = 8
"""So many may run at once."""

ID: Json = {"type": "integer", "minimum": 1, "description": "The number that start_command gave."}
_GATHER_S = 0.1
_FIRST_WAIT_S, _MOST_DOUBLINGS = 5.0, 3
_LAST_LINES, _RECENT_CHARACTERS = 3, 2000
_ENDED_KEPT = 16
"""Of those that have ended: older ones are forgotten."""


class Job:
    """A command in the background, from its start until it is forgotten."""

    def __init__(self, number: int, command: Command, on_end: Callable[[Job], None]) -> None:
        self.number, self.command = number, command
        self.is_stopped = False
        """Whether it was ended on purpose."""
        self.has_told_its_end = False
        self._on_end = on_end
        self._began, self._empty_reads = time.monotonic(), 0
        self._unread, self._has_news, self._is_over = Excerpt(), asyncio.Event(), asyncio.Event()
        self._recent = ""
        self._whole = WholeOutput(command.context.desk.outputs, EXCERPT_CHARACTERS)
        self._task = asyncio.create_task(self._go_on(), name=f"background command {number}")

    @property
    def is_running(self) -> bool:
        return not self._is_over.is_set()

    @property
    def state(self) -> str:
        if self.is_running:
            return "running"
        return "stopped" if self.is_stopped else f"ended: exit code {self.command.exit_code}"

    @property
    def last_lines(self) -> list[str]:
        """The last lines of its output, whether the model has read them or not."""
        return [line for line in plain(self._recent).splitlines() if line.strip()][-_LAST_LINES:]

    @property
    def patience_s(self) -> float:
        """How long to wait for output: longer each time that none came, so that a long job is asked about seldom."""
        return _FIRST_WAIT_S * (1 << min(self._empty_reads, _MOST_DOUBLINGS))

    async def news(self, wait_s: float) -> Outcome:
        """What came since the last time, and its state; waits up to `wait_s` for something to come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._has_news.wait()
        self._empty_reads = 0 if self._has_news.is_set() else self._empty_reads + 1
        if self.is_running and self._has_news.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_S):
                    await self._is_over.wait()
        self._has_news.clear()
        unread, self._unread = self._unread, Excerpt()
        # With its time: otherwise results would be the same, which is taken for a model that repeats itself.
        state = f"running for {time.monotonic() - self._began:.1f} s" if self.is_running else self.state
        text = unread.text(self._whole.path).rstrip("\n")
        lines = [text or "[no new output]", f"[{state}]"]
        if not self.is_running:
            self._has_news.set()
            self.has_told_its_end = True
            lines[1:1] = [f"[{sentence}]" for sentence in self.command.undone]
        has_failed = not self.is_running and not self.is_stopped and bool(self.command.exit_code)
        detail = self.detail | {"lines": unread.lines if text else 0}
        return Outcome("\n".join(lines), is_error=has_failed, detail=detail)

    @property
    def detail(self) -> Json:
        return {
            "sandbox": self.command.sandbox_name,
            "background": {"id": self.number, "state": self.state},
            **({} if self.is_running else {"exit_code": self.command.exit_code}),
        }

    async def stop(self) -> None:
        """End it, and wait until nothing of it is left."""
        if self.is_running:
            self.is_stopped = True
            await self.command.stop()
            await self._is_over.wait()

    async def kill(self) -> None:
        self.is_stopped = True
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _go_on(self) -> None:
        try:
            async with contextlib.aclosing(self.command.pieces(math.inf)) as pieces:
                async for piece in pieces:
                    self._unread.add(piece)
                    self._recent = (self._recent + piece)[-_RECENT_CHARACTERS:]
                    self._has_news.set()
                    await asyncio.to_thread(self._whole.add, piece)
        finally:
            try:
                await self.command.finish()
            finally:
                self._is_over.set()
                self._has_news.set()
                self._on_end(self)


class BackgroundCommands:
    """Those of one conversation."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` is called with a sentence for the user when one ends by itself."""
        self._tell = tell
        self._jobs: dict[int, Job] = {}
        self._count = 0

    @property
    def jobs(self) -> list[Job]:
        return list(self._jobs.values())

    @property
    def running(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.is_running]

    async def start(self, command: str, context: ToolContext) -> Job:
        """Raises ToolError, OSError, ValueError when it cannot be started."""
        if len(self.running) >= MOST:
            raise ToolError(f"{MOST} background commands run already: stop one of them first ({self._listed()}).")
        if context.sandbox is not None and context.sandbox.name == "Landlock":
            # What it puts back at the end would take the user's own changes of hours with it.
            raise ToolError(
                "Background commands cannot run in the sandbox of this machine (Landlock): use run_command."
            )
        started = Command(command, context, takes_input=True)
        started.start()
        self._count += 1
        job = self._jobs[self._count] = Job(self._count, started, self._ended)
        await asyncio.sleep(0)  # its task has begun then, so that it ends what was started whatever happens
        for number in [job.number for job in self._jobs.values() if not job.is_running][:-_ENDED_KEPT]:
            del self._jobs[number]
        return job

    def get(self, number: int) -> Job:
        """Raises ToolError with those that there are."""
        if (job := self._jobs.get(number)) is None:
            raise ToolError(f"There is no background command {number}. There are: {self._listed() or 'none'}.")
        return job

    def ended_untold(self) -> list[str]:
        """Sentences for the model about those that have ended by themselves, each once."""
        ended = [job for job in self._jobs.values() if not (job.is_running or job.is_stopped or job.has_told_its_end)]
        for job in ended:
            job.has_told_its_end = True
        return [
            f"Background command {job.number} has {job.state}. read_command shows its last output." for job in ended
        ]

    async def close(self) -> None:
        """End all of them, now."""
        await asyncio.gather(*(job.kill() for job in self.running))

    def _ended(self, job: Job) -> None:
        if not job.is_stopped:
            self._tell(f"Background command {job.number} has {job.state} ({job.command.command}).")

    def _listed(self) -> str:
        return ", ".join(f"{job.number} {job.state}" for job in self._jobs.values())
