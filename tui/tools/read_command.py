"""The tool `read_command`: what a command in the background has said since it was last read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.background import ID
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError


class ReadCommand:
    name = "read_command"
    description = (
        "Get the new output of a background command, and whether it still runs. Waits some seconds for output."
    )
    parameters: Json = {
        "type": "object",
        "properties": {"id": ID},
        "required": ["id"],
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return f"read background command {arguments['id']}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            job = context.desk.commands.get(int(arguments["id"]))
        except ToolError as error:
            yield Outcome(str(error), is_error=True)
            return
        yield await job.news(job.patience_s)
