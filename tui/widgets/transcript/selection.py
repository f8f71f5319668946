"""Selecting text across blocks: places that stay right while heights above change, and what a copy takes.

Textual asks for the text at an offset and later gives two of them back, in order. Ours are not screen lines but
(character, place), where the place counts block, inner block and row, so that drawing a block above moves nothing.
"""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.view import View

_ROWS = 1 << 20
# More than this is not drawn for a copy: what was never seen gives its source.
_DRAWN_LINES = 5000
_WORD = re.compile(r"[\w./:@~#%+-]+|\S")


def place_of(outer: int, inner: int, row: int) -> int:
    return (outer * _ROWS + inner) * _ROWS + row


def parts_of(place: int) -> tuple[int, int, int]:
    """Block, inner block and row of a place."""
    rest, row = divmod(place, _ROWS)
    outer, inner = divmod(rest, _ROWS)
    return outer, inner, row


def selected_text(view: View, selection: Selection) -> str:
    """The text of a selection, as it is read: without decoration, unbroken where only the width broke it."""
    first = parts_of(selection.start.y) if selection.start is not None else (0, 0, 0)
    last = parts_of(selection.end.y) if selection.end is not None else None
    lines: list[Line] = []
    for outer, inner, leaf in view.leaves_between(first[:2], last[:2] if last else None):
        drawn = leaf.lines if leaf.pen is view.pen else leaf.draw(view.pen) if len(lines) < _DRAWN_LINES else None
        if drawn is None:
            lines.append(Line([], 0, leaf.source))
            continue
        begin = first[2] if (outer, inner) == first[:2] else 0
        end = last[2] + 1 if last and (outer, inner) == last[:2] else None
        lines += drawn[begin:end]
    return _joined(lines, selection.start.x if selection.start else 0, selection.end.x if selection.end else None)


def _joined(lines: list[Line], first: int, last: int | None) -> str:
    parts: list[str] = []
    for number, line in enumerate(lines):
        if line.text is None:
            continue
        is_last = number == len(lines) - 1
        begin = max(first - line.start, 0) if number == 0 else 0
        end = max(last - line.start, 0) if is_last and last is not None else None
        text = line.text[begin:end]
        parts.append(text if line.joint != "\n" or is_last else text.rstrip() + "\n")
        if line.joint == " " and not is_last:
            parts.append(" ")
    return "".join(parts)


def highlighted(line: Line, first: int, last: int, style: Style) -> Strip:
    """The line with its text between two characters (-1: to the end) in the style of selected text."""
    if line.text is None:
        return line.strip
    whole = line.strip.text
    end = line.start + len(line.text.rstrip())
    first = max(first, line.start)
    last = end if last < 0 else min(last, end)
    if last <= first:
        return line.strip
    start, stop = cell_len(whole[:first]), cell_len(whole[:last])
    strip = line.strip
    return Strip.join([strip.crop(0, start), over(strip.crop(start, stop), style), strip.crop(stop)])


def over(strip: Strip, style: Style) -> Strip:
    """The strip with a style over its own. (`Strip.apply_style` puts it under them.)"""
    return Strip([Segment(text, own + style if own else style) for text, own, _ in strip], strip.cell_length)


def word_at(view: View, x: int, y: int) -> Selection | None:
    """The word under a cell of the window."""
    if not 0 <= y < len(view.lines):
        return None
    line = view.lines[y]
    place = place_of(*view.place(y))
    whole = line.strip.text
    for match in _WORD.finditer(whole, line.start):
        if cell_len(whole[: match.start()]) <= x < cell_len(whole[: match.end()]):
            return Selection(Offset(match.start(), place), Offset(match.end(), place))
    return None


def block_at(view: View, y: int) -> Selection | None:
    """The whole block (a paragraph, a piece of code) under a line of the window."""
    if not 0 <= y < len(view.lines):
        return None
    outer, inner, _ = view.place(y)
    leaves = [leaf for _, _, leaf in view.leaves_between((outer, inner), (outer, inner))]
    if not leaves or not leaves[0].lines:
        return None
    lines = leaves[0].lines
    first = next((row for row, line in enumerate(lines) if line.text), 0)
    end = Offset(lines[-1].start + len(lines[-1].text or ""), place_of(outer, inner, len(lines) - 1))
    return Selection(Offset(0, place_of(outer, inner, first)), end)
