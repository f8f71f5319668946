"""One piece of an answer, drawn as what it is: markdown, code, table or the rest of a paragraph."""

from __future__ import annotations

from typing import Any

from tui.core.text import clean
from tui.widgets.transcript import engines
from tui.widgets.transcript.highlight import highlight
from tui.widgets.transcript.lines import Line, blank
from tui.widgets.transcript.markdown import MARGIN, Page, draw_flow, draw_markdown, draw_plain
from tui.widgets.transcript.splitter import Piece
from tui.widgets.transcript.stack import Leaf, Pen
from tui.widgets.transcript.tables import Grid, draw_grid

_START = ("root",)


class PieceLeaf(Leaf):
    """One piece of an answer. `definitions` are the link definitions of the answer so far."""

    __slots__ = ("definitions", "piece")

    def __init__(self, piece: Piece, definitions: dict[str, Any], width: int) -> None:
        self.piece = piece
        self.definitions = definitions
        super().__init__(width)

    @property
    def source(self) -> str:
        return self.piece.source

    def become(self, piece: Piece) -> None:
        """The piece that was growing has grown, or is finished."""
        if piece.source != self.piece.source or piece.kind != self.piece.kind:
            self.changed()
        self.piece = piece

    def estimate(self, width: int) -> int:
        source = self.piece.source
        gap = self.piece.number == 0
        return gap + source.rstrip("\n").count("\n") + 1 + len(source) // max(width, 1)

    def draw(self, pen: Pen) -> list[Line]:
        lines = self._draw(pen)
        if lines and not self.piece.source.endswith("\n"):
            lines[-1].joint = " " if self.piece.source.endswith(" ") else ""
        if lines and self.piece.number == 0:
            lines.insert(0, blank(pen.width, pen.palette.base))
        return lines

    def _draw(self, pen: Pen) -> list[Line]:
        piece = self.piece
        if not piece.source.strip():
            return []
        if piece.kind == "code":
            return self._draw_code(pen)
        if piece.kind == "table" and piece.table is not None:
            return self._draw_table(pen)
        if piece.kind == "flow":
            return draw_flow(piece.source, pen, self.definitions)
        source = _dedented(piece.source, piece.dedent) if piece.dedent else piece.source
        return draw_markdown(source, pen, self.definitions, piece.item, piece.dedent)

    def _draw_code(self, pen: Pen) -> list[Line]:
        piece, fence = self.piece, self.piece.fence
        assert fence is not None
        source = piece.source
        label = ""
        if piece.number == 0:
            _, _, source = source.lstrip("\n").partition("\n")
            label = clean(fence.language)
        if piece.closed:
            *before, last = source.removesuffix("\n").split("\n")
            if _closes(last, fence.mark):
                source = "".join(f"{code}\n" for code in before)
                if not before and piece.number:
                    return []
        if fence.indent:
            source = _dedented(source, fence.indent)
        state = fence.states.get(piece.number, _START)
        lines, after = highlight(source.removesuffix("\n"), fence.language, pen.palette, state)
        fence.states[piece.number + 1] = after
        page = Page(pen, MARGIN)
        page.code_lines(lines, label)
        return page.lines

    def _draw_table(self, pen: Pen) -> list[Line]:
        piece, table = self.piece, self.piece.table
        assert table is not None
        parser = engines.parser()
        if parser is None:
            return draw_plain(piece.source, pen)
        source = piece.source if piece.number == 0 else table.head + piece.source
        tokens = parser.parse(source, self.definitions)
        if not tokens or tokens[0].type != "table_open":
            return draw_markdown(piece.source, pen, self.definitions)
        grid = Grid.of(tokens, pen.palette)
        if piece.number == 0 or len(table.widths) != len(grid.aligns):
            table.widths = grid.natural()
        if piece.number:
            grid.head = None
        page = Page(pen, MARGIN)
        for spans in draw_grid(grid, table.widths, pen.wide_width, pen.palette):
            page.row(spans, "\n")
        return page.lines


def _closes(line: str, mark: str) -> bool:
    bare = line.strip()
    return bare.startswith(mark) and not bare.strip(mark[0])


def _dedented(source: str, spaces: int) -> str:
    return "\n".join(line[min(spaces, len(line) - len(line.lstrip(" "))) :] for line in source.split("\n"))
