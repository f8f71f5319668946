"""The tool `write_command`: input for a command in the background."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.background import ID, Job
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError

_WAIT_S = 1.0
"""So long its answer is waited for."""


class WriteCommand:
    name = "write_command"
    description = "Write text to the standard input of a background command. End a line with a line break."
    parameters: Json = {
        "type": "object",
        "properties": {
            "id": ID,
            "text": {"type": "string", "minLength": 1, "maxLength": 16384, "description": "The text."},
        },
        "required": ["id", "text"],
        "additionalProperties": False,
    }
    effect: Literal["run"] = "run"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        try:
            command = context.desk.commands.get(int(arguments["id"])).command.command
        except ToolError as error:
            return str(error)
        return f"{arguments['text']}\n[to background command {arguments['id']}: {command}]"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            job = context.desk.commands.get(int(arguments["id"]))
            _write(job, arguments["text"], context)
        except (ToolError, OSError) as error:
            yield Outcome(
                str(error) if isinstance(error, ToolError) else "It takes no more input; read_command tells its state.",
                is_error=True,
            )
            return
        yield await job.news(_WAIT_S)


def _write(job: Job, text: str, context: ToolContext) -> None:
    """Raises ToolError, OSError."""
    if not job.is_running:
        raise ToolError(f"Background command {job.number} has {job.state}.")
    if job.command.context.sandbox is None and context.sandbox is not None:
        # It was allowed to run outside by itself, not what it would now be told to do.
        raise ToolError(f"Background command {job.number} runs outside of the sandbox, so it gets no input now.")
    data = text.encode(errors="replace")
    if (taken := job.command.write(data)) < len(data):
        raise ToolError(f"It read only {taken} of {len(data)} bytes: it does not read its input at the moment.")
