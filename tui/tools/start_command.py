"""The tool `start_command`: a command that goes on in the background."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError, explain

_FIRST_WAIT_S = 1.0
"""So long its first words, or its end, are waited for."""
_ALONE = (
    "[The network is off, so it has one of its own: no other command can connect to it, not at 127.0.0.1 either. To "
    "test a server, start and use it in one run_command.]"
)


class StartCommand:
    name = "start_command"
    description = (
        "Start a shell command that goes on in the background, such as a watcher or server; you get a number for it. "
        "It ends with the session at the latest. With the network off, no other command can reach a server in it."
    )
    parameters: Json = {
        "type": "object",
        "properties": {"command": {"type": "string", "minLength": 1, "description": "The command."}},
        "required": ["command"],
        "additionalProperties": False,
    }
    effect: Literal["run"] = "run"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return f"{arguments['command']}\n[in the background, until it ends or the session does]"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            job = await context.desk.commands.start(arguments["command"], context)
        except (ToolError, OSError, ValueError) as error:
            yield Outcome(f"The command could not be started: {explain(error)}", is_error=True)
            return
        first = await job.news(_FIRST_WAIT_S)
        if not job.is_running and job.command.never_ran:
            yield replace(first, content=f"The sandbox could not be set up, so nothing was run: {first.content}")
            return
        alone = f"\n{_ALONE}" if job.is_running and job.command.has_own_network else ""
        yield replace(first, content=f"Started as background command {job.number}.\n{first.content}{alone}")
