"""The pieces that a growing answer is cut into, and what the parts of a long block share."""

from __future__ import annotations

from typing import Literal

from tui.widgets.transcript.grammar import closes, dedented

Kind = Literal["markdown", "code", "table", "list", "flow"]


# Plain classes: making a dataclass costs a millisecond of the program's start.
class Fence:
    """What all pieces of a code block share.

    `parts` is the code of its finished pieces, `states` the highlighter's state after each of the first pieces.
    """

    __slots__ = ("indent", "language", "mark", "parts", "states")

    def __init__(self, mark: str, indent: int, language: str) -> None:
        self.mark, self.indent, self.language = mark, indent, language
        self.parts: list[str] = []
        self.states: list[tuple[str, ...]] = []


class Table:
    """What all pieces of a table share: its first two lines, and the widths of its columns once they are chosen."""

    __slots__ = ("head", "widths")

    def __init__(self, head: str) -> None:
        self.head = head
        self.widths: list[int] = []


class Piece:
    """A block, or a part of one that is too long.

    `kind` `flow` is the rest of a paragraph: inline text, whatever its first characters look like. `number` counts the
    parts of a block, `closed` says whether this is the last one. `item` is the number of the first item where a
    numbered list goes on, `dedent` the spaces to take from each line where an item that is too long goes on.
    """

    __slots__ = ("closed", "dedent", "fence", "growing", "item", "kind", "number", "source", "table")

    def __init__(
        self,
        kind: Kind,
        source: str,
        number: int = 0,
        fence: Fence | None = None,
        table: Table | None = None,
        item: int | None = None,
        dedent: int = 0,
    ) -> None:
        self.kind, self.source, self.number = kind, source, number
        self.fence, self.table = fence, table
        self.item, self.dedent = item, dedent
        self.closed = True
        self.growing = False

    @property
    def code(self) -> str:
        """What stands between the fences, without their indentation."""
        assert self.fence is not None
        source = self.source.lstrip("\n").partition("\n")[2] if self.number == 0 else self.source
        if self.closed:
            before, _, last = source.removesuffix("\n").rpartition("\n")
            if closes(last, self.fence.mark):
                source = f"{before}\n" if before else ""
        return dedented(source, self.fence.indent)
