"""Text that is shown as it is, behind a mark at the margin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.segment import Segment
from rich.style import Style

from tui.core.text import clean
from tui.widgets.transcript.lines import TAB_CELLS, Line, Span, Target, blank, chop, chop_at_blanks, line, rows_of, wrap
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.stack import Leaf, Pen

PIECE_LINES = 40
PIECE_CHARS = 4000

Look = Callable[[Palette, str], Style]
"""The style of a line, by what stands in it."""


def pieces_of(text: str) -> Iterator[str]:
    """A long text in parts that are quickly drawn, cut at line ends where there are any."""
    lines: list[str] = []
    chars = 0
    for row in text.split("\n"):
        while len(row) > PIECE_CHARS:
            yield "\n".join([*lines, row[:PIECE_CHARS]])
            lines, chars, row = [], 0, row[PIECE_CHARS:]
        lines.append(row)
        chars += len(row)
        if len(lines) >= PIECE_LINES or chars > PIECE_CHARS:
            yield "\n".join(lines)
            lines, chars = [], 0
    if lines:
        yield "\n".join(lines)


class PlainLeaf(Leaf):
    """Plain text: the user's words, reasoning, output, a diff, a note.

    `mark` stands before each line, `gap` is a blank line above; code keeps its spaces and may be wider than prose;
    with `filled` the lines have the ground of their style to their full width, and code is broken anywhere.
    """

    __slots__ = ("_code", "_filled", "_gap", "_gone", "_look", "_mark", "_target", "text")

    def __init__(
        self,
        text: str,
        width: int,
        *,
        look: Look,
        mark: Callable[[Palette], Segment],
        gap: bool = False,
        code: bool = False,
        filled: bool = False,
        target: Target | None = None,
    ) -> None:
        self.text = text
        self._look, self._mark, self._gap, self._code = look, mark, gap, code
        self._filled, self._target = filled, target
        self._gone = False
        super().__init__(width)

    @property
    def source(self) -> str:
        return clean(self.text)

    def become(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.changed()

    def vanish(self) -> None:
        """It is not to be seen any more; its place stays, without height."""
        self._gone = True
        self.changed()
        self.resize(self._width)

    def estimate(self, width: int) -> int:
        return 0 if self._gone else self._gap + self.text.count("\n") + 1 + len(self.text) // max(width, 1)

    def draw(self, pen: Pen) -> list[Line]:
        if self._gone:
            return []
        palette, mark = pen.palette, self._mark(pen.palette)
        end = 1 + pen.wide_width
        breaker = (chop if self._filled else chop_at_blanks) if self._code else wrap
        room = max((pen.wide_width if self._code else pen.prose_width) - len(mark.text) + 1 - self._filled, 8)
        lines = [blank(pen.width, palette.base)] if self._gap else []
        for row in clean(self.text.replace("\r\n", "\n")).expandtabs(TAB_CELLS).split("\n"):
            style = self._look(palette, row)
            for spans, joint in rows_of([Span(row, style, self._target)], room, breaker):
                lines.append(
                    line(
                        spans,
                        pen.width,
                        palette.base,
                        prefix=[Segment(mark.text[:1], palette.base), Segment(mark.text[1:], mark.style)],
                        joint=joint,
                        ground=style if self._filled else None,
                        ground_end=end,
                    )
                )
        return lines


def mark(text: str, style: str) -> Callable[[Palette], Segment]:
    """The same mark in any palette: `style` names one of its styles."""
    return lambda palette: Segment(text, getattr(palette, style))


def look(style: str) -> Look:
    """The same style for every line."""
    return lambda palette, row: getattr(palette, style)
