"""Blocks above one another, of which only those that are seen are drawn."""

from __future__ import annotations

from collections import OrderedDict
from time import perf_counter
from typing import Protocol

from tui.widgets.transcript.heights import Heights
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.palette import Palette

PROSE_CELLS = 100
# Drawn lines that are kept though they are not seen: many objects, that Python's collector has to look through.
KEPT_LINES = 1000
KEPT_LEAVES = 300


class Pen:
    """How to draw: one is made for each width, theme and state of the highlighter. Lines of another pen are stale.

    `deadline` (of `perf_counter`) ends a slice of drawing; `unfinished` says that something seen was left for the next.
    """

    def __init__(self, width: int, palette: Palette) -> None:
        self.width = width
        self.palette = palette
        self.deadline = float("inf")
        self.unfinished = False
        self._drawn: OrderedDict[Leaf, None] = OrderedDict()
        self._lines = 0

    @property
    def prose_width(self) -> int:
        """Cells of a line of prose: one cell of margin on either side, and not wider than the eye likes."""
        return max(min(self.width - 2, PROSE_CELLS), 1)

    @property
    def wide_width(self) -> int:
        """Cells of a line of code, of a diff, of a table, of the user's words: all between the margins."""
        return max(self.width - 2, 1)

    def late(self) -> bool:
        return perf_counter() > self.deadline

    def keep(self, leaf: Leaf, lines: int) -> None:
        """`leaf` was seen just now with `lines` new lines; what was not seen for the longest time is dropped."""
        self._lines += lines
        self._drawn[leaf] = None
        self._drawn.move_to_end(leaf)
        while self._lines > KEPT_LINES and len(self._drawn) > KEPT_LEAVES:
            oldest, _ = self._drawn.popitem(last=False)
            self._lines -= len(oldest.lines)
            oldest.forget()


class Block(Protocol):
    """A part of the transcript. Rows count from its top; what is not drawn yet has an estimated height."""

    @property
    def height(self) -> int:
        raise NotImplementedError

    def resize(self, width: int) -> None:
        """The width changed; `height` is what is known or estimated for the new one."""

    def prepare(self, first: int, last: int, pen: Pen) -> int:
        """Draw what lies between two rows. Returns by how many lines what is above or across row `first` grew."""
        raise NotImplementedError

    def rows(self, first: int, last: int) -> list[Line]:
        """The lines between two rows, which were prepared; nothing outside of the block."""
        raise NotImplementedError


_PENDING = Line([], 0, "")


class Leaf:
    """A block that is drawn as a whole: a few milliseconds of work at most."""

    __slots__ = ("_estimated", "_heights", "_width", "height", "lines", "pen", "provisional")

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        self.pen: Pen | None = None
        self.provisional = False  # drawn, but not yet as it should be
        self._heights: dict[int, int] = {}  # by width, once drawn
        self.resize(width)

    def draw(self, pen: Pen) -> list[Line]:
        raise NotImplementedError

    @property
    def source(self) -> str:
        """Its text as it came."""
        raise NotImplementedError

    def estimate(self, width: int) -> int:
        """Lines that it will take; cheap."""
        raise NotImplementedError

    def changed(self) -> None:
        """It is to be drawn again, and no height is known any more but the present one."""
        self.pen = None
        self._heights.clear()
        if not self.height:
            self.resize(self._width)  # what has no height is never seen, so never drawn

    def forget(self) -> None:
        """Give the memory of the lines back; the heights stay known."""
        self.lines = []
        self.pen = None

    def resize(self, width: int) -> None:
        self._width = width
        self._estimated = width not in self._heights
        self.height = self.estimate(width) if self._estimated else self._heights[width]

    def prepare(self, first: int, last: int, pen: Pen) -> int:
        if self.pen is pen and not self.provisional:
            pen.keep(self, 0)
            return 0
        if pen.late():
            pen.unfinished = True
            return 0
        self.provisional = False
        fresh = self.draw(pen)
        old = self.lines
        for i in range(min(len(fresh), len(old))):
            if old[i].same(fresh[i]):
                fresh[i] = old[i]
        pen.keep(self, len(fresh) - (len(old) if self in pen._drawn else 0))
        self.lines, self.pen = fresh, pen
        # What was only guessed keeps its end in place, so that what is read below it stays. What grows, grows there.
        shift = len(fresh) - self.height if first > 0 and self._estimated else 0
        self.height = self._heights[self._width] = len(fresh)
        self._estimated = False
        return shift

    def rows(self, first: int, last: int) -> list[Line]:
        if len(self.lines) != self.height and self.pen is None:  # its turn comes in the next slice
            return [*self.lines, *[_PENDING] * (self.height - len(self.lines))][max(first, 0) : max(last, 0)]
        return self.lines[max(first, 0) : max(last, 0)]


class Stack:
    """Blocks above one another. It is a block itself."""

    def __init__(self, width: int) -> None:
        self.blocks: list[Block] = []
        self.heights = Heights()
        self.width = width

    @property
    def height(self) -> int:
        return self.heights.total

    def add(self, block: Block) -> None:
        self.blocks.append(block)
        self.heights.append(block.height)

    def measure(self, index: int) -> None:
        """The height of a block changed from inside."""
        self.heights.set(index, self.blocks[index].height)

    def resize(self, width: int) -> None:
        self.width = width
        for block in self.blocks:
            block.resize(width)
        self.heights.reset(block.height for block in self.blocks)

    def prepare(self, first: int, last: int, pen: Pen) -> int:
        shift = 0
        while True:
            moved = self._prepare_once(first + shift, last + shift, pen)
            shift += moved
            if not moved:
                return shift

    def _prepare_once(self, first: int, last: int, pen: Pen) -> int:
        if not self.blocks:
            return 0
        shift = 0
        index, row = self.heights.find(max(first, 0))
        top = max(first, 0) - row
        while index < len(self.blocks) and top < last:
            grown = self.blocks[index].prepare(first - top, last - top, pen)
            self.measure(index)
            shift += grown
            first += grown
            last += grown
            top += self.heights[index]
            index += 1
        return shift

    def place(self, row: int) -> tuple[int, int, int]:
        """Block, block inside of that (0 if it has none), and row there, of one of our rows."""
        index, row = self.heights.find(row)
        block = self.blocks[index] if index < len(self.blocks) else None
        return (index, *block.heights.find(row)) if isinstance(block, Stack) else (index, 0, row)

    def leaves(self) -> list[Leaf]:
        """The blocks that are not stacks themselves."""
        return [block for block in self.blocks if isinstance(block, Leaf)]

    def rows(self, first: int, last: int) -> list[Line]:
        lines: list[Line] = []
        index, row = self.heights.find(max(first, 0))
        top = max(first, 0) - row
        while index < len(self.blocks) and top < last:
            lines += self.blocks[index].rows(first - top, last - top)
            top += self.heights[index]
            index += 1
        return lines
