"""A scroll view that lays nothing out: for lists that grow many times a second."""

from __future__ import annotations

from typing import Any

from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip


class QuietScroll(ScrollView):
    """Shows `strip_at(y)` for each of its rows. `place` says how much there is and what is on top.

    Textual lays out the whole screen when a `virtual_size` changes or something scrolls, and styles, cuts and pads each
    strip again: 12 ms and more a time. Here only the scrollbar moves, and strips are painted as they were drawn.
    """

    DEFAULT_CSS = """
    QuietScroll {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._placing = False
        self._thumb = (-1, -1, -1)

    def strip_at(self, y: int, width: int) -> Strip:
        """Row `y` of the window, of exactly `width` cells: all of it but the scrollbar."""
        raise NotImplementedError

    def scrolled(self) -> None:
        """The user scrolled: `scroll_y` is where to."""
        raise NotImplementedError

    @property
    def window(self) -> Size:
        """What can be seen: all but the scrollbar."""
        return Size(max(self.outer_size.width - self.scrollbar_size_vertical, 0), self.outer_size.height)

    def place(self, height: int, top: int) -> None:
        """There are `height` rows, the first that is seen is `top`. Paints nothing but the scrollbar."""
        window = self.window.height
        self._placing = True
        self.virtual_size = Size(self.outer_size.width, height)
        self.scroll_target_y = self.scroll_y = top
        self._placing = False
        eighths = window * 8  # a thumb moves in eighths of a cell
        thumb = (window, top * eighths // max(height, 1), window * eighths // max(height, 1))
        if thumb != self._thumb and self.show_vertical_scrollbar:
            self._thumb = thumb
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size, bar.position = height, window, top

    def paint(self, rows: list[int]) -> None:
        """Paint these rows of the window anew."""
        if rows:
            self.refresh(*_regions(rows, self.outer_size.width))

    def paint_all(self) -> None:
        self.refresh(Region(0, 0, *self.outer_size))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if not self._placing:
            self.scrolled()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """At once: an animation would draw every page that lies between."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips as they were drawn. They end at the scrollbar, so that the compositor has nothing to cut off."""
        width = max(self.window.width, 1)
        strips = [self.strip_at(y, width) for y in crop.line_range]
        for line_filter in self.get_line_filters():
            ground = self.background_colors[1]
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        if crop.column_span != (0, self.outer_size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        return self.strip_at(y, max(self.window.width, 1))

    def selection_updated(self, selection: Selection | None) -> None:
        self.paint_all()


def _regions(rows: list[int], width: int) -> list[Region]:
    """Regions that cover rows, neighbours together."""
    regions: list[Region] = []
    start = previous = rows[0]
    for row in [*rows[1:], -1]:
        if row != previous + 1:
            regions.append(Region(0, start, width, previous - start + 1))
            start = row
        previous = row
    return regions
