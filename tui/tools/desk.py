"""What the tools of one session share, and remember between calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from tui.core.messages import Json
from tui.tools.kept_outputs import KeptOutputs, forget_outputs
from tui.tools.seen import SeenFiles

if TYPE_CHECKING:
    from tui.tools.background import BackgroundCommands, Job

TaskState = Literal["pending", "active", "done"]
_MARKS: dict[TaskState, str] = {"pending": "[ ]", "active": "[>]", "done": "[x]"}
UNSAVED = "unsaved-"
"""How the id of a session begins that is not stored."""


ALL_ENDED = "The background commands of before have ended with the program."


class Task(NamedTuple):
    """A point of the plan."""

    text: str
    state: TaskState = "pending"


class Desk:
    """One for each conversation (a subagent has one of its own). `close` it when the conversation ends."""

    def __init__(
        self, session_id: Callable[[], str] = lambda: "", tell: Callable[[str], None] = lambda words: None
    ) -> None:
        """`session_id` tells the session's id: empty until it has one, and without one no output is kept.

        `tell` is called with what the user should know at once.
        """
        self.seen = SeenFiles()
        self.outputs = KeptOutputs(session_id)
        self.plan: tuple[Task, ...] = ()
        """The last plan, by the tool `todo` or by the user."""
        self._session_id, self._tell = session_id, tell
        self._commands: BackgroundCommands | None = None
        self._news: list[str] = []

    @property
    def commands(self) -> BackgroundCommands:
        """Those that run in the background."""
        if self._commands is None:
            from tui.tools.background import BackgroundCommands  # not for the start of the program

            self._commands = BackgroundCommands(self._tell)
        return self._commands

    @property
    def background(self) -> Sequence[Job]:
        """The commands in the background that are not forgotten yet, also those that have ended."""
        return self._commands.jobs if self._commands else ()

    @property
    def works_behind(self) -> bool:
        """Whether commands run in the background."""
        return bool(self._commands and self._commands.running)

    def take_news(self) -> str:
        """What has happened behind the model's back, for it to know, once; mostly nothing."""
        news, self._news = self._news, []
        return "\n".join([*news, *(self._commands.ended_untold() if self._commands else ())])

    def todo_text(self) -> str:
        """The plan for the model, a point a line; empty when there is none, or nothing in it is left to do."""
        if all(task.state == "done" for task in self.plan):
            return ""
        return "\n".join(f"{_MARKS[task.state]} {task.text}" for task in self.plan)

    def recall(self, details: Sequence[Json]) -> None:
        """Take up what a stored session left: its plan, and that no command of it runs any more.

        `details` are those of its `ToolFinished`, in order.
        """
        told = [detail["background"] for detail in details if isinstance(detail.get("background"), dict)]
        states = {job.get("id"): job.get("state") for job in told}  # the last of each
        self._news = [ALL_ENDED] if "running" in states.values() else []
        for detail in reversed(details):
            if isinstance(plan := detail.get("todo"), list):
                self.plan = tuple(Task(task["text"], task["state"]) for task in plan)
                return

    async def close(self) -> None:
        """End all that it started. What was kept for a session that is not stored is removed."""
        if self._commands is not None:
            await self._commands.close()
        if (session_id := self._session_id()).startswith(UNSAVED):
            await asyncio.to_thread(forget_outputs, session_id)
