"""A tool of a server, as the loop knows tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError
from tui.tools.mcp.offer import ToolInfo
from tui.tools.mcp.results import outcome_of
from tui.tools.mcp.server import McpServer

_CANCEL_S = 0.05
"""How long a stop waits until the server has been told of it: `esc` has to work within 100 ms."""


class McpTool:
    """It runs in the server, with the rights that this has, so `foreign`: what the server says of it is not trusted."""

    effect: Literal["foreign"] = "foreign"

    def __init__(self, server: McpServer, info: ToolInfo) -> None:
        self.name = info.shown
        self.description = info.description or f"{info.name} of {server.name}"
        self.parameters = info.parameters
        self._server, self._info = server, info

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        said = json.dumps(arguments, indent=2, ensure_ascii=False)
        return f"{self._info.name} of the server {self._server.name}, with\n{said}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        news: asyncio.Queue[str | None] = asyncio.Queue()
        call = asyncio.create_task(self._server.call(self._info.name, arguments, news.put_nowait))
        call.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (piece := await news.get()) is not None:
                yield piece
            try:
                result = call.result()
            except ToolError as error:
                yield Outcome(str(error), is_error=True)
            else:
                yield await asyncio.to_thread(outcome_of, result, self._server.name, context.sees_images)
        finally:
            if not call.done():
                call.cancel()
                await asyncio.wait([call], timeout=_CANCEL_S)
