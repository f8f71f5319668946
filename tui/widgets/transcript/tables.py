"""Tables: cells side by side, wrapped where the screen is too narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.widgets.transcript.inline import spans_of
from tui.widgets.transcript.lines import Span, rows_of
from tui.widgets.transcript.palette import Palette

if TYPE_CHECKING:
    from markdown_it.token import Token

_BETWEEN = " │ "
_LEAST_CELLS = 4
Cell = list[Span]


@dataclass(slots=True)
class Grid:
    """A table's cells; `head` is None for a later part of a table that is too long."""

    head: list[Cell] | None
    body: list[list[Cell]]
    aligns: list[str]

    @classmethod
    def of(cls, tokens: list[Token], palette: Palette) -> Grid:
        """From the parser's tokens, the first of which opens the table."""
        rows: list[list[Cell]] = []
        aligns: list[str] = []
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                base = palette.strong if token.type == "th_open" else palette.base
                rows[-1].append(spans_of(tokens[index + 1].children or [], palette, base))
                if token.type == "th_open":
                    aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
            elif token.type == "table_close":
                break
        return cls(rows[0], rows[1:], aligns)

    def natural(self) -> list[int]:
        """The width of each column if there is room."""
        widths = [_LEAST_CELLS - 1] * len(self.aligns)
        for row in [self.head or [], *self.body]:
            for i, cell in enumerate(row[: len(widths)]):
                widths[i] = max(widths[i], sum(cell_len(span.text) for span in cell))
        return widths


def draw_grid(grid: Grid, natural: list[int], room: int, palette: Palette) -> list[list[Span]]:
    """The rows of a table in at most `room` cells, with a rule below its head."""
    widths = _fitted(natural, room - len(_BETWEEN) * (len(natural) - 1))
    lines: list[list[Span]] = []
    if grid.head is not None:
        lines += _row(grid.head, widths, grid.aligns, palette)
        lines.append([Span("─┼─".join("─" * width for width in widths), palette.rule)])
    for row in grid.body:
        lines += _row(row, widths, grid.aligns, palette)
    return lines


def _fitted(natural: list[int], room: int) -> list[int]:
    """Column widths that fit: what is wide gives way first."""
    widths = list(natural)
    excess = sum(widths) - room
    while excess > 0:
        widest = max(widths)
        if widest <= _LEAST_CELLS:
            break
        at_widest = [i for i, width in enumerate(widths) if width == widest]
        second = max((width for width in widths if width < widest), default=_LEAST_CELLS)
        step = min(widest - max(second, _LEAST_CELLS), -(-excess // len(at_widest)))
        for i in at_widest:
            cut = min(step, excess)
            widths[i] -= cut
            excess -= cut
    return widths


def _row(row: list[Cell], widths: list[int], aligns: list[str], palette: Palette) -> list[list[Span]]:
    cells = [rows_of(cell, width) for cell, width in zip(row, widths, strict=False)]
    lines: list[list[Span]] = []
    for y in range(max((len(cell) for cell in cells), default=0)):
        spans: list[Span] = []
        for i, (cell, width) in enumerate(zip(cells, widths, strict=False)):
            if i:
                spans.append(Span(_BETWEEN, palette.rule))
            content = cell[y][0] if y < len(cell) else []
            room = width - sum(cell_len(span.text) for span in content)
            left = room if aligns[i] == "right" else room // 2 if aligns[i] == "center" else 0
            if left > 0:
                spans.append(Span(" " * left, palette.base))
            spans += content
            if room > left and i < len(widths) - 1:
                spans.append(Span(" " * (room - left), palette.base))
        lines.append(spans)
    return lines
