"""Which lines are on the screen: draws what is seen and keeps the reading position."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from tui.widgets.transcript.folds import Fold
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.stack import Leaf, Pen, Stack

# So long may one slice of drawing take before keys are looked at again.
SLICE_S = 0.008


class View:
    """A window of `height` lines on a stack. `lines` are what it shows, `top` is the first of them."""

    def __init__(self, palette: Palette) -> None:
        self.stack = Stack(80)
        self.pen = Pen(80, palette)
        self.lines: list[Line] = []
        self.top = 0
        self.height = 0

    def paint(self, palette: Palette) -> None:
        """Draw everything anew from now on, with this palette."""
        self.pen = Pen(self.pen.width, palette)

    def look(self, top: int, *, following: bool) -> None:
        """Show the lines from `top` on, or the last ones. Whatever has to be drawn above does not move them."""
        self.pen.deadline = perf_counter() + SLICE_S
        self.pen.unfinished = False
        stack, height = self.stack, self.height
        if following:
            total = -1
            while total != stack.height:
                total = stack.height
                stack.prepare(max(total - height, 0), total, self.pen)
            self.top = max(total - height, 0)
        else:
            total = -1
            while total != stack.height:
                total = stack.height
                top = max(min(top, total - height), 0)
                top += stack.prepare(top, top + height, self.pen)
            self.top = top
        self.lines = stack.rows(self.top, self.top + height)

    def place(self, y: int) -> tuple[int, int, int]:
        """Block, inner block and row there of line `y` of the window."""
        return self.stack.place(self.top + y)

    def resize(self, width: int) -> None:
        """Another width: what stood at the top stays there."""
        outer, inner, row = self.stack.place(self.top)
        before = self._height_of(outer, inner)
        self.stack.resize(width)
        self.pen = Pen(width, self.pen.palette)
        if outer < len(self.stack.blocks):
            after = self._height_of(outer, inner)
            top = self.stack.heights.above(outer)
            block = self.stack.blocks[outer]
            if isinstance(block, Stack):
                top += block.heights.above(min(inner, len(block.heights)))
            self.top = top + row * after // max(before, 1)

    def _height_of(self, outer: int, inner: int) -> int:
        if outer >= len(self.stack.blocks):
            return 0
        block = self.stack.blocks[outer]
        if isinstance(block, Stack):
            return block.heights[inner] if inner < len(block.heights) else 0
        return block.height

    def next_fold(self, fold: Fold | None, direction: int) -> tuple[Fold, int] | None:
        """The next block that folds before or after one (None: at the end of the window), and the line it is on."""
        blocks = self.stack.blocks
        if fold is not None:
            index = blocks.index(fold) + direction
        else:
            index = min(self.place(max(self.height - 1, 0))[0], len(blocks) - 1)
        while 0 <= index < len(blocks):
            block = blocks[index]
            if isinstance(block, Fold) and block.foldable:
                return block, self.stack.heights.above(index)
            index += direction
        return None

    def leaves_between(self, first: tuple[int, int], last: tuple[int, int] | None) -> Iterator[tuple[int, int, Leaf]]:
        """The leaves from (block, inner block) to another one, both included, with their places."""
        blocks = self.stack.blocks
        end = len(blocks) - 1 if last is None else min(last[0], len(blocks) - 1)
        for outer in range(first[0], end + 1):
            block = blocks[outer]
            if isinstance(block, Leaf):
                yield outer, 0, block
                continue
            block.prepare(0, 0, self.pen)  # cuts or builds what was never seen, without drawing it
            assert isinstance(block, Stack)
            for inner, leaf in enumerate(block.leaves()):
                if (outer, inner) >= first and (last is None or (outer, inner) <= last):
                    yield outer, inner, leaf
            self.stack.measure(outer)
