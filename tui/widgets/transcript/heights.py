"""Heights of many blocks, with sums and searches that stay cheap however many there are."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """A list of heights in lines with fast prefix sums (a Fenwick tree)."""

    __slots__ = ("_tree", "_values", "total")

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._values: list[int] = []
        self._tree = [0]
        self.total = 0
        if values:
            self.reset(values)

    def reset(self, values: Iterable[int]) -> None:
        """Take new heights for all blocks: linear, for a resize."""
        self._values = list(values)
        self.total = sum(self._values)
        tree = self._tree = [0, *self._values]
        for i in range(1, len(tree)):
            above = i + (i & -i)
            if above < len(tree):
                tree[above] += tree[i]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def append(self, height: int) -> None:
        count = len(self._values)
        self._values.append(height)
        number = count + 1
        self._tree.append(self.total - self.above(number - (number & -number)) + height)
        self.total += height

    def set(self, index: int, height: int) -> None:
        difference = height - self._values[index]
        if not difference:
            return
        self._values[index] = height
        self.total += difference
        number = index + 1
        while number < len(self._tree):
            self._tree[number] += difference
            number += number & -number

    def above(self, index: int) -> int:
        """Lines above block `index`."""
        total = 0
        while index:
            total += self._tree[index]
            index -= index & -index
        return total

    def find(self, line: int) -> tuple[int, int]:
        """The block that holds `line`, and the line's place within it; (len, rest) below the last block.

        Blocks without height hold no line.
        """
        index, step = 0, 1 << len(self._tree).bit_length()
        while step := step >> 1:
            if index + step < len(self._tree) and self._tree[index + step] <= line:
                index += step
                line -= self._tree[index]
        return index, line
