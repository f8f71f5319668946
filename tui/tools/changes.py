"""Changes of text files before they are made: their diff, and how they are put in place, all of them or none."""

from __future__ import annotations

import contextlib
import difflib
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext, outcome_of
from tui.tools.errors import ToolError, explain
from tui.tools.opening import put_in_place, remove
from tui.tools.paths import located, shown

CONTEXT_LINES = 3
_MATCHER_LIMIT_LINES = 4000
"""More changed lines than this are shown as all gone and all new: finding what is alike takes time by the square."""
_PAIRS_LIMIT = 50_000
"""Of equal lines: with more, the most frequent ones (braces, blank lines) are matched only beside others. In a file of
few distinct lines that matching takes time nearly by the cube."""
_FREQUENT_FROM_LINES = 200
"""In fewer lines, difflib takes none for frequent."""


class Change(NamedTuple):
    """What a file will hold: `data`, which is the text `after`; both are None for one that is to go.

    `before` is its text, None when there is no file yet; `original` is what it held, as far as that is to be put back
    when a later one of several changes fails; `mode` the permissions of a new file, None for the usual ones.
    """

    path: Path
    before: str | None
    after: str | None
    data: bytes | None
    original: bytes | None = None
    mode: int | None = None

    def diff(self, folder: Path) -> str:
        name = shown(self.path, folder)
        return unified_diff(name, self.before, self.after) or f"{name}: nothing changes\n"

    def apply(self) -> None:
        """Put the new content in place. Raises ToolError, OSError; the file is as it was then."""
        if self.data is None:
            remove(self.path)
        else:
            put_in_place(self.path, self.data, self.mode)

    def undo(self) -> None:
        """Put the old content in place again."""
        if self.original is not None:
            put_in_place(self.path, self.original, self.mode)
        elif self.before is None:
            remove(self.path)


class Plan(NamedTuple):
    """The changes that a call asks for, and what is told to the model once they are made."""

    changes: tuple[Change, ...]
    summary: str

    def diff(self, folder: Path) -> str:
        return "".join(change.diff(folder) for change in self.changes)


class ChangingTool:
    """What tools that change files have in common: `plan` says all that they differ in."""

    effect: Literal["edit"] = "edit"

    def plan(self, arguments: Json, context: ToolContext) -> Plan:
        """Blocking; changes nothing. Raises ToolError, OSError, ValueError."""
        raise NotImplementedError

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return (arguments["path"],)

    def deed(self, arguments: Json) -> str:
        """What a call does, in words to follow its name."""
        return "changes a file"

    def preview(self, arguments: Json, context: ToolContext) -> str:
        try:
            return self.plan(arguments, context).diff(context.folder)
        except (ToolError, OSError, ValueError) as error:
            return explain(error)

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        stopped = threading.Event()
        yield await outcome_of(lambda: self._carry_out(arguments, context, stopped), stopped)

    def _carry_out(self, arguments: Json, context: ToolContext, stopped: threading.Event) -> Outcome:
        plan = self.plan(arguments, context)
        diff = plan.diff(context.folder)
        _apply_all(plan.changes, context.folder, stopped)
        for change in plan.changes:
            if change.data is None:
                context.desk.seen.forget(change.path)
            else:
                context.desk.seen.saw(change.path)
        context.when_changed()
        return Outcome(plan.summary, detail={"diff": diff})


def refuse_stale(path: Path, context: ToolContext) -> None:
    """Raise ToolError if a file is not as the model last saw it: it would undo what somebody else has done."""
    if context.desk.seen.has_changed(path):
        raise ToolError(
            f"{shown(path, context.folder)} has changed on the disk since you last read or wrote it, so nothing was "
            "done. Read it again first."
        )


def _apply_all(changes: Sequence[Change], folder: Path, stopped: threading.Event) -> None:
    """All of them or none: what was made is undone when a later one fails or it is stopped. Raises ToolError, OSError.

    The thread goes on when a call was stopped, and what it changes then would be recorded nowhere.
    """
    made: list[Change] = []
    try:
        for change in changes:
            if stopped.is_set():
                raise ToolError("It was stopped, so nothing was done.")
            located(folder, str(change.path), for_change=True)  # those before may have made it a part of a repository
            change.apply()
            made.append(change)
    except (ToolError, OSError):
        for change in reversed(made):
            with contextlib.suppress(ToolError, OSError):
                change.undo()
        raise


def unified_diff(name: str, before: str | None, after: str | None, *, is_exact: bool = False) -> str:
    """What `diff -u` would print, line ends shown only where they are what differs; empty when nothing does.

    `is_exact`: with line ends as they are, and bytes that are no UTF-8 as surrogates, for a patch.
    """
    if not is_exact and before is not None and after is not None and "\r\n" in before and "\r\n" in after:
        before, after = before.replace("\r\n", "\n"), after.replace("\r\n", "\n")
    old, new = _lines(before or ""), _lines(after or "")
    if old == new and before is not None and after is not None:
        return ""
    inner = name.lstrip("/")  # as git writes it: `a//etc/hosts` is no path
    lines = [
        f"--- {'/dev/null' if before is None else f'a/{inner}'}\n",
        f"+++ {'/dev/null' if after is None else f'b/{inner}'}\n",
    ]
    for group in _groups(old, new):
        lines += _hunk(group, old, new)
    whole = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return whole if is_exact or whole.isascii() else whole.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
    times = Counter(b)
    is_much = sum(times[line] for line in a) > _PAIRS_LIMIT
    if len(a) + len(b) > _MATCHER_LIMIT_LINES or (is_much and len(b) < _FREQUENT_FROM_LINES):
        yield [("replace", start, start + len(a), start, start + len(b))]
        return
    for group in difflib.SequenceMatcher(None, a, b, autojunk=is_much).get_grouped_opcodes(CONTEXT_LINES):
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
