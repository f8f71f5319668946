"""The tool `edit_file`: replace an exact piece of a text file."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext, outcome_of
from tui.tools.changes import Change, carry_out, preview_of
from tui.tools.errors import ToolError
from tui.tools.mismatch import why_not_found
from tui.tools.paths import located, shown
from tui.tools.text_file import encode, load


class EditFile:
    name = "edit_file"
    description = (
        "Change a text file: replace the text `old` by `new`. `old` must be copied exactly from the file, without line "
        "numbers, and occur only once, unless `all` is true."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The file."},
            "old": {"type": "string", "description": "The text to replace, exactly as it is in the file."},
            "new": {"type": "string", "description": "The text to put there."},
            "all": {"type": "boolean", "description": "Replace every occurrence. Default: false."},
        },
        "required": ["path", "old", "new"],
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
    file, name = load(path, context.folder), shown(path, context.folder)
    old, new = (arguments[key].replace("\r\n", "\n") for key in ("old", "new"))
    if not old:
        raise ToolError("`old` is empty: give the text to replace, or use write_file to write the whole file.")
    if old == new:
        raise ToolError("`old` and `new` are the same: nothing would change.")
    spans = _spans(file.text, old)
    if not spans:
        raise ToolError(f"`old` is not in {name}. {why_not_found(old, file.text)}")
    numbers = _line_numbers(file.text, spans)
    if len(spans) > 1 and not arguments.get("all", False):
        raise ToolError(
            f"`old` is in {name} {len(spans)} times, {numbers}. Give more of the text around the one that is meant, "
            "or set `all` to true to replace every one."
        )
    after = _replaced(file.text, spans, new)
    times = "1 occurrence" if len(spans) == 1 else f"{len(spans)} occurrences"
    return Change(path, file.text, after, encode(after, file), f"Replaced {times} in {name}, {numbers}.")


def _spans(text: str, old: str) -> list[tuple[int, int]]:
    """Where `old` is in `text`; a line end in it stands for either kind, since models write only `\\n`."""
    if "\r\n" not in text:
        return [match.span() for match in re.finditer(re.escape(old), text)]
    return [match.span() for match in re.finditer(re.escape(old).replace("\\\n", "\r?\n"), text)]


def _replaced(text: str, spans: list[tuple[int, int]], new: str) -> str:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], new.replace("\n", "\r\n") if _has_crlf(text, start, end) else new]
        at = end
    return "".join([*pieces, text[at:]])


def _has_crlf(text: str, start: int, end: int) -> bool:
    """Whether lines end with CRLF there: in the replaced text itself, else in the line that it is part of."""
    at = text.find("\n", start, end)
    if at < 0:
        at = text.find("\n", end)
    if at < 0:
        at = text.rfind("\n", 0, start)
    return at > 0 and text[at - 1] == "\r"


def _line_numbers(text: str, spans: list[tuple[int, int]]) -> str:
    numbers, line, at = [], 1, 0
    for start, _ in spans:
        line, at = line + text.count("\n", at, start), start
        numbers.append(line)
    listed = ", ".join(map(str, numbers[:20])) + (", …" if len(numbers) > 20 else "")
    return f"line {listed}" if len(numbers) == 1 else f"lines {listed}"
