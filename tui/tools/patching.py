"""Finds the places that the hunks of a patch mean in a file, and makes the new text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.tools.errors import ToolError
from tui.tools.loose import UNREAD, Match, exact_matches, loose_matches
from tui.tools.mismatch import why_not_found
from tui.tools.patch_text import Hunk


class Patched(NamedTuple):
    text: str
    lines: tuple[int, ...]
    """Where each hunk was put, from 1."""
    remarks: tuple[str, ...]


def patched(text: str, hunks: Sequence[Hunk], name: str, *, bears_white_space: bool) -> Patched:
    """`text` with all `hunks` in it; where `bears_white_space`, lines may differ in what `loose` bears.

    Raises ToolError that says which hunk has no place, or more than one.
    """
    is_ended = text.endswith("\n") or not text
    raw = (text[:-1] if is_ended else text).split("\n") if text else []
    lines = [line.removesuffix("\r") for line in raw]
    places: list[tuple[Match, Hunk]] = []
    cursor = 0
    for hunk in hunks:
        match = _Search(lines, hunk, cursor, bears_white_space, name).place()
        places.append((match, hunk))
        cursor = max(match.at + len(match.found), cursor)
    placed = sorted(places, key=lambda place: place[0].at)
    after: list[str] = []
    at = 0
    for match, hunk in placed:
        if match.at < at:
            raise ToolError(f"Hunk {hunk.number} for {name} overlaps another one.")
        after += raw[at : match.at]
        after += _changed(match, hunk, raw)
        at = match.at + len(match.found)
        if at == len(raw) and hunk.has_final_newline is not None:
            is_ended = hunk.has_final_newline
    after += raw[at:]
    whole = "\n".join(after) + ("\n" if is_ended and after else "")
    remarks = dict.fromkeys(match.words for match, _ in placed if match.is_loose)
    return Patched(whole, tuple(match.at + 1 for match, _ in placed), tuple(remarks))


def _changed(match: Match, hunk: Hunk, raw: Sequence[str]) -> list[str]:
    """The lines that stand there afterwards, with the line ends that are usual there."""
    here = raw[min(match.at, len(raw) - 1)] if raw else ""
    end = "\r" if here.endswith("\r") else ""
    after, at = [], match.at
    for mark, text in hunk.lines:
        if mark == "+":
            after.append(match.shift.of(text) + end)
        else:
            after += [raw[at]] if mark == " " else []
            at += 1
    return after


class _Search:
    """The search for the place of one hunk."""

    def __init__(self, lines: list[str], hunk: Hunk, cursor: int, bears_white_space: bool, name: str) -> None:
        self.lines, self.hunk, self.cursor, self.name = lines, hunk, cursor, name
        self._bears_white_space = bears_white_space
        self._ways = (exact_matches, loose_matches) if bears_white_space else (exact_matches,)

    def place(self) -> Match:
        if not self.hunk.old:
            return Match.nothing(self._insertion())
        for way in self._ways:
            if found := way(self.hunk.old, self.lines):
                return self._chosen([match for match in found if match.at >= self.cursor] or found)
        why = why_not_found("\n".join(self.hunk.old), "\n".join(self.lines), "the text of the hunk")
        unread = UNREAD if loose_matches(self.hunk.old, self.lines) and not self._bears_white_space else ""
        raise ToolError(f"Hunk {self.hunk.number} for {self.name} is not there: {why}{unread}")

    def _chosen(self, found: list[Match]) -> Match:
        if self.hunk.is_at_end:
            found = [match for match in found if match.at + len(match.found) == len(self.lines)] or found
        if len(found) == 1:
            return found[0]
        if self.hunk.line is not None:
            wanted = self.hunk.line - 1
            return min(found, key=lambda match: abs(match.at - wanted))
        if (start := self._heading()) is not None and (after := [match for match in found if match.at >= start]):
            return after[0]
        numbers = ", ".join(str(match.at + 1) for match in found[:20])
        raise ToolError(
            f"Hunk {self.hunk.number} for {self.name} fits in {len(found)} places, at lines {numbers}. Give more lines "
            "around it, or an `@@` line with the function or class that it is in."
        )

    def _insertion(self) -> int:
        """Where lines go that come without any beside them."""
        if self.hunk.line is not None:
            return min(self.hunk.line, len(self.lines))
        if self.hunk.is_at_end or not self.lines:
            return len(self.lines)
        if (start := self._heading()) is not None:
            return start + 1
        raise ToolError(
            f"Hunk {self.hunk.number} for {self.name} only adds lines, and nothing tells where. Give lines around it."
        )

    def _heading(self) -> int | None:
        """The line of the last of the hunk's headings, each looked for below the one before."""
        at = -1
        for heading in self.hunk.headings:
            rest = range(at + 1, len(self.lines))
            found = next((n for n in rest if self.lines[n].strip().startswith(heading)), None)
            if found is None:
                return None
            at = found
        return at if at >= 0 else None
