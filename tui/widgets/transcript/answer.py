"""The model's answer: markdown that grows, cut into pieces of which each is drawn when it is seen."""

from __future__ import annotations

from tui.core.text import clean
from tui.widgets.transcript import engines
from tui.widgets.transcript.grammar import definitions_in
from tui.widgets.transcript.markdown import References
from tui.widgets.transcript.piece import Piece
from tui.widgets.transcript.piece_leaf import PieceLeaf
from tui.widgets.transcript.splitter import Splitter
from tui.widgets.transcript.stack import Pen, Stack


class Answer(Stack):
    """Text of the model. What came but was not seen is not even cut into pieces."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self._splitter = Splitter()
        self._references: References = {}
        self._undefined: list[str] = []  # sources with definitions that were not read yet
        self._waiting: list[str] = []
        self._waiting_lines = 0
        self._waiting_chars = 0
        self._growing: PieceLeaf | None = None
        self._seen = False
        self._ending = False

    @property
    def height(self) -> int:
        if not self._waiting:
            return self.heights.total
        return self.heights.total + 1 + self._waiting_lines + self._waiting_chars // max(self.width, 1)

    def grow(self, text: str) -> None:
        self._waiting.append(text)
        self._waiting_lines += text.count("\n")
        self._waiting_chars += len(text)

    def finish(self) -> None:
        """Nothing follows: what was growing is finished."""
        self._ending = True

    def source_at(self, index: int) -> str:
        """The markdown of the block that inner block `index` belongs to: all its pieces."""
        leaves = [leaf for leaf in self.leaves() if isinstance(leaf, PieceLeaf)]
        if not leaves:
            return clean("".join(self._waiting))
        first = min(index, len(leaves) - 1)
        while first and leaves[first].piece.number:
            first -= 1
        end = first + 1
        while end < len(leaves) and leaves[end].piece.number:
            end += 1
        return "".join(leaf.piece.source for leaf in leaves[first:end]).strip("\n")

    def prepare(self, first: int, last: int, pen: Pen) -> int:
        shift = 0
        if self._waiting or self._ending:
            before = self.height
            self._split()
            if not self._seen and first > 0:
                shift = self.height - before
            self._seen = True
        if self._undefined and engines.parser() is not None:
            self._define()
        return shift + super().prepare(first + shift, last + shift, pen)

    def _split(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._waiting_lines = self._waiting_chars = 0
        if text.endswith("\r") and not self._ending:
            self._waiting.append("\r")  # it may be half of a line break
            text = text[:-1]
        text = clean(text.replace("\r\n", "\n"))
        self._splitter.feed(text)
        for piece in self._splitter.take():
            self._put(piece)
            self._growing = None
        growing = self._splitter.growing()
        if growing is not None:
            growing.growing = not self._ending
            self._growing = self._put(growing)
        self._ending = False

    def _put(self, piece: Piece) -> PieceLeaf:
        """Into the leaf that was growing, or into a new one."""
        if not piece.growing and piece.kind == "markdown" and definitions_in(piece.source):
            self._undefined.append(piece.source)
        leaf = self._growing
        if leaf is not None:
            leaf.become(piece)
            self.measure(len(self.blocks) - 1)
            return leaf
        leaf = PieceLeaf(piece, self._references, self.width)
        self.add(leaf)
        return leaf

    def _define(self) -> None:
        """Read link definitions. What refers to them may stand above, and is drawn again."""
        parser = engines.parser()
        assert parser is not None
        environment = {"references": self._references}
        for source in self._undefined:
            parser.parse(source, environment)
        self._undefined.clear()
        for leaf in self.leaves():
            if leaf.pen is not None and "[" in leaf.source:
                leaf.changed()
