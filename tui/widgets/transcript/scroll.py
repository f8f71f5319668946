"""Lines on the screen: frames, scrolling and selection of what a `View` holds."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from tui.widgets.quiet_scroll import QuietScroll
from tui.widgets.ticks import until_tick_s
from tui.widgets.transcript import engines
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.palette import palette_of
from tui.widgets.transcript.selection import highlighted, place_of, selected_text
from tui.widgets.transcript.view import View

FRAMES_PER_S = 30
_OVERLAP_LINES = 2


class StackScroll(QuietScroll, can_focus=True):
    """Shows the lines of a view and keeps them in place. Who changes what the view shows asks for a frame.

    Of a frame only the lines that differ are painted.
    """

    DEFAULT_CSS = """
    StackScroll {
        height: 1fr;
        background: $background;
        color: $foreground;
    }
    """
    ALLOW_SELECT = True

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
        self._calm_timer: Timer | None = None

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

    def ask_for_calm_frame(self) -> None:
        """Draw a little later: what is not being read as it grows comes often, and all of it moves the lines."""
        if self._frame_timer is None:
            self._frame_due = True
        elif not self._frame_due and self._calm_timer is None:
            self._calm_timer = self.set_timer(until_tick_s(), self.frame)

    def frame(self) -> None:
        """Draw what is seen, put it in its place, and refresh the lines that changed."""
        if self._frame_timer is not None:
            self._frame_timer.pause()
        if self._calm_timer is not None:
            self._calm_timer.stop()
            self._calm_timer = None
        self._frame_due = False
        width, height = self.window
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
        self.place(view.stack.height, view.top)
        self._paint_changed(before, view.lines)
        if view.pen.unfinished:
            self.ask_for_frame()

    def _paint_changed(self, before: list[Line], after: list[Line]) -> None:
        if len(before) != len(after):
            self.paint_all()
        else:
            self.paint([y for y, line in enumerate(after) if line is not before[y]])

    def on_resize(self, event: events.Resize) -> None:
        self.frame()

    def on_stack_scroll_engine_ready(self) -> None:
        self.view.paint(self.view.pen.palette)
        self.ask_for_frame()

    def _engine_ready(self) -> None:
        self.post_message(self.EngineReady())

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_attached and self._variables is not self.app.theme_variables:
            self.ask_for_frame()

    # Scrolling

    def scrolled(self) -> None:
        self.following = round(self.scroll_y) >= self.max_scroll_y
        self.frame()

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

    def render_line(self, y: int) -> Strip:
        """A line with its offsets: Textual asks for single lines only to find out what the mouse selects."""
        strip = self._strip(y, self.window.width, None)
        if y >= len(self.view.lines):
            return strip
        return strip.apply_offsets(0, place_of(*self.view.place(y)))

    def strip_at(self, y: int, width: int) -> Strip:
        return self._strip(y, width, self.text_selection)

    def _strip(self, y: int, width: int, selection: Selection | None) -> Strip:
        """Line `y` of the window, with what is selected of it."""
        view = self.view
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

    def _selection_style(self) -> Style:
        return self.screen.get_component_rich_style("screen--selection")
