"""Lines on the screen: frames, scrolling and selection of what a `View` holds."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from tui.widgets.transcript import engines
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.palette import palette_of
from tui.widgets.transcript.selection import highlighted, place_of, selected_text
from tui.widgets.transcript.view import View

FRAMES_PER_S = 30
_OVERLAP_LINES = 2


class LineView(ScrollView, can_focus=True):
    """Shows the lines of a view and keeps them in place. Who changes what the view shows asks for a frame.

    Textual's way of drawing is left aside where it costs: a new height lays nothing out, strips are handed to the
    compositor as they were drawn, and of a frame only the lines that differ are painted.
    """

    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $background;
        color: $foreground;
    }
    """
    ALLOW_SELECT = True

    # Only the scrollbar depends on it, and `_place` sees to that.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False, repaint=False)
    following: reactive[bool] = reactive(True, repaint=False)
    """Does the end stay in view? Not after scrolling away from it: then there is more below."""

    class EngineReady(Message):
        """What was drawn plainly can be drawn properly now."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.view = View(palette_of({}))
        self._variables: object = None  # the theme's, of which the palette was made
        self._frame_due = False
        self._frame_timer: Timer | None = None
        self._placing = False
        self._thumb = (-1, -1, -1)

    # Frames

    def on_mount(self) -> None:
        self._frame_timer = self.set_interval(1 / FRAMES_PER_S, self.frame, pause=not self._frame_due)
        engines.when_ready(self._engine_ready)

    def on_unmount(self) -> None:
        engines.forget(self._engine_ready)

    def ask_for_frame(self) -> None:
        """Draw soon: at the next of 30 moments a second."""
        self._frame_due = True
        if self._frame_timer is not None:
            self._frame_timer.resume()

    def frame(self) -> None:
        """Draw what is seen, put it in its place, and refresh the lines that changed."""
        if self._frame_timer is not None:
            self._frame_timer.pause()
        self._frame_due = False
        width, height = self.outer_size.width - self.scrollbar_size_vertical, self.outer_size.height
        if width < 1 or height < 1:
            return
        view = self.view
        top = round(self.scroll_y)
        if self._variables is not self.app.theme_variables:
            self._variables = self.app.theme_variables
            view.paint(palette_of(self.app.theme_variables))
        if view.pen.width != width:
            view.top = top
            view.resize(width)
            top = view.top
        view.height = height
        before = view.lines
        view.look(top, following=self.following)
        self._place(view.top)
        self._refresh_changed(before, view.lines)
        if view.pen.unfinished:
            self.ask_for_frame()

    def _place(self, top: int) -> None:
        """Scroll to a line without drawing again, and move the scrollbar if that can be seen."""
        height, window = self.view.stack.height, self.view.height
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

    def _refresh_changed(self, before: list[Line], after: list[Line]) -> None:
        if len(before) != len(after):
            self.refresh_all()
            return
        rows = [y for y, line in enumerate(after) if line is not before[y]]
        if rows:
            self.refresh(*_regions(rows, self.outer_size.width))

    def refresh_all(self) -> None:
        """Paint every line anew; nothing is drawn again."""
        self.refresh(Region(0, 0, *self.outer_size))

    def on_resize(self, event: events.Resize) -> None:
        self.frame()

    def on_line_view_engine_ready(self) -> None:
        self.view.paint(self.view.pen.palette)
        self.ask_for_frame()

    def _engine_ready(self) -> None:
        self.post_message(self.EngineReady())

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_attached and self._variables is not self.app.theme_variables:
            self.ask_for_frame()

    # Scrolling

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if not self._placing:
            self.following = round(new_value) >= self.max_scroll_y
            self.frame()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """At once: an animation would draw every page that lies between."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def scroll_end(self, **options: Any) -> None:
        """To the end, and follow it from now on."""
        self.following = True
        self.frame()

    def scroll_page_up(self, **options: Any) -> None:
        """A page up; two lines stay in view."""
        self.scroll_to(y=self.scroll_y - max(self.view.height - _OVERLAP_LINES, 1))

    def scroll_page_down(self, **options: Any) -> None:
        """A page down; two lines stay in view."""
        self.scroll_to(y=self.scroll_y + max(self.view.height - _OVERLAP_LINES, 1))

    # Lines

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips as they were drawn: nothing is styled, cut or padded again, but for a selection.

        They end at the scrollbar, so that the compositor has nothing to cut off.
        """
        selection = self.text_selection
        strips = [self.strip_at(y, selection) for y in crop.line_range]
        for line_filter in self.get_line_filters():
            ground = self.background_colors[1]
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        if crop.column_span != (0, self.outer_size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """A line with its offsets: Textual asks for single lines only to find out what the mouse selects."""
        strip = self.strip_at(y, None)
        if y >= len(self.view.lines):
            return strip
        return strip.apply_offsets(0, place_of(*self.view.place(y)))

    def strip_at(self, y: int, selection: Selection | None) -> Strip:
        """Line `y` of the window, with what is selected of it."""
        view, width = self.view, max(self.outer_size.width - self.scrollbar_size_vertical, 1)
        if y >= len(view.lines):
            return Strip.blank(width, view.pen.palette.base)
        line = view.lines[y]
        strip = line.strip
        if selection is not None and (span := selection.get_span(place_of(*view.place(y)))):
            strip = highlighted(line, *span, self._selection_style())
        return strip.adjust_cell_length(width, view.pen.palette.base)

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selected_text(self.view, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh_all()

    def _selection_style(self) -> Style:
        return self.screen.get_component_rich_style("screen--selection")


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
