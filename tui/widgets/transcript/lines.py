"""Lines as they are shown: text broken to a width, styled, with what a copy takes from it and its links."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

TAB_CELLS = 4
# No line begins with one of these, and from here on (CJK, kana, hangul) lines may break between any two characters.
_CLOSING = frozenset("，。、；：？！）」』】》〉”’")
_WIDE = 0x2E80


class Foldable(Protocol):
    """Something that a click folds or unfolds."""

    def toggle(self) -> None:
        raise NotImplementedError


class StepTarget(NamedTuple):
    """A click opens this step."""

    turn: int
    step: int


Target = str | StepTarget | Foldable
"""What a click means: follow an address, open a step, fold or unfold."""


class Line:
    """One line of the transcript, padded to the full width.

    `text` is what a copy takes (None: nothing, not even a line break), it begins at character `start` of the strip;
    `joint` stands between it and the next line in a copy: a line break, or what a soft break swallowed.
    `targets` are (first cell, end cell, what a click there means).
    """

    __slots__ = ("_strip", "cells", "joint", "segments", "start", "targets", "text")

    def __init__(
        self,
        segments: list[Segment],
        cells: int,
        text: str | None,
        start: int = 0,
        joint: str = "\n",
        targets: tuple[tuple[int, int, Target], ...] = (),
    ) -> None:
        self.segments = segments
        self.cells = cells
        self.text = text
        self.start = start
        self.joint = joint
        self.targets = targets
        self._strip: Strip | None = None

    @property
    def strip(self) -> Strip:
        """What Textual shows. Made for lines that are seen: each strip holds seven caches."""
        if self._strip is None:
            self._strip = Strip(self.segments, self.cells)
        return self._strip

    def same(self, other: Line) -> bool:
        """Is all of it equal, so that the old line (and what Textual keeps with its strip) can stay?"""
        return (
            self.text == other.text
            and self.joint == other.joint
            and self.targets == other.targets
            and self.segments == other.segments
        )

    def target_at(self, cell: int) -> Target | None:
        return next((target for first, end, target in self.targets if first <= cell < end), None)


class Span:
    """A piece of text in one style; a click on it may have a target."""

    __slots__ = ("style", "target", "text")

    def __init__(self, text: str, style: Style, target: Target | None = None) -> None:
        self.text = text
        self.style = style
        self.target = target


Breaker = Callable[[str, int], list[tuple[int, int, str]]]


def fit(text: str, start: int, width: int) -> int:
    """Where the longest piece of `text` from `start` ends that is at most `width` cells wide; never nothing."""
    end = start + width
    piece = text[start:end]
    if piece.isascii():
        return min(end, len(text))
    # Zero-width characters make a piece of more characters fit; graphemes are never cut.
    cells, place = 0, start
    for first, stop, size in split_graphemes(text[start : start + 2 * width + 8])[0]:
        if cells + size > width and first:
            break
        cells += size
        place = start + stop
    while place - start > 1 and cell_len(text[start:place]) > width:
        place -= 1  # the two functions disagree about joiners that join nothing
    return place


def wrap(text: str, width: int) -> list[tuple[int, int, str]]:
    """Break one line of text into rows of at most `width` cells: (start, end, joint), words kept whole if possible.

    `joint` is what a copy puts after the row: the space that the break swallowed, or nothing.
    """
    width = max(width, 1)
    rows: list[tuple[int, int, str]] = []
    start, length = 0, len(text)
    while True:
        end = fit(text, start, width)
        if end >= length:
            rows.append((start, length, ""))
            return rows
        cut = end if text[end] == " " else text.rfind(" ", start, end)
        if cut <= start or (text[end] != " " and _breaks_anywhere(text, cut, end)):
            end = end - 1 if text[end] in _CLOSING and end - 1 > start else end
            rows.append((start, end, ""))
            start = end
            continue
        stop = cut
        while stop > start and text[stop - 1] == " ":
            stop -= 1
        rows.append((start, stop, " "))
        start = cut
        while start < length and text[start] == " ":
            start += 1
        if start >= length:
            return rows


def _breaks_anywhere(text: str, space: int, end: int) -> bool:
    """Is the word that would move to the next row written without spaces, so that the row may be filled instead?"""
    return ord(text[end - 1]) >= _WIDE and space < end - 1


def chop(text: str, width: int) -> list[tuple[int, int, str]]:
    """Break a line of code into rows of at most `width` cells, anywhere; its spaces all stay."""
    width = max(width, 1)
    rows: list[tuple[int, int, str]] = []
    start = 0
    while True:
        end = fit(text, start, width)
        rows.append((start, end, ""))
        if end >= len(text):
            return rows
        start = end


def chop_at_blanks(text: str, width: int) -> list[tuple[int, int, str]]:
    """Break a line of output into rows of at most `width` cells, between words if possible; a copy has all spaces."""
    width = max(width, 1)
    rows: list[tuple[int, int, str]] = []
    start = 0
    while True:
        end = fit(text, start, width)
        if end < len(text) and text[end] != " ":
            cut = text.rfind(" ", start, end) + 1
            end = cut if text[start:cut].strip() else end
        joint = " " if text[end : end + 1] == " " else ""  # the one at the break stays for a copy only
        rows.append((start, end, joint))
        start = end + len(joint)
        if start >= len(text):
            return rows


def truncate(text: str, width: int) -> str:
    """`text` in at most `width` cells, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    start = text[: fit(text, 0, max(width - 1, 1))]
    if cell_len(start) >= width:  # one wide character is more than there is room for
        start = ""
    return f"{start}…"[: max(width, 0)]


def rows_of(spans: Iterable[Span], width: int, breaker: Breaker = wrap) -> list[tuple[list[Span], str]]:
    """Styled text (line breaks in it count) as rows of at most `width` cells, each with its joint."""
    spans = [span for span in spans if span.text]
    text = "".join(span.text for span in spans)
    rows: list[tuple[list[Span], str]] = []
    offset, cursor = 0, _Cursor(spans)
    for line in text.split("\n"):
        broken = breaker(line, width)
        for start, end, joint in broken[:-1]:
            rows.append((cursor.take(offset + start, offset + end), joint))
        start, end, _ = broken[-1]
        rows.append((cursor.take(offset + start, offset + end), "\n"))
        offset += len(line) + 1
    return rows


class _Cursor:
    """Cuts ranges out of spans, going forward only."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        self.index = 0
        self.offset = 0  # where spans[index] begins

    def take(self, start: int, end: int) -> list[Span]:
        taken: list[Span] = []
        while self.index < len(self.spans):
            span = self.spans[self.index]
            stop = self.offset + len(span.text)
            if start < stop and end > self.offset:
                first = max(start - self.offset, 0)
                taken.append(Span(span.text[first : end - self.offset], span.style, span.target))
            if stop > end:
                break
            self.index += 1
            self.offset = stop
        return taken


def line(
    spans: Sequence[Span],
    width: int,
    base: Style,
    *,
    prefix: Sequence[Segment] = (),
    copied: str | None = "",
    joint: str = "\n",
    ground: Style | None = None,
    ground_end: int = 0,
) -> Line:
    """A full line: `prefix` (decoration, the end of which `copied` repeats), the text, and padding.

    `copied` is the part of the prefix that belongs to the text (a list's bullet); None: nothing of the line is copied.
    The padding is `ground` up to cell `ground_end`, then `base`.
    """
    segments = list(prefix)
    cells = sum(cell_len(segment.text) for segment in prefix)
    start = sum(len(segment.text) for segment in prefix) - len(copied or "")
    targets: list[tuple[int, int, Target]] = []
    for span in spans:
        segments.append(Segment(span.text, span.style))
        size = cell_len(span.text)
        if span.target is not None:
            targets.append((cells, cells + size, span.target))
        cells += size
    if ground is not None and cells < min(ground_end, width):
        segments.append(Segment(" " * (min(ground_end, width) - cells), ground))
        cells = min(ground_end, width)
    if cells < width:
        segments.append(Segment(" " * (width - cells), base))
    if cells > width:
        segments = list(Strip(segments, cells).adjust_cell_length(width, base))
    text = None if copied is None else copied + "".join(span.text for span in spans)
    return Line(segments, width, text, start, joint, tuple(targets))


def blank(width: int, fill: Style, text: str | None = "") -> Line:
    """A line with nothing on it; with text None a copy leaves it out."""
    return Line([Segment(" " * width, fill)], width, text)


def cell_of(text: str, index: int) -> int:
    """The cell at which character `index` of `text` begins."""
    return cell_len(text[:index])
