"""Markdown blocks as lines: what the parser found, written to a width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.widgets.transcript import engines
from tui.widgets.transcript.highlight import highlight
from tui.widgets.transcript.inline import spans_of
from tui.widgets.transcript.lines import Line, Span, blank, chop, line, rows_of, truncate
from tui.widgets.transcript.stack import Pen
from tui.widgets.transcript.tables import Grid, draw_grid

if TYPE_CHECKING:
    from markdown_it.token import Token

_BULLETS = "•◦▪"
MARGIN = " "

References = dict[str, Any]
"""Link definitions: the parser's own records by label."""


def known(references: References) -> dict[str, Any]:
    """The parser's environment for one parse: it learns into a copy, so that half a definition is never kept."""
    return {"references": dict(references)}


def draw_markdown(
    source: str, pen: Pen, references: References, first_item: int | None = None, indent: int = 0
) -> list[Line]:
    """The lines of a markdown source, without blank lines around them.

    `references` are the link definitions known so far, `first_item` is the number with which a list goes on, `indent`
    cells more of margin.
    """
    parser = engines.parser()
    margin = MARGIN + " " * min(indent, pen.width // 2)
    if parser is None:
        return draw_plain(source, pen, margin)
    tokens = parser.parse(source, known(references))
    if any(token.level >= engines.NESTING - 2 for token in tokens):
        return draw_plain(source, pen, margin)  # the parser left something out
    page = Page(pen, margin)
    page.blocks(tokens, first_item)
    return page.lines


def draw_flow(source: str, pen: Pen, references: References) -> list[Line]:
    """The lines of inline text: the rest of a paragraph."""
    parser = engines.parser()
    if parser is None:
        return draw_plain(source, pen, MARGIN)
    page = Page(pen, MARGIN)
    for token in parser.parseInline(source.rstrip("\n"), known(references)):
        page.text(spans_of(token.children or [], pen.palette, pen.palette.base))
    return page.lines


def draw_plain(source: str, pen: Pen, margin: str = MARGIN, style: Style | None = None) -> list[Line]:
    """The lines of a text as it is, broken to the width."""
    page = Page(pen, margin)
    page.text([Span(source.strip("\n").expandtabs(4), style or pen.palette.base)])
    return page.lines


class _Level:
    """What stands before the lines of a container: `first` before its first one, `rest` before the others."""

    def __init__(self, first: str, rest: str, style: Style, copied: bool) -> None:
        self.first, self.rest, self.style, self.copied = first, rest, style, copied


class _Container:
    """The page, or a list, an item or a quote in it. `number` is the next item's, where a list has numbers."""

    def __init__(self, kind: str, *, tight: bool = False, number: int | None = None) -> None:
        self.kind, self.tight, self.number = kind, tight, number
        self.is_empty = True


class Page:
    """Writes blocks one below the other, each line behind the marks of the containers that it stands in."""

    def __init__(self, pen: Pen, margin: str) -> None:
        self.pen = pen
        self.palette = pen.palette
        self.lines: list[Line] = []
        self.levels = [_Level(margin, margin, pen.palette.base, copied=False)]
        self.containers = [_Container("page")]

    # Containers

    def blocks(self, tokens: list[Token], first_item: int | None = None) -> None:
        """All blocks, top to bottom. The parser's tokens are flat, so containers are opened and closed on the way."""
        for index, token in enumerate(tokens):
            kind = token.type
            if kind in _CONTAINERS:
                self.close()
            elif token.nesting < 0 or kind in _INNER:
                continue
            else:
                self.begin_block()
                if kind in ("bullet_list_open", "ordered_list_open"):
                    number = int(token.attrs.get("start", 1)) if kind == "ordered_list_open" else None
                    if number is not None and first_item is not None:
                        number, first_item = first_item, None
                    self.containers.append(_Container("list", tight=_is_tight(tokens, index), number=number))
                elif kind == "list_item_open":
                    self.open_item(token.markup)
                elif kind == "blockquote_open":
                    self.containers.append(_Container("quote"))
                    self.levels.append(_Level("▎ ", "▎ ", self.palette.rule, copied=False))
                else:
                    self.leaf(token, tokens, index)

    def begin_block(self) -> None:
        """A blank line above it, unless it is the first of its container or that is written tightly."""
        container = self.containers[-1]
        if not container.is_empty and not container.tight:
            if any(not level.copied for level in self.levels[1:]):
                self.row([], "\n")  # bars go on
            else:
                self.lines.append(blank(self.pen.width, self.palette.base))
        container.is_empty = False

    def open_item(self, markup: str) -> None:
        parent = self.containers[-1]
        if parent.number is None:
            depth = sum(container.kind == "list" for container in self.containers)
            bullet = _BULLETS[(depth - 1) % len(_BULLETS)] + " "
        else:
            bullet = f"{parent.number}{markup or '.'} "
            parent.number += 1
        self.containers.append(_Container("item", tight=parent.tight))
        self.levels.append(_Level(bullet, " " * cell_len(bullet), self.palette.accent, copied=True))

    def close(self) -> None:
        container = self.containers[-1]
        if container.kind == "item" and container.is_empty:
            self.text([])  # its bullet still shows
        self.containers.pop()
        if container.kind != "list":
            self.levels.pop()

    # Leaves

    def leaf(self, token: Token, tokens: list[Token], index: int) -> None:
        kind = token.type
        if kind == "paragraph_open":
            self.text(spans_of(tokens[index + 1].children or [], self.palette, self.palette.base))
        elif kind == "heading_open":
            style = self.palette.heading if token.tag in ("h1", "h2") else self.palette.strong
            if token.tag == "h1":
                style = style + Style(underline=True)
            self.text(spans_of(tokens[index + 1].children or [], self.palette, style))
        elif kind in ("fence", "code_block"):
            language = token.info.strip().split(" ")[0].lower()
            self.code(token.content.removesuffix("\n"), language)
        elif kind == "hr":
            self.row([Span("─" * self.room(self.pen.prose_width), self.palette.rule)], "\n", copied=False)
        elif kind == "table_open":
            grid = Grid.of(tokens[index:], self.palette)
            for spans in draw_grid(grid, grid.natural(), self.room(self.pen.wide_width), self.palette):
                self.row(spans, "\n")
        else:
            self.text([Span(token.content, self.palette.base)])

    def text(self, spans: list[Span]) -> None:
        for row, joint in rows_of(spans, self.room(self.pen.prose_width)):
            self.row(row, joint)

    def code(self, source: str, language: str) -> None:
        lines, _ = highlight(source, language, self.palette)
        self.code_lines(lines, language)

    def code_lines(self, lines: list[list[Span]], label: str) -> None:
        """Code on its own ground, one cell inside it; a label above is not copied."""
        ground, width = self.palette.code, self.room(self.pen.wide_width)
        if label:
            spans = [Span(truncate(label, width - 2), self.palette.code_label)]
            self.row(spans, "\n", copied=False, ground=ground, ground_cells=width)
        for spans in lines:
            for row, joint in rows_of(spans, width - 2, chop):
                self.row(row, joint, ground=ground, ground_cells=width)

    # Rows

    def room(self, width: int) -> int:
        """Cells that the containers leave of `width`."""
        taken = sum(cell_len(level.rest) for level in self.levels[1:])
        return max(width - taken, 8)

    def row(
        self,
        spans: list[Span],
        joint: str,
        *,
        copied: bool = True,
        ground: Style | None = None,
        ground_cells: int = 0,
    ) -> None:
        prefix: list[Segment] = []
        repeated = ""
        for level in self.levels:
            text, level.first = level.first, level.rest
            prefix.append(Segment(text, level.style))
            repeated = repeated + text if level.copied else ""
        if ground is not None:
            ground_cells += sum(cell_len(segment.text) for segment in prefix)
            prefix.append(Segment(" ", ground))
            repeated = ""
        self.lines.append(
            line(
                spans,
                self.pen.width,
                self.palette.base,
                prefix=prefix,
                copied=repeated if copied else None,
                joint=joint,
                ground=ground,
                ground_end=ground_cells,
            )
        )


_CONTAINERS = frozenset(("bullet_list_close", "ordered_list_close", "list_item_close", "blockquote_close"))
# What the leaf that they belong to reads.
_INNER = frozenset(("inline", "thead_open", "tbody_open", "tr_open", "th_open", "td_open"))


def _is_tight(tokens: list[Token], index: int) -> bool:
    """Is the list that opens here written without blank lines between its items?"""
    level = tokens[index].level
    for token in tokens[index + 1 :]:
        if token.level == level and token.nesting < 0:
            return True
        if token.type == "paragraph_open" and token.level == level + 2 and not token.hidden:
            return False
    return True
