"""The tool `edit_file`: replace a piece of a text file, found exactly or else but for white space."""

from __future__ import annotations

import re

from tui.core.messages import Json
from tui.tools.base import ToolContext
from tui.tools.changes import Change, ChangingTool, Plan, refuse_stale
from tui.tools.errors import ToolError
from tui.tools.loose import UNREAD, Match, loose_matches
from tui.tools.mismatch import why_not_found
from tui.tools.paths import located, shown
from tui.tools.text_file import encode, load

_Span = tuple[int, int]


class EditFile(ChangingTool):
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

    def plan(self, arguments: Json, context: ToolContext) -> Plan:
        path = located(context.folder, arguments["path"], for_change=True, places=context.places)
        file, name = load(path, context.folder), shown(path, context.folder)
        refuse_stale(path, context)
        old, new = (arguments[key].replace("\r\n", "\n") for key in ("old", "new"))
        if not old:
            raise ToolError("`old` is empty: give the text to replace, or use write_file to write the whole file.")
        if old == new:
            raise ToolError("`old` and `new` are the same: nothing would change.")
        spans, remark = _spans(file.text, old), ""
        if not spans and context.desk.seen.knows(path):
            spans, new, remark = _found_loosely(file.text, old, new, name)
        elif not spans and loose_matches(old.removesuffix("\n").split("\n"), file.text.split("\n")):
            remark = UNREAD
        if not spans:
            raise ToolError(f"`old` is not in {name}. {why_not_found(old, file.text)}{remark}")
        numbers = _line_numbers(file.text, spans)
        if len(spans) > 1 and not arguments.get("all", False):
            raise ToolError(
                f"`old` is in {name} {len(spans)} times, {numbers}. Give more of the text around the one that is "
                "meant, or set `all` to true to replace every one."
            )
        after = _replaced(file.text, spans, new)
        times = "1 occurrence" if len(spans) == 1 else f"{len(spans)} occurrences"
        change = Change(path, file.text, after, encode(after, file))
        return Plan((change,), f"Replaced {times} in {name}, {numbers}.{remark}")


def _found_loosely(text: str, old: str, new: str, name: str) -> tuple[list[_Span], str, str]:
    """Where whole lines are those of `old` but for white space, what goes there, and what to say of it.

    No span when there is no such place. Raises ToolError when there are several: then nothing tells which is meant.
    """
    ends_line = old.endswith("\n")
    wanted = old.removesuffix("\n").split("\n")
    lines = text.split("\n")
    matches = loose_matches(wanted, lines)
    if not matches:
        return [], new, ""
    if len(matches) > 1:
        numbers = ", ".join(str(match.at + 1) for match in matches[:20])
        raise ToolError(
            f"`old` is not in {name} exactly; but for white space it is there {len(matches)} times, at lines "
            f"{numbers}. Copy it exactly, with more of the text around the one that is meant."
        )
    match = matches[0]
    keeps_end = ends_line and new.endswith("\n")
    is_gone = not new and ends_line
    after = [] if is_gone else match.changed_to((new.removesuffix("\n") if keeps_end else new).split("\n"))
    return [_span_of(match, lines, ends_line)], "\n".join(after) + "\n" * keeps_end, f" [{match.words}]"


def _span_of(match: Match, lines: list[str], with_end: bool) -> _Span:
    start = sum(len(line) + 1 for line in lines[: match.at])
    stop = match.at + len(match.found)
    end = start + sum(len(line) + 1 for line in lines[match.at : stop]) - 1
    if with_end and stop < len(lines):
        return start, end + 1
    return start, end - (lines[stop - 1].endswith("\r") and stop < len(lines))


def _spans(text: str, old: str) -> list[_Span]:
    """Where `old` is in `text`; a line end in it stands for either kind, since models write only `\\n`."""
    if "\r\n" not in text:
        return [match.span() for match in re.finditer(re.escape(old), text)]
    return [match.span() for match in re.finditer(re.escape(old).replace("\\\n", "\r?\n"), text)]


def _replaced(text: str, spans: list[_Span], new: str) -> str:
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


def _line_numbers(text: str, spans: list[_Span]) -> str:
    numbers, line, at = [], 1, 0
    for start, _ in spans:
        line, at = line + text.count("\n", at, start), start
        numbers.append(line)
    listed = ", ".join(map(str, numbers[:20])) + (", …" if len(numbers) > 20 else "")
    return f"line {listed}" if len(numbers) == 1 else f"lines {listed}"
