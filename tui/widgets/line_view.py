"""Lines to read, however many and however long: only what is seen is drawn."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import ClassVar, Literal, NamedTuple

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.text import clean

Kind = Literal["text", "heading", "muted", "field", "json", "added", "removed", "hunk", "success", "warning", "error"]
_PROSE = frozenset({"text", "muted", "warning", "error"})
"""What is broken between words."""
_TAB_CELLS = 4
_JSON_KEY = re.compile(r'\s*"(?:[^"\\]|\\.)*"(?=:)')
_FIELD_KEY = re.compile(r"\s*\S+(?: \S+)*(?=  )")
_DIFF_KINDS: dict[str, Kind] = {"+": "added", "-": "removed", "@": "hunk"}


class Line(NamedTuple):
    """A line of cleaned text and what it is. In `json` the key stands out, in a `field` (`name  value`) the name."""

    text: str
    kind: Kind = "text"


def lines_of(text: str, kind: Kind = "text") -> list[Line]:
    """Untrusted text as lines."""
    return [Line(line.expandtabs(_TAB_CELLS), kind) for line in clean(text).split("\n")]


def diff_lines(text: str) -> list[Line]:
    """A unified diff as lines; what is added and removed can be told by its sign as well as by its colour."""
    found = []
    for line in lines_of(text.rstrip("\n")):
        is_name = line.text.startswith(("+++ ", "--- "))
        found.append(Line(line.text, "muted" if is_name else _DIFF_KINDS.get(line.text[:1], "text")))
    return found


class _CellSizes(dict[int, str]):
    """The width of a character, as a digit, found when it is first asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = size = str(get_character_cell_size(chr(code)))
        return size


_CELL_SIZES = _CellSizes()


def cuts(text: str, width: int, at_words: bool) -> list[int]:
    """Where the rows of a line begin when they are `width` cells wide, and the end of the last one.

    A wide character is never cut. Counting in a string of widths is ten times as fast as measuring pieces of the text.
    """
    sizes = "" if text.isascii() else text.translate(_CELL_SIZES)
    found = [0]
    while (start := found[-1]) < len(text):
        end = min(start + width, len(text))
        while sizes and end > start + 1:
            over = end - start + sizes.count("2", start, end) - sizes.count("0", start, end) - width
            if over <= 0:
                break
            end -= max(over // 2, 1)
        if at_words and end < len(text) and (space := text.rfind(" ", start, end + 1)) > start:
            end = space + 1  # the space itself may hang over the edge
        found.append(end)
    return found if len(found) > 1 else [0, 0]


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows lines, long ones broken, with the keys and the wheel to scroll. Left and right are left to others."""

    BINDINGS: ClassVar = [
        Binding("up,k", "scroll_up", show=False),
        Binding("down,j", "scroll_down", show=False),
        Binding("pageup,b", "page_up", show=False),
        Binding("pagedown,space", "page_down", show=False),
        Binding("home,g", "scroll_home", show=False),
        Binding("end,G", "scroll_end", show=False),
    ]
    COMPONENT_CLASSES: ClassVar = {
        "line-view--heading",
        "line-view--muted",
        "line-view--key",
        "line-view--added",
        "line-view--removed",
        "line-view--hunk",
        "line-view--success",
        "line-view--warning",
        "line-view--error",
    }
    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & .line-view--heading { color: $primary; text-style: bold; }
        & .line-view--muted { color: $text-muted; }
        & .line-view--key { color: $secondary; }
        & .line-view--added { color: $success; }
        & .line-view--removed { color: $error; }
        & .line-view--hunk { color: $secondary; }
        & .line-view--success { color: $success; }
        & .line-view--warning { color: $warning; }
        & .line-view--error { color: $error; }
    }
    """

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = lines
        self._width = 0
        self._ends: list[int] = []
        """For each line, how many rows it and all before it take."""
        self._cuts: dict[int, list[int]] = {}
        """Where the rows of a line begin and end, for lines that are not simply cut every `width` characters."""
        self._styles: dict[str, Style] = {}

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines, from their beginning."""
        self._lines, self._width = lines, 0
        self._wrap()
        self.scroll_to(y=0, animate=False, force=True)
        self.refresh()

    def row_of(self, line: int) -> int:
        """Which row a line begins at."""
        return self._ends[line - 1] if 0 < line <= len(self._ends) else 0

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self._lines)

    def rows(self, first: int, last: int) -> list[str]:
        """The text of rows `first` to `last` (not included), as they are broken now."""
        found = []
        for row in range(max(first, 0), min(last, self._ends[-1] if self._ends else 0)):
            index, start, end = self._place(row)
            found.append(self._lines[index].text[start:end])
        return found

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Rows that all lines take; of more than a screen holds, some number that is larger than that."""
        rows = 0
        for line in self._lines:
            rows += len(cuts(line.text[: viewport.area], max(width, 1), line.kind in _PROSE)) - 1
            if rows > viewport.height:
                break
        return rows

    def on_resize(self, event: events.Resize) -> None:
        self._wrap()

    def watch_show_vertical_scrollbar(self) -> None:
        """The bar takes a column of what is there already: nothing may stay under it unread."""
        self._wrap()

    def _wrap(self) -> None:
        """Find which row each line begins at. Takes 10 ms for a megabyte; nothing is drawn."""
        width = self.scrollable_content_region.width
        if width == self._width or width < 1:
            return
        self._width, self._cuts = width, {}
        heights = []
        for index, (text, kind) in enumerate(self._lines):
            is_ascii = text.isascii()
            if is_ascii and len(text) <= width:
                heights.append(1)
            elif is_ascii and kind not in _PROSE:
                heights.append(-(-len(text) // width))
            else:
                self._cuts[index] = cuts(text, width, kind in _PROSE)
                heights.append(len(self._cuts[index]) - 1)
        self._ends = list(accumulate(heights))
        self.virtual_size = Size(width, self._ends[-1] if self._ends else 0)

    def action_scroll_home(self) -> None:
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        self.scroll_end(animate=False)  # sliding through a megabyte would draw much that nobody reads

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        styles = self._styles or self._find_styles()
        row = self.scroll_offset.y + y
        if not self._ends or row >= self._ends[-1]:
            return Strip.blank(self.size.width, styles["text"])
        index, start, end = self._place(row)
        text, kind = self._lines[index]
        strip = Strip(_pieces(text, start, end, kind, styles))
        return strip.adjust_cell_length(self.size.width, styles["text"])

    def _place(self, row: int) -> tuple[int, int, int]:
        """Which line a row belongs to, and where in it the row begins and ends."""
        index = bisect_right(self._ends, row)
        part = row - (self._ends[index - 1] if index else 0)
        if (places := self._cuts.get(index)) is not None:
            return index, places[part], places[part + 1]
        return index, part * self._width, (part + 1) * self._width

    def _find_styles(self) -> dict[str, Style]:
        names = (name.removeprefix("line-view--") for name in self.COMPONENT_CLASSES)
        self._styles = {name: self.get_component_rich_style(f"line-view--{name}") for name in names}
        self._styles["text"] = self.rich_style
        return self._styles


def _pieces(text: str, start: int, end: int, kind: Kind, styles: dict[str, Style]) -> Iterable[Segment]:
    if kind not in ("json", "field"):
        return [Segment(text[start:end], styles[kind])]
    key, name = (_JSON_KEY, "key") if kind == "json" else (_FIELD_KEY, "muted")
    match = key.match(text, 0, 1000) if start == 0 else None
    after = min(match.end(), end) if match else start
    return [Segment(text[start:after], styles[name]), Segment(text[after:end], styles["text"])]
