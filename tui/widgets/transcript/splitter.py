"""Cuts a growing markdown text into top-level blocks, looking at each line once.

A block is finished only when no text that may follow can change it. What grows for long (code, tables, lists, a
paragraph without end) is cut into pieces, so that no piece is expensive to draw. The sources of all pieces, joined, are
the text. The rules are CommonMark's (with tables), applied to lines: what is inside a block is the parser's business.
"""

from __future__ import annotations

from tui.widgets.transcript.grammar import (
    DASHES,
    FENCE,
    HEADING,
    ITEM,
    RULE,
    UNDERLINE,
    closes,
    content_indent,
    interrupts,
    is_head,
    leading_cells,
    marker_of,
)
from tui.widgets.transcript.piece import Fence, Kind, Piece, Table

# A piece of these sizes is drawn in a few milliseconds.
LINES = 40
CHARS = 3000
# An item of a list is kept whole for longer; from the first size on it is cut at its inner items, at worst anywhere.
ITEM_CHARS = 2000
LONGEST_ITEM_CHARS = 6000


class Splitter:
    """Feed it text in any cutting; `take` gives what is finished, `growing` what is not."""

    def __init__(self) -> None:
        self._finished: list[Piece] = []
        self._partial = ""
        self._lines: list[str] = []
        self._chars = 0
        self._kind = ""  # "", paragraph, list, quote, table, indented
        self._ended = False  # nothing but a blank line, or a new block, can follow
        self._part = 0
        self._fence: Fence | None = None
        self._table: Table | None = None
        self._marker = ""
        self._item_indent = 0
        self._items = 0
        self._first_item: int | None = None
        self._dedent = 0
        self._flow = False
        self._lazy = False  # a line outside of the margin was added to a list or quote
        self._stuck = False

    def feed(self, text: str) -> None:
        lines = (self._partial + text).split("\n")
        self._partial = lines.pop()
        for line in lines:
            self._take_line(line if len(line) <= CHARS else self._cut_long_line(line))
        if self._ended and self._partial[:1].isalpha():
            self._cut()  # a letter at the margin begins a paragraph whatever follows
        if len(self._partial) > CHARS:
            self._partial = self._cut_long_line(self._partial)

    def take(self) -> list[Piece]:
        """The pieces that were finished since the last time."""
        finished, self._finished = self._finished, []
        return finished

    def growing(self) -> Piece | None:
        """What may still change, as a piece of its own."""
        if not self._lines and not self._partial:
            return None
        piece = self._piece()
        piece.source += self._partial
        piece.closed, piece.growing = False, True
        return piece

    # Lines

    def _take_line(self, line: str) -> None:
        if self._fence is not None:
            self._take_code(line)
            return
        stripped = line.lstrip(" \t")
        if not stripped:
            self._take_blank(line)
            return
        indent = len(line) - len(stripped) if "\t" not in line else leading_cells(line)
        if self._stuck:
            self._take_when_stuck(line, indent)
        elif self._kind == "list":
            self._take_in_list(line, indent)
        elif self._ended or not self._kind:
            self._begin(line, indent)
        else:
            getattr(self, f"_take_in_{self._kind}")(line, indent)

    def _take_when_stuck(self, line: str, indent: int) -> None:
        """Whose the lines above are is not known; what surely begins a paragraph or a heading ends the doubt."""
        if self._ended and not indent and (line[0].isalpha() or line[0] == "#"):
            self._begin(line, indent)
            return
        self._ended = False
        self._add(line)
        if self._chars > LONGEST_ITEM_CHARS:
            self._cut(going_on=True)

    def _take_blank(self, line: str) -> None:
        if self._kind in ("paragraph", "quote", "table", "list"):
            self._ended = True
        self._add(line)

    def _take_code(self, line: str) -> None:
        assert self._fence is not None
        self._add(line)
        if closes(line, self._fence.mark):
            self._cut()
            self._fence = None
        elif self._is_long():
            self._cut(going_on=True)

    def _take_in_paragraph(self, line: str, indent: int) -> None:
        if DASHES.match(line) and self._lines and is_head(self._lines[-1], line):
            self._begin_table(line)
        elif indent < 4 and UNDERLINE.match(line) and not self._flow:
            self._add(line)
            self._ended = True
        elif interrupts(line, indent):
            self._begin(line, indent)
        else:
            self._add(line)
            if self._is_long():
                self._cut(going_on=True)
                self._flow = True

    def _take_in_quote(self, line: str, indent: int) -> None:
        if line.lstrip(" ").startswith(">"):
            self._add(line)
            if self._is_long() and not self._lazy:
                self._cut(going_on=True)
        elif self._ends_container(line, indent):
            self._begin(line, indent)
        else:
            self._lazy = True
            self._add(line)

    def _ends_container(self, line: str, indent: int) -> bool:
        """Does a line left of a quote's or an item's margin begin a block? Else it may go on their paragraph."""
        weak = indent < 4 and ITEM.match(line) is not None
        if self._lazy and (UNDERLINE.match(line) or (weak and not interrupts(line, indent))):
            # It underlines or goes on a paragraph, or begins a list: that depends on what was lazy above.
            self._stuck = True
            return False
        return weak or interrupts(line, indent)

    def _take_in_table(self, line: str, indent: int) -> None:
        if indent >= 4 or ITEM.match(line) or interrupts(line, indent):
            self._begin(line, indent)
            return
        self._add(line)
        if self._is_long():
            self._cut(going_on=True)

    def _take_in_indented(self, line: str, indent: int) -> None:
        if indent < 4:
            self._begin(line, indent)
            return
        self._add(line)
        if self._is_long():
            self._cut(going_on=True)

    def _take_in_list(self, line: str, indent: int) -> None:
        if indent >= self._item_indent:
            self._stuck = self._lazy and FENCE.match(line) is not None  # the item's, or the lazy paragraph's
            self._grow_item(line, indent)
            return
        item = ITEM.match(line) if indent < 4 and not RULE.match(line) else None
        if item is not None and marker_of(item) == self._marker:
            if self._is_long() or self._dedent or self._flow:
                self._cut(going_on=True)
                self._dedent, self._flow = 0, False
                self._first_item = self._items if self._marker in ".)" else None
            self._items += 1
            self._item_indent = content_indent(item)
            self._ended = False
            self._add(line)
        elif self._ended or self._ends_container(line, indent):
            self._begin(line, indent)
        else:
            self._lazy = True
            self._grow_item(line, indent)

    def _grow_item(self, line: str, indent: int) -> None:
        """A line of an item. An item without end is cut at its inner items, at worst anywhere."""
        inner = self._chars > ITEM_CHARS and ITEM.match(line.lstrip(" "))
        if inner or self._chars > LONGEST_ITEM_CHARS:
            self._cut(going_on=True)
            self._dedent = indent
        self._ended = False
        self._add(line)

    # Beginnings and ends

    def _begin(self, line: str, indent: int) -> None:
        """A new top-level block starts with this line; blank lines before the first one belong to it."""
        if self._kind:
            self._cut()
        if indent >= 4:
            self._kind = "indented"
        elif fence := FENCE.match(line):
            self._kind = "code"
            mark, info = (fence[1], fence[2]) if fence[1] else (fence[3], fence[4])
            self._fence = Fence(mark, indent, info.strip().split(" ")[0].lower())
        elif HEADING.match(line) or RULE.match(line):
            self._kind = "paragraph"
            self._ended = True
        elif line[indent] == ">":
            self._kind = "quote"
        elif item := ITEM.match(line):
            self._kind = "list"
            self._marker = marker_of(item)
            self._item_indent = content_indent(item)
            self._items = int(item[3] or 0) + 1
        else:
            self._kind = "paragraph"
        self._add(line)

    def _begin_table(self, line: str) -> None:
        """`line` is the row of dashes below a table's head, which looked like a paragraph."""
        header = self._lines.pop()
        self._chars -= len(header)
        if any(not line.isspace() for line in self._lines):
            self._cut()
        self._kind = "table"
        self._table = Table(f"{header}{line}\n")
        self._add(header.rstrip("\n"))
        self._add(line)

    def _is_long(self) -> bool:
        return len(self._lines) >= LINES or self._chars > CHARS

    def _add(self, line: str) -> None:
        self._lines.append(line + "\n")
        self._chars += len(line) + 1

    def _piece(self) -> Piece:
        kind: Kind = "markdown"
        if self._fence is not None:
            kind = "code"
        elif self._kind == "table" and not (self._ended and self._partial):
            kind = "table"
        elif self._flow:
            kind = "flow"
        elif self._kind == "list":
            kind = "list"
        table = self._table if kind == "table" else None
        return Piece(kind, "".join(self._lines), self._part, self._fence, table, self._first_item, self._dedent)

    def _cut(self, going_on: bool = False) -> None:
        """What was gathered is finished: as a block, or as a part of one that goes on."""
        if self._lines:
            piece = self._piece()
            piece.closed = not going_on
            self._finished.append(piece)
            if piece.fence is not None:
                piece.fence.parts.append(piece.code)
        self._lines = []
        self._chars = 0
        self._ended = False
        self._part = self._part + 1 if going_on else 0
        if not going_on:
            self._kind, self._flow, self._lazy, self._stuck = "", False, False, False
            self._first_item, self._dedent, self._table = None, 0, None

    def _cut_long_line(self, line: str) -> str:
        """A line without end: its beginning is finished, at a space or anywhere. Returns its rest."""
        if self._ended or not self._kind:
            self._begin(line, leading_cells(line))
            self._lines.pop()
            self._chars -= len(line) + 1
        while len(line) > CHARS:
            half = CHARS // 2
            place = line.rfind(" ", half // 2, half) + 1 or half
            self._lines.append(line[:place])
            line = line[place:]
            self._cut(going_on=True)
            self._flow = self._fence is None and self._kind != "table"
        return line
