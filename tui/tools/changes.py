"""A change of one text file before it is made: its diff, and how it is put in place whole or not at all."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError, explain
from tui.tools.opening import put_in_place
from tui.tools.paths import shown

CONTEXT_LINES = 3
_MATCHER_LIMIT_LINES = 4000
"""More changed lines than this are shown as all gone and all new: finding what is alike takes time by the square."""


class Change(NamedTuple):
    """What a file will hold. `before` is None when there is no file yet; `summary` says for the model what was done."""

    path: Path
    before: str | None
    after: str
    data: bytes
    summary: str

    def diff(self, folder: Path) -> str:
        name = shown(self.path, folder)
        return unified_diff(name, self.before, self.after) or f"{name}: nothing changes\n"

    def apply(self) -> None:
        """Put the new content in place. Raises ToolError, OSError; the file is as it was then."""
        put_in_place(self.path, self.data)


def preview_of(plan: Callable[[Json, ToolContext], Change], arguments: Json, context: ToolContext) -> str:
    """The diff of what `plan` makes of a call, or the sentence that says why it makes nothing."""
    try:
        return plan(arguments, context).diff(context.folder)
    except (ToolError, OSError, ValueError) as error:
        return explain(error)


def carry_out(plan: Callable[[Json, ToolContext], Change], arguments: Json, context: ToolContext) -> Outcome:
    """Plan a change and make it. Raises ToolError, OSError."""
    change = plan(arguments, context)
    diff = change.diff(context.folder)
    change.apply()
    return Outcome(change.summary, detail={"diff": diff})


def unified_diff(name: str, before: str | None, after: str) -> str:
    """What `diff -u` would print, line ends shown only where they are what differs; empty when nothing does."""
    if before is not None and "\r\n" in before and "\r\n" in after:
        before, after = before.replace("\r\n", "\n"), after.replace("\r\n", "\n")
    old, new = _lines(before or ""), _lines(after)
    if old == new and before is not None:
        return ""
    lines = [f"--- {'/dev/null' if before is None else f'a/{name}'}\n", f"+++ b/{name}\n"]
    for group in _groups(old, new):
        lines += _hunk(group, old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines with their ends; unlike `splitlines`, which also breaks at form feeds and the like."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


_Opcode = tuple[str, int, int, int, int]


def _groups(old: list[str], new: list[str]) -> Iterator[list[_Opcode]]:
    """Runs of opcodes with context. What is the same at both ends is cut off first: that is nearly all of an edit."""
    limit = min(len(old), len(new))
    head = next((i for i in range(limit) if old[i] != new[i]), limit)
    tail = next((i for i in range(limit - head) if old[-1 - i] != new[-1 - i]), limit - head)
    start = max(0, head - CONTEXT_LINES)
    keep = max(0, tail - CONTEXT_LINES)
    a, b = old[start : len(old) - keep], new[start : len(new) - keep]
    if len(a) + len(b) > _MATCHER_LIMIT_LINES:
        yield [("replace", start, start + len(a), start, start + len(b))]
        return
    for group in difflib.SequenceMatcher(None, a, b, autojunk=False).get_grouped_opcodes(CONTEXT_LINES):
        yield [(tag, i1 + start, i2 + start, j1 + start, j2 + start) for tag, i1, i2, j1, j2 in group]


def _hunk(group: list[_Opcode], old: list[str], new: list[str]) -> list[str]:
    first, last = group[0], group[-1]
    lines = [f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"]
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            lines += [f" {line}" for line in old[i1:i2]]
            continue
        lines += [f"-{line}" for line in old[i1:i2]]
        lines += [f"+{line}" for line in new[j1:j2]]
    return lines


def _range(start: int, stop: int) -> str:
    count = stop - start
    begin = start + 1 if count else start  # an empty range is named by the line before it
    return str(begin) if count == 1 else f"{begin},{count}"
