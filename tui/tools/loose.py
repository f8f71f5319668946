"""Finds lines in a file that are those that the model wrote but for white space at their beginnings and ends.

Nothing else may differ, and the indentation only as a block: by the same more or less in every line, in tabs where the
other has spaces, or in steps of another width (two spaces for four). What is put there is shifted alike.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TAB_CELLS = (4, 8, 2, 3)
_SHOWN_INDENTS = 2

UNREAD = "You have not read this file, so white space must be exact: read it first."
"""Where lines would be found but for white space, in a file that the model only guesses at."""


class _Shift(NamedTuple):
    """What is done to an indentation: `removed` is taken away and `added` put before, or its width changes by `by`.

    What it has more than `base` is `step` wide where it was `step_before`.
    """

    removed: str = ""
    added: str = ""
    by: int | None = None
    tab_cells: int = 4
    uses_tabs: bool = False
    base: int = 0
    step: int = 1
    step_before: int = 1

    def of(self, line: str) -> str:
        if not line.strip():
            return line
        indent, text = _indent(line), line.lstrip()
        if self.by is None:
            return self.added + indent.removeprefix(self.removed[: len(indent)]) + text
        deeper = _width(indent, self.tab_cells) - self.base
        width = max(self.base + self.by + deeper * self.step // self.step_before, 0)
        tabs, spaces = divmod(width, self.tab_cells) if self.uses_tabs else (0, width)
        return "\t" * tabs + " " * spaces + text


class Match(NamedTuple):
    """Lines of a file, from the one with the index `at` on, and how they differ from those that were looked for."""

    at: int
    wanted: tuple[str, ...]
    found: tuple[str, ...]
    shift: _Shift = _Shift()
    is_loose: bool = True

    @classmethod
    def nothing(cls, at: int) -> Match:
        """A place between two lines."""
        return cls(at, (), (), is_loose=False)

    def changed_to(self, new: Sequence[str]) -> list[str]:
        """The lines that stand there afterwards. Those that `new` does not change stay as they are in the file."""
        after: list[str] = []
        matcher = difflib.SequenceMatcher(None, self.wanted, new, autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            after += self.found[i1:i2] if tag == "equal" else map(self.shift.of, new[j1:j2])
        return after

    @property
    def words(self) -> str:
        """What differs, for the model."""
        if self.shift == _Shift():
            return "white space at line ends differed"
        pairs = zip(self.wanted, self.found, strict=True)
        told = dict.fromkeys(
            f"{indent_words(_indent(theirs))} where you wrote {indent_words(_indent(ours))}"
            for ours, theirs in pairs
            if ours.strip() and _indent(ours) != _indent(theirs)
        )
        more = ", ..." if len(told) > _SHOWN_INDENTS else ""
        return (
            f"matched with other indentation: the file has {', '.join(list(told)[:_SHOWN_INDENTS])}{more}; "
            "the new text was shifted alike"
        )


def exact_matches(wanted: Sequence[str], lines: Sequence[str]) -> list[Match]:
    """Every place in `lines` where exactly `wanted` stands."""
    lines, wanted = list(lines), list(wanted)
    first, count = wanted[0], len(wanted)
    return [
        Match(at, tuple(wanted), tuple(wanted), is_loose=False)
        for at in range(len(lines) - count + 1)
        if lines[at] == first and lines[at : at + count] == wanted
    ]


def loose_matches(wanted: Sequence[str], lines: Sequence[str]) -> list[Match]:
    """Every place in `lines` where `wanted` stands but for white space; none for nothing but blank lines."""
    texts = [line.strip() for line in wanted]
    telling = next((n for n, text in enumerate(texts) if text), None)
    if telling is None:
        return []
    matches = []
    stripped = [line.strip() for line in lines]
    for at in range(len(lines) - len(texts) + 1):
        if stripped[at + telling] == texts[telling] and stripped[at : at + len(texts)] == texts:
            found = [line.rstrip("\r") for line in lines[at : at + len(texts)]]
            if (shift := _shift_of(wanted, found)) is not None:
                matches.append(Match(at, tuple(wanted), tuple(found), shift))
    return matches


def indent_words(indent: str) -> str:
    """`2 tabs and 4 spaces`; `none`."""
    tabs, spaces = indent.count("\t"), indent.count(" ")
    parts = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((tabs, "tab"), (spaces, "space")) if n]
    return " and ".join(parts) or "none"


def _shift_of(wanted: Iterable[str], found: Iterable[str]) -> _Shift | None:
    """What makes the indentation of `wanted` that of `found`; None when that is no shift of the block."""
    pairs = {(_indent(w), _indent(f)) for w, f in zip(wanted, found, strict=True) if w.strip()}
    if all(ours == theirs for ours, theirs in pairs):
        return _Shift()
    first_ours, first_theirs = min(pairs)
    added = first_theirs[: max(len(first_theirs) - len(first_ours), 0)]
    removed = first_ours[: max(len(first_ours) - len(first_theirs), 0)]
    if all(added + ours == removed + theirs for ours, theirs in pairs):
        return _Shift(removed, added)
    uses_tabs = any("\t" in theirs for _, theirs in pairs)
    shifts = []
    for cells in _TAB_CELLS:
        deltas = {_width(theirs, cells) - _width(ours, cells) for ours, theirs in pairs}
        if len(deltas) == 1:
            shifts.append(_Shift(by=deltas.pop(), tab_cells=cells, uses_tabs=uses_tabs))
    return min(shifts, key=lambda shift: abs(shift.by or 0), default=None) or _stretched(pairs)


def _stretched(pairs: Iterable[tuple[str, str]]) -> _Shift | None:
    """The shift to steps of another width, where both indent by spaces alone."""
    if any("\t" in indent for pair in pairs for indent in pair):
        return None
    widths = sorted({(len(ours), len(theirs)) for ours, theirs in pairs})
    (base, base_theirs), (last, last_theirs) = widths[0], widths[-1]
    step_before, step = last - base, last_theirs - base_theirs
    if step_before <= 0 or step <= 0:
        return None
    if any((theirs - base_theirs) * step_before != (ours - base) * step for ours, theirs in widths):
        return None
    return _Shift(by=base_theirs - base, base=base, step=step, step_before=step_before)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _width(indent: str, tab_cells: int) -> int:
    return len(indent.expandtabs(tab_cells))
