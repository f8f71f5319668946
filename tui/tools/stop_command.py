"""The tool `stop_command`: end a command in the background."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.background import ID
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError


class StopCommand:
    name = "stop_command"
    description = "End a background command and get its last output."
    parameters: Json = {
        "type": "object",
        "properties": {"id": ID},
        "required": ["id"],
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"
    """It only takes back what start_command did."""

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return f"stop background command {arguments['id']}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            job = context.desk.commands.get(int(arguments["id"]))
        except ToolError as error:
            yield Outcome(str(error), is_error=True)
            return
        await job.stop()
        yield await job.news(0)
