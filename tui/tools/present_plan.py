"""The tool `present_plan`: what the model would do, shown to the user while nothing may be changed yet."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext


class PresentPlan:
    """Under the policy `plan` a call is a question to the user (see `agent.plan`); under others it does nothing."""

    name = "present_plan"
    description = "Under the policy `plan`: show the user your plan, once you know enough, and wait for their word."
    parameters: Json = {
        "type": "object",
        "properties": {
            "steps": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": {"type": "string", "minLength": 1, "maxLength": 300},
                "description": "What is to be done, in order, a sentence each.",
            },
            "summary": {"type": "string", "maxLength": 2000, "description": "What comes of it, and what it rests on."},
        },
        "required": ["steps"],
        "additionalProperties": False,
    }
    effect: Literal["talk"] = "talk"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        """The plan as a checklist, for people."""
        summary = str(arguments.get("summary", "")).strip()
        steps = "\n".join(f"[ ] {step}" for step in arguments["steps"])
        return f"{summary}\n\n{steps}" if summary else steps

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        words = "Nobody waits for a plan here. Keep it with todo if it is of use, and do the work."
        yield Outcome(words, is_error=True)
