"""A part of the work is given to a subagent, which has a conversation, tools and perhaps a model of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from tui.core.events import Nested
from tui.core.messages import Json
from tui.settings.agent_files import AgentDefinition
from tui.tools.base import Effect, Outcome, ToolContext

NAME = "delegate"
EXPLORE, WORKER = "explore", "worker"
_DESCRIPTION = (
    "Give a part of the work to a subagent, which knows nothing but the task you write: say all that it needs, and "
    "what to answer. You get its answer alone, so long searches do not fill what you can read. Calls side by side run "
    "at once. The agents:"
)


class Runner(Protocol):
    """Runs subagents."""

    def run(self, agent: str, task: str) -> AsyncGenerator[Nested | Outcome, None]:
        """What the subagent does, then one Outcome. Raises nothing; cancelling it ends the subagent."""
        ...


class Delegate:
    """Reads, by itself: what the subagent calls is judged like any other call."""

    name = NAME
    effect: Effect = "read"

    def __init__(self, definitions: Sequence[AgentDefinition], runner: Runner) -> None:
        self._runner = runner
        listed = [f"- {definition.name}: {definition.description}" for definition in definitions]
        self.description = "\n".join([_DESCRIPTION, *listed])
        names = [definition.name for definition in definitions]
        self.parameters: Json = {
            "type": "object",
            "properties": {
                "task": {
                    "type": "string",
                    "minLength": 1,
                    "pattern": r"\S",
                    "description": "What to do, with all that must be known for it",
                },
                "agent": {"type": "string", "enum": names, "description": f"Default: {EXPLORE}"},
            },
            "required": ["task"],
            "additionalProperties": False,
        }

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return str(arguments["task"])

    def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[Nested | Outcome, None]:
        return self._runner.run(arguments.get("agent", EXPLORE), arguments["task"])
