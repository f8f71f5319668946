"""The tool `todo`: the plan of what is to be done, which the user sees and the model is reminded of."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.desk import Task


class Todo:
    name = "todo"
    description = (
        "Keep the plan of a task with several steps: give all points each time, and mark each as soon as it is done."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "maxItems": 50,
                "items": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string", "minLength": 1, "maxLength": 300},
                        "state": {"type": "string", "enum": ["pending", "active", "done"]},
                    },
                    "required": ["text", "state"],
                    "additionalProperties": False,
                },
                "description": "All points of the plan, in order.",
            }
        },
        "required": ["items"],
        "additionalProperties": False,
    }
    effect: Literal["talk"] = "talk"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return "keep the plan"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        tasks = [Task(item["text"], item["state"]) for item in arguments["items"]]
        context.desk.plan = tuple(tasks)
        done = sum(task.state == "done" for task in tasks)
        content = f"The plan is kept: {done} of {len(tasks)} done." if tasks else "The plan is empty now."
        yield Outcome(content, detail={"todo": [task._asdict() for task in tasks]})
