"""The widget of the trace. Only rows that are seen are drawn, and only those that changed are drawn again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tui.core.events import Record
from tui.widgets.quiet_scroll import QuietScroll
from tui.widgets.ticks import until_tick_s
from tui.widgets.trace.drawing import draw
from tui.widgets.trace.model import Trace
from tui.widgets.trace.rows import Row

_TICK_S = 0.5
_EMPTY = ("", "  Steps appear here as the model", "  takes them: what it did, how long", "  it took, and what it cost.")


class TracePane(QuietScroll, can_focus=True):
    """Shows the records of a conversation as a line for each step, tool call and remark.

    It follows the end until the user moves away from it. A clock runs only while something does.
    """

    BINDINGS: ClassVar = [
        Binding("up", "move(-1)", "Step before", show=False),
        Binding("down", "move(1)", "Next step", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "go_first", "First step", show=False),
        Binding("end", "follow", "Follow the end", show=False),
        Binding("enter", "open", "Open the step", show=False),
        Binding("space", "turn_over", "Fold a subagent, or show it", show=False),
        Binding("u", "want_back", "Take back what came after the step", show=False),
    ]
    COMPONENT_CLASSES: ClassVar = {
        "trace--muted",
        "trace--turn",
        "trace--turn-time",
        "trace--wait",
        "trace--stream",
        "trace--tool",
        "trace--success",
        "trace--warning",
        "trace--error",
        "trace--cursor",
        "trace--cursor-blurred",
    }
    DEFAULT_CSS = """
    TracePane {
        background: $surface;
        color: $foreground;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;
        scrollbar-color: $foreground 20%;
        scrollbar-color-hover: $foreground 40%;
        scrollbar-color-active: $foreground 40%;
        & .trace--muted { color: $text-muted; }
        & .trace--turn { color: $foreground; background: $panel; text-style: bold; }
        & .trace--turn-time { color: $text-muted; background: $panel; }
        & .trace--wait { color: $text-muted; }
        & .trace--stream { color: $primary; }
        & .trace--tool { color: $success; }
        & .trace--success { color: $success; }
        & .trace--warning { color: $warning; }
        & .trace--error { color: $error; }
        & .trace--cursor { background: $primary 25%; }
        & .trace--cursor-blurred { background: $panel; }
    }
    """

    class StepOpened(Message):
        """The user wants to see everything about a step; `parent` is the call whose subagent's it is."""

        def __init__(self, turn: int, step: int, parent: str | None = None) -> None:
            super().__init__()
            self.turn = turn
            self.step = step
            self.parent_call = parent

    class StepWantedBack(Message):
        """The user wants all files to be what they were after a step."""

        def __init__(self, turn: int, step: int) -> None:
            super().__init__()
            self.turn = turn
            self.step = step

    def __init__(self, *, id: str | None = None, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch, like the times of records."""
        super().__init__(id=id)
        self._clock = clock
        self._trace = Trace()
        self._cursor: int | None = None
        """The row where the user went; None: none, so the end is followed unless they scrolled away."""
        self._is_at_end = True
        self._styles: dict[str, Style] = {}
        self._drawn: dict[int, Strip] = {}
        """Rows as they were drawn, of those that have not changed since."""
        self._changed: set[int] = set()
        """Rows that have changed since the last frame."""
        self._frame_timer: Timer | None = None
        self._timer: Timer | None = None
        self._scale = 0.0

    def show(self, record: Record) -> None:
        """Take in the next record of the conversation. Pieces of text may be left out."""
        chosen = None if self._cursor is None else self._trace.rows[self._cursor]
        if changed := self._trace.add(record):
            self._stay_at(chosen)
            self._update(changed)

    def show_all(self, records: Iterable[Record]) -> None:
        """Take in many records: those of a conversation that is gone on with."""
        for record in records:
            self._trace.add(record)
        self._drawn.clear()
        self._changed.update(range(len(self._trace.rows)))
        if self.is_mounted:
            self._frame()

    def clear(self) -> None:
        """Forget all that was shown."""
        self._trace = Trace()
        self._cursor, self._is_at_end = None, True
        self._drawn.clear()
        self._frame()
        self.paint_all()

    @property
    def is_following(self) -> bool:
        """The end is shown, and stays shown as rows are added."""
        return self._cursor is None and self._is_at_end

    def _update(self, changed: Iterable[int]) -> None:
        """Show what changed, at the next tick; rows beyond those that were known are new."""
        for index in changed:
            self._drawn.pop(index, None)
            self._changed.add(index)
        if not self.is_mounted:
            return
        self._run_clock()
        if self._frame_timer is None:
            self._frame_timer = self.set_timer(until_tick_s(), self._frame)

    def _frame(self) -> None:
        """Paint what has changed since the last frame."""
        if self._frame_timer is not None:
            self._frame_timer.stop()
            self._frame_timer = None
        rows, height, before = len(self._trace.rows), self.window.height, round(self.scroll_y)
        last = max(rows - height, 0)
        top = last if self.is_following else min(before, last)
        known, changed, self._changed = self.virtual_size.height, self._changed, set()
        self.place(rows, top)
        if top != before or not known or rows < known:
            self.paint_all()
        else:
            self.paint(sorted(index - top for index in {*changed, *range(known, rows)} if top <= index < top + height))
        self._run_clock()

    def _run_clock(self) -> None:
        is_needed = bool(self._trace.running)
        if is_needed and self._timer is None and self.is_mounted:
            self._timer = self.set_interval(_TICK_S, self._tick, name="trace clock")
        elif not is_needed and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        turn = self._trace.turn
        scale = turn.scale(self._clock()) if turn else 0.0
        rows = self._trace.running
        if turn and scale != self._scale:
            rows = list(range(turn.index, len(self._trace.rows)))
        self._scale = scale
        self._update(rows)

    def on_mount(self) -> None:
        self._frame()

    def on_resize(self) -> None:
        self._draw_anew()
        self._frame()

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._draw_anew()

    def _draw_anew(self) -> None:
        self._drawn.clear()
        self.paint_all()

    def strip_at(self, y: int, width: int) -> Strip:
        styles = self._styles or self._find_styles()
        index, rows = round(self.scroll_y) + y, self._trace.rows
        if index >= len(rows):
            text = _EMPTY[y] if not rows and y < len(_EMPTY) else ""
            return Strip([Segment(text, styles["muted"])]).adjust_cell_length(width, styles["text"])
        strip = self._drawn.get(index)
        if strip is None:
            drawn = Strip(draw(rows[index], width, self._clock(), styles))
            strip = self._drawn[index] = drawn.adjust_cell_length(width, styles["text"])
        is_chosen = index == (self._chosen if self.has_focus else self._cursor)
        return self._with_cursor(strip) if is_chosen else strip

    def _find_styles(self) -> dict[str, Style]:
        names = (name.removeprefix("trace--") for name in self.COMPONENT_CLASSES)
        self._styles = {name: self.get_component_rich_style(f"trace--{name}") for name in names}
        self._styles["text"] = self.rich_style
        return self._styles

    def _with_cursor(self, strip: Strip) -> Strip:
        """The chosen row: another background, and an arrow for terminals without colours."""
        ground = Style(bgcolor=self._styles["cursor" if self.has_focus else "cursor-blurred"].bgcolor)
        pieces = [Segment(text, (style or Style()) + ground) for text, style, _ in strip]
        if self.has_focus and pieces[0].text.startswith(" "):
            pieces[0] = Segment("›" + pieces[0].text[1:], pieces[0].style)
        return Strip(pieces, strip.cell_length)

    # Moving

    def action_move(self, by: int) -> None:
        if (at := self._chosen) is not None:
            self._choose(at + by, by)

    def action_page(self, by: int) -> None:
        if (at := self._chosen) is not None:
            self._choose(at + by * max(self.size.height - 1, 1), by)

    def action_go_first(self) -> None:
        self._choose(0, 1)

    def action_follow(self) -> None:
        """Show the end, and stay there."""
        self._cursor, self._is_at_end = None, True
        self.paint_all()
        self._frame()

    def action_open(self) -> None:
        if (at := self._chosen) is not None and (place := self._trace.rows[at].place):
            self.post_message(self.StepOpened(*place))

    def action_want_back(self) -> None:
        if (at := self._chosen) is not None:
            row = self._trace.rows[at]
            if place := (row.host or row).place:  # what a subagent changes is kept with the step that it works for
                self.post_message(self.StepWantedBack(*place[:2]))

    def action_turn_over(self) -> None:
        """Fold what a subagent did, or show it."""
        if (at := self._chosen) is not None and (changed := self._trace.turn_over(chosen := self._trace.rows[at])):
            self._cursor = at
            self._stay_at(chosen)
            self._update(changed)

    def _stay_at(self, chosen: Row | None) -> None:
        """The row where the user went may stand elsewhere now, or be folded away below a call."""
        if chosen is not None:
            host = chosen.host
            self._cursor = host.index if chosen.index < 0 and host is not None else chosen.index

    def on_click(self, event: events.Click) -> None:
        index = round(self.scroll_y) + event.y
        if index < len(self._trace.rows) and self._trace.rows[index].place:
            self._cursor = index
            self.paint_all()
            self.action_open()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.paint_all()

    def scrolled(self) -> None:
        # By the rows that are placed: a pane that grows is scrolled, too, and then there may be new ones beyond them.
        self._is_at_end = round(self.scroll_y) >= self.max_scroll_y
        self.place(len(self._trace.rows), round(self.scroll_y))
        self.paint_all()

    @property
    def _chosen(self) -> int | None:
        """The row that keys act on: where the user went, or the last one."""
        return self._trace.last if self._cursor is None else self._cursor

    def _choose(self, index: int, by: int) -> None:
        """Go to the row at `index`, or on from there to one of a step. Behind the last one the end is followed."""
        rows = self._trace.rows
        while 0 <= index < len(rows) and not rows[index].place:
            index += 1 if by > 0 else -1
        if index >= (self._trace.last or 0):
            self.action_follow()
            return
        if index < 0:
            index = next(index for index, row in enumerate(rows) if row.place)
        self._cursor = index
        self.paint_all()
        self._reveal(index)

    def _reveal(self, index: int) -> None:
        first, height = round(self.scroll_y), self.window.height
        if index <= first:
            self.scroll_to(y=index - 1)  # with the line above: it may be the turn's
        elif index >= first + height:
            self.scroll_to(y=index - height + 1)
