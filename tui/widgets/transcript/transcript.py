"""The widget: takes records, shows lines, scrolls, and tells what was clicked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive, var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from tui.core.events import ReasoningDelta, Record, TextDelta
from tui.core.text import clean
from tui.widgets.transcript import engines
from tui.widgets.transcript.answer import Answer
from tui.widgets.transcript.feed import Feed
from tui.widgets.transcript.folds import Fold
from tui.widgets.transcript.inline import openable
from tui.widgets.transcript.lines import Line, StepTarget, Target
from tui.widgets.transcript.palette import Palette, palette_of
from tui.widgets.transcript.selection import block_at, highlighted, place_of, selected_text, word_at
from tui.widgets.transcript.stack import Leaf
from tui.widgets.transcript.view import View

FRAMES_PER_S = 30


class Transcript(ScrollView, can_focus=True):
    """Everything that was said and done in a session. Give it records in order, live or from the store."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        scrollbar-color: $foreground 20%;
        scrollbar-color-hover: $foreground 40%;
        scrollbar-color-active: $foreground 40%;
        background: $background;
        color: $foreground;
    }
    """
    ALLOW_SELECT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "toggle_fold", "Fold or unfold", show=False),
        Binding("n", "next_fold", "Next fold", show=False),
        Binding("p", "previous_fold", "Previous fold", show=False),
        Binding("o", "open_step", "Open the step", show=False),
        Binding("y", "copy_source", "Copy the block's source", show=False),
    ]

    # A new height must not lay out the whole screen: nothing but the scrollbar depends on it.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False, repaint=False)
    following: reactive[bool] = reactive(True, repaint=False)
    """Does the end stay in view? Not after scrolling away from it: then there is more below."""
    hovered_link: var[str | None] = var(None)
    """The address of the link under the mouse."""

    class StepOpened(Message):
        """The person wants to see a step."""

        def __init__(self, turn: int, step: int) -> None:
            self.turn = turn
            self.step = step
            super().__init__()

    class LinkOpened(Message):
        """The person clicked a link; `url` is http, https, mailto or file."""

        def __init__(self, url: str) -> None:
            self.url = url
            super().__init__()

    class _EngineReady(Message):
        """What was drawn plainly can be drawn properly now."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view = View(palette_of({}))
        self._feed = Feed(self._view.stack)
        self._pieces: list[str] = []  # deltas of one kind that the next frame takes
        self._pieces_are_text = True
        self._thinking_since = self._thinking_until = 0.0
        self._frame_due = False
        self._frame_timer: Timer | None = None
        self._stale = True  # width, theme or engines changed since the view was told
        self._placing = False
        self._thumb = (-1, -1, -1)
        self._cursor: Fold | None = None

    # Records

    def show(self, record: Record) -> None:
        """Show one more record. It costs microseconds: deltas are kept, the drawing waits for the next frame."""
        event = record.event
        if isinstance(event, (TextDelta, ReasoningDelta)):
            if record.parent is not None:
                return
            is_text = isinstance(event, TextDelta)
            if is_text is not self._pieces_are_text:
                self._take_pieces()
                self._pieces_are_text = is_text
            if not is_text:
                if not self._pieces:
                    self._thinking_since = record.time
                self._thinking_until = record.time
            self._pieces.append(event.text)
        else:
            self._take_pieces()
            self._feed.put(record)
        if not self._frame_due:
            self._ask_for_frame()

    def show_all(self, records: Iterable[Record]) -> None:
        """Show a whole session: nothing is drawn beyond what is seen."""
        for record in records:
            self.show(record)

    def clear(self) -> None:
        """Forget everything that is shown."""
        self._view = View(self._view.pen.palette)
        self._feed = Feed(self._view.stack)
        self._pieces = []
        self._cursor = None
        self._stale = True
        self.following = True
        self._ask_for_frame()

    def source_at(self, y: int) -> str:
        """The source of the block under line `y` of the widget: markdown, the user's words, output, a diff."""
        outer, inner, _ = self._view.stack.place(self._view.top + y)
        if outer >= len(self._view.stack.blocks):
            return ""
        block = self._view.stack.blocks[outer]
        if isinstance(block, Answer):
            return block.source_at(inner)
        return clean(block.source()) if isinstance(block, Fold) else block.source if isinstance(block, Leaf) else ""

    def _take_pieces(self) -> None:
        if not self._pieces:
            return
        text = "".join(self._pieces)
        self._pieces.clear()
        if self._pieces_are_text:
            self._feed.put_text(text)
        else:
            self._feed.put_reasoning(text, self._thinking_since, self._thinking_until)

    # Frames

    def on_mount(self) -> None:
        self._frame_timer = self.set_interval(1 / FRAMES_PER_S, self._frame, pause=not self._frame_due)
        engines.when_ready(self._engine_ready)

    def on_unmount(self) -> None:
        engines.forget(self._engine_ready)

    def _ask_for_frame(self) -> None:
        self._frame_due = True
        if self._frame_timer is not None:
            self._frame_timer.resume()

    def _frame(self) -> None:
        assert self._frame_timer is not None
        self._frame_timer.pause()
        self._frame_due = False
        self._take_pieces()
        self._arrange()

    def _arrange(self) -> None:
        """Draw what is seen, put it in its place, and refresh the lines that changed."""
        width, height = self.outer_size.width - self.scrollbar_size_vertical, self.outer_size.height
        if width < 1 or height < 1:
            return
        view = self._view
        top = round(self.scroll_y)
        if self._stale or view.stack.width != width:
            view.resize(width, self._palette())
            top = view.top
            self._stale = False
        view.height = height
        before = view.lines
        view.look(top, following=self.following)
        self._place(view.top)
        self._refresh_changed(before, view.lines)
        if view.pen.unfinished:
            self._ask_for_frame()

    def _palette(self) -> Palette:
        return palette_of(self.app.theme_variables)

    def _place(self, top: int) -> None:
        """Scroll to a line without looking again, and move the scrollbar if that can be seen."""
        height, window = self._view.stack.height, self._view.height
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
        width = self.outer_size.width
        if len(before) != len(after):
            self.refresh(Region(0, 0, width, self.outer_size.height))
            return
        rows = [y for y, line in enumerate(after) if line is not before[y]]
        if rows:
            self.refresh(*_regions(rows, width))

    def _refresh_all(self) -> None:
        self.refresh(Region(0, 0, *self.outer_size))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self._placing:
            return
        self.following = round(new_value) >= self.max_scroll_y
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_transcript__engine_ready(self) -> None:
        self._stale = True
        self._ask_for_frame()

    def _engine_ready(self) -> None:
        self.post_message(self._EngineReady())

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_attached and not self._stale and self._view.pen.palette != self._palette():
            self._stale = True
            self._ask_for_frame()

    # Lines

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips as they were drawn: nothing is styled, cut or padded again, but for a selection."""
        width = self.outer_size.width
        selection = self.text_selection
        strips = [self._strip(y, width, selection) for y in crop.line_range]
        for line_filter in self.get_line_filters():
            ground = self.background_colors[1]
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """A line with its offsets: Textual asks for single lines only to find out what the mouse selects."""
        strip = self._strip(y, self.outer_size.width, None)
        if y >= len(self._view.lines):
            return strip
        return strip.apply_offsets(0, place_of(*self._view.stack.place(self._view.top + y)))

    def _strip(self, y: int, width: int, selection: Selection | None) -> Strip:
        view, base = self._view, self._view.pen.palette.base
        if y >= len(view.lines):
            return Strip.blank(width, base)
        line = view.lines[y]
        strip = line.strip
        if selection is not None and (span := selection.get_span(place_of(*view.stack.place(view.top + y)))):
            strip = highlighted(line, *span, self._selection_style())
        elif self._cursor is not None and self.has_focus and any(t is self._cursor for _, _, t in line.targets):
            strip = strip.apply_style(Style(bgcolor=view.pen.palette.cursor.bgcolor))
        return strip.adjust_cell_length(width, base)

    def _selection_style(self) -> Style:
        return self.screen.get_component_rich_style("screen--selection")

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selected_text(self._view, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._refresh_all()

    # Mouse

    def _target_at(self, x: int, y: int) -> Target | None:
        return self._view.lines[y].target_at(x) if 0 <= y < len(self._view.lines) else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        target = self._target_at(event.x, event.y)
        self.hovered_link = target if isinstance(target, str) else None
        self.styles.pointer = "pointer" if target is not None else "default"

    def on_leave(self) -> None:
        self.hovered_link = None

    def watch_hovered_link(self, link: str | None) -> None:
        self.tooltip = Content(link) if link else None

    def on_click(self, event: events.Click) -> None:
        if event.chain > 1:
            event.prevent_default()  # which would select everything
            selection = word_at(self._view, event.x, event.y) if event.chain == 2 else block_at(self._view, event.y)
            if selection is not None:
                self.screen.selections = {self: selection}
            return
        target = self._target_at(event.x, event.y)
        if target is None or self.text_selection is not None:
            return
        if isinstance(target, str):
            if openable(target):
                self.post_message(self.LinkOpened(target))
        elif isinstance(target, StepTarget):
            self.post_message(self.StepOpened(*target))
        elif isinstance(target, Fold):
            self._cursor = target
            self._toggle(target)

    # Folding

    def _toggle(self, fold: Fold) -> None:
        """Fold or unfold; what stands above stays where it is."""
        fold.toggle()
        self.following = False
        self._arrange()
        self.following = round(self.scroll_y) >= self.max_scroll_y

    def action_toggle_fold(self) -> None:
        if self._cursor is None:
            self._move_cursor(-1)
        if self._cursor is not None:
            self._toggle(self._cursor)

    def action_next_fold(self) -> None:
        self._move_cursor(1)

    def action_previous_fold(self) -> None:
        self._move_cursor(-1)

    def action_open_step(self) -> None:
        step = getattr(self._cursor, "step", None)
        if step is not None:
            self.post_message(self.StepOpened(*step))

    def action_copy_source(self) -> None:
        self.app.copy_to_clipboard(self.source_at(0))

    def _move_cursor(self, direction: int) -> None:
        """To the next thing that folds, from the cursor or from the middle of what is seen."""
        stack = self._view.stack
        try:
            index = stack.blocks.index(self._cursor) + direction  # type: ignore[arg-type]
        except ValueError:
            index, _ = stack.heights.find(max(self._view.top + self._view.height - 1, 0))
            index = min(index, len(stack.blocks) - 1)
        while 0 <= index < len(stack.blocks):
            block = stack.blocks[index]
            if isinstance(block, Fold) and block.foldable:
                self._cursor = block
                y = stack.heights.above(index)
                if not self._view.top <= y < self._view.top + self._view.height - 1:
                    self.scroll_to(y=max(y - self._view.height // 3, 0), animate=False)
                self._refresh_all()
                return
            index += direction


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
