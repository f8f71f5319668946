"""One piece of an answer, drawn as what it is: markdown, code, table or the rest of a paragraph."""

from __future__ import annotations

from tui.core.text import clean
from tui.widgets.transcript import engines
from tui.widgets.transcript.grammar import dedented
from tui.widgets.transcript.highlight import START, highlight, state_before
from tui.widgets.transcript.lines import Line, blank
from tui.widgets.transcript.markdown import MARGIN, Page, References, draw_flow, draw_markdown, draw_plain, known
from tui.widgets.transcript.piece import Piece
from tui.widgets.transcript.stack import Leaf, Pen
from tui.widgets.transcript.tables import Grid, draw_grid


class PieceLeaf(Leaf):
    """One piece of an answer. `references` are the link definitions of the answer so far."""

    __slots__ = ("piece", "references")

    def __init__(self, piece: Piece, references: References, width: int) -> None:
        self.piece = piece
        self.references = references
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
            return draw_flow(piece.source, pen, self.references)
        source = dedented(piece.source, piece.dedent) if piece.dedent else piece.source
        return draw_markdown(source, pen, self.references, piece.item, piece.dedent)

    def _draw_code(self, pen: Pen) -> list[Line]:
        piece, fence = self.piece, self.piece.fence
        assert fence is not None
        code = piece.code
        if not code and piece.number:
            return []
        state = state_before(fence, piece.number, pen)
        self.provisional = state is None
        lines, after = highlight(code.removesuffix("\n"), fence.language, pen.palette, state or START)
        if state is not None and not piece.growing and len(fence.states) == piece.number:
            fence.states.append(after)
        page = Page(pen, MARGIN)
        page.code_lines(lines, clean(fence.language) if piece.number == 0 else "")
        return page.lines

    def _draw_table(self, pen: Pen) -> list[Line]:
        piece, table = self.piece, self.piece.table
        assert table is not None
        parser = engines.parser()
        if parser is None:
            return draw_plain(piece.source, pen)
        source = piece.source if piece.number == 0 else table.head + piece.source
        tokens = parser.parse(source, known(self.references))
        if not tokens or tokens[0].type != "table_open":
            return draw_markdown(piece.source, pen, self.references)
        grid = Grid.of(tokens, pen.palette)
        if piece.number == 0 or len(table.widths) != len(grid.aligns):
            table.widths = grid.natural()
        if piece.number:
            grid.head = None
        page = Page(pen, MARGIN)
        for spans in draw_grid(grid, table.widths, pen.wide_width, pen.palette):
            page.row(spans, "\n")
        return page.lines
