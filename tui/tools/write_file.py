"""The tool `write_file`: a whole text file, new or instead of the one that is there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext, outcome_of
from tui.tools.changes import Change, carry_out, preview_of
from tui.tools.errors import ToolError
from tui.tools.opening import open_regular
from tui.tools.paths import located, shown
from tui.tools.text_file import EDIT_LIMIT_BYTES, decode, regular_file


class WriteFile:
    name = "write_file"
    description = (
        "Write a whole text file: make a new one, its folders included, or replace all of one that is there. "
        "To change a part of a file, use edit_file."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The file."},
            "content": {"type": "string", "description": "All that the file is to hold."},
        },
        "required": ["path", "content"],
        "additionalProperties": False,
    }
    effect: Literal["edit"] = "edit"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return (arguments["path"],)

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return preview_of(_plan, arguments, context)

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        yield await outcome_of(lambda: carry_out(_plan, arguments, context))


def _plan(arguments: Json, context: ToolContext) -> Change:
    """The change that a call asks for. Raises ToolError, OSError."""
    path = located(context.folder, arguments["path"], for_change=True, places=context.places)
    content, name = arguments["content"], shown(path, context.folder)
    try:
        data = content.encode()
    except UnicodeEncodeError:
        raise ToolError("`content` has half of a character (an unpaired surrogate) in it.") from None
    lines = len(content.splitlines())
    size = f"{lines} line{'' if lines == 1 else 's'}, {len(data)} bytes"
    if not path.exists():
        return Change(path, None, content, data, f"Wrote the new file {name} ({size}).")
    state = regular_file(path, context.folder)
    before = "(large file)\n"
    if state.st_size <= EDIT_LIMIT_BYTES:
        with open_regular(path) as file:
            old = file.read()
        before = "(binary file)\n" if b"\0" in old else decode(old).text
    return Change(path, before, content, data, f"Replaced all of {name} ({size}).")
