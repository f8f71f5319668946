"""The tool `write_file`: a whole text file, new or instead of the one that is there."""

from __future__ import annotations

from pathlib import Path

from tui.core.messages import Json
from tui.tools.base import ToolContext
from tui.tools.changes import Change, ChangingTool, Plan, refuse_stale
from tui.tools.errors import ToolError
from tui.tools.opening import open_regular
from tui.tools.paths import located, refuse_in_a_file, shown
from tui.tools.text_file import EDIT_LIMIT_BYTES, bom_of, decode, encode, regular_file


class WriteFile(ChangingTool):
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

    def plan(self, arguments: Json, context: ToolContext) -> Plan:
        path = located(context.folder, arguments["path"], for_change=True, places=context.places)
        content, name = arguments["content"], shown(path, context.folder)
        try:
            data = content.encode()
        except UnicodeEncodeError:
            raise ToolError("`content` has half of a character (an unpaired surrogate) in it.") from None
        refuse_in_a_file(path, context.folder)
        if path.is_dir():
            raise ToolError(f"{name} is a folder: give the path of a file in it.")
        if not path.exists():
            return Plan((Change(path, None, content, data),), f"Wrote the new file {name} ({_size(content, data)}).")
        state = regular_file(path, context.folder)
        refuse_stale(path, context)
        before, data, remark = _instead_of(path, state.st_size, content, data)
        return Plan((Change(path, before, content, data),), f"Replaced all of {name} ({_size(content, data)}{remark}).")


def _size(content: str, data: bytes) -> str:
    lines = len(content.splitlines())
    return f"{lines} line{'' if lines == 1 else 's'}, {len(data)} byte{'' if len(data) == 1 else 's'}"


def _instead_of(path: Path, size_bytes: int, content: str, data: bytes) -> tuple[str, bytes, str]:
    """The text that is replaced, the bytes of `content` in its encoding where that has them, and a remark."""
    if size_bytes > EDIT_LIMIT_BYTES:
        return "(large file)\n", data, ""
    with open_regular(path) as file:
        old = file.read()
    if b"\0" in old and not bom_of(old)[0]:
        return "(binary file)\n", data, ""
    like = decode(old)
    if like.encoding == "utf-8":
        return like.text, data, ""
    try:
        return like.text, encode(content, like), f", encoded as {like.encoding} like before"
    except ToolError:
        return like.text, data, f", encoded as UTF-8: it was {like.encoding}, which lacks characters of it"
