"""What the tools of one session share, and remember between calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from tui.core.messages import Json
from tui.tools.kept_outputs import KeptOutputs, forget_outputs
from tui.tools.seen import SeenFiles

TaskState = Literal["pending", "active", "done"]
_MARKS: dict[TaskState, str] = {"pending": "[ ]", "active": "[>]", "done": "[x]"}
UNSAVED = "unsaved-"
"""How the id of a session begins that is not stored."""


class Task(NamedTuple):
    """A point of the plan."""

    text: str
    state: TaskState = "pending"


class Desk:
    """One for each conversation (a subagent has one of its own). `close` it when the conversation ends."""

    def __init__(self, session_id: Callable[[], str] = lambda: "") -> None:
        """`session_id` tells the session's id: empty until it has one, and without one no output is kept."""
        self.seen = SeenFiles()
        self.outputs = KeptOutputs(session_id)
        self.plan: tuple[Task, ...] = ()
        """The last plan, by the tool `todo` or by the user."""
        self._session_id = session_id

    def todo_text(self) -> str:
        """The plan for the model, a point a line; empty when there is none, or nothing in it is left to do."""
        if all(task.state == "done" for task in self.plan):
            return ""
        return "\n".join(f"{_MARKS[task.state]} {task.text}" for task in self.plan)

    def recall(self, details: Sequence[Json]) -> None:
        """Take up the plan where a stored session left it: `details` are those of its `ToolFinished`, in order."""
        for detail in reversed(details):
            if isinstance(plan := detail.get("todo"), list):
                self.plan = tuple(Task(task["text"], task["state"]) for task in plan)
                return

    async def close(self) -> None:
        """End all that it started. What was kept for a session that is not stored is removed."""
        if (session_id := self._session_id()).startswith(UNSAVED):
            await asyncio.to_thread(forget_outputs, session_id)
