"""The widget: takes records, shows them, and tells what was clicked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from tui.core.events import (
    ReasoningDelta,
    Record,
    ReplyReceived,
    Retrying,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolFinished,
    ToolOutput,
    ToolStarted,
)
from tui.core.text import clean
from tui.widgets.transcript.answer import Answer
from tui.widgets.transcript.feed import Feed
from tui.widgets.transcript.folds import Fold
from tui.widgets.transcript.inline import openable
from tui.widgets.transcript.lines import StepTarget, Target
from tui.widgets.transcript.scroll import StackScroll
from tui.widgets.transcript.selection import block_at, over, word_at
from tui.widgets.transcript.stack import Leaf
from tui.widgets.transcript.toolrun import ToolRun
from tui.widgets.transcript.view import View

_CALM = (StepStarted, ReplyReceived, StepFinished, ToolCallDelta, ToolStarted, ToolOutput, ToolFinished)
"""What an agent at work brings many times a second: a frame for each would take longer than its steps do."""


class Transcript(StackScroll, can_focus=True):
    """Everything that was said and done in a session. Give it records in order, live or from the store."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "toggle_fold", "Fold or unfold", show=False),
        Binding("n", "next_fold", "Next fold", show=False),
        Binding("p", "previous_fold", "Previous fold", show=False),
        Binding("o", "open_step", "Open the step", show=False),
        Binding("y", "copy_source", "Copy the source", show=False),
    ]

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

    class CountedDown(Message):
        """Another second until a retry is shown."""

    def __init__(self, *, id: str | None = None, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch, like the times of records."""
        super().__init__(id=id)
        self._clock = clock
        self._feed = Feed(self.view.stack)
        self._pieces: list[str] = []  # deltas of one kind that the next frame takes
        self._pieces_are_text = True
        self._thinking_since = self._thinking_until = 0.0
        self._cursor: Fold | None = None  # what the keys fold and open

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
            if isinstance(event, Retrying):
                self._count_down()
        if isinstance(event, _CALM):
            self.ask_for_calm_frame()
        elif not self._frame_due:
            self.ask_for_frame()

    def show_all(self, records: Iterable[Record]) -> None:
        """Show a whole stored session: nothing is drawn beyond what is seen."""
        for record in records:
            self.show(record)
        self._feed.end_background()

    def clear(self) -> None:
        """Forget everything that is shown."""
        self.view = View(self.view.pen.palette)
        self._feed = Feed(self.view.stack)
        self._pieces = []
        self._cursor = None
        self.following = True
        self.ask_for_frame()

    def frame(self) -> None:
        self._take_pieces()
        super().frame()

    def _count_down(self) -> None:
        """Show the seconds until a retry, and come back when there is one less."""
        wait_s = self._feed.count_down(self._clock())
        if wait_s is not None and self.is_attached:
            self.set_timer(wait_s, self._count_down, name="retry countdown")
        self.post_message(self.CountedDown())
        self.ask_for_frame()

    def _take_pieces(self) -> None:
        if not self._pieces:
            return
        text = "".join(self._pieces)
        self._pieces.clear()
        if self._pieces_are_text:
            self._feed.put_text(text)
        else:
            self._feed.put_reasoning(text, self._thinking_since, self._thinking_until)

    # Sources

    def source_at(self, y: int) -> str:
        """The source of the block under line `y` of the widget: markdown, the user's words, output, a diff."""
        outer, inner, _ = self.view.place(y)
        block = self.view.stack.blocks[outer] if outer < len(self.view.stack.blocks) else None
        if isinstance(block, Answer):
            return block.source_at(inner)
        if isinstance(block, Fold):
            return clean(block.source())
        return block.source if isinstance(block, Leaf) else ""

    def action_copy_source(self) -> None:
        """The source of what the cursor is on, or else of the first block on the screen."""
        self.app.copy_to_clipboard(clean(self._cursor.source()) if self._cursor is not None else self.source_at(0))

    # Mouse

    def _target_at(self, x: int, y: int) -> Target | None:
        return self.view.lines[y].target_at(x) if 0 <= y < len(self.view.lines) else None

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
            event.stop()
            selection = word_at(self.view, event.x, event.y) if event.chain == 2 else block_at(self.view, event.y)
            if selection is not None:
                self.screen.selections = {self: selection}
            return
        target = self._target_at(event.x, event.y)
        if self.text_selection is not None:
            return  # the mouse was dragged
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
        self.frame()
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
        if isinstance(self._cursor, ToolRun) and self._cursor.step is not None:
            self.post_message(self.StepOpened(*self._cursor.step))

    def _move_cursor(self, direction: int) -> None:
        """To the next thing that folds, from the cursor or else from the end of what is seen."""
        found = self.view.next_fold(self._cursor, direction)
        if found is None:
            return
        self._cursor, line = found
        if not self.view.top <= line < self.view.top + self.view.height - 1:
            self.scroll_to(y=max(line - self.view.height // 3, 0))
        self.paint_all()

    def on_focus(self) -> None:
        self.paint_all()

    def on_blur(self) -> None:
        self.paint_all()

    def strip_at(self, y: int, width: int) -> Strip:
        strip = super().strip_at(y, width)
        if self._cursor is None or not self.has_focus or y >= len(self.view.lines):
            return strip
        if any(target is self._cursor for _, _, target in self.view.lines[y].targets):
            return over(strip, Style(bgcolor=self.view.pen.palette.cursor.bgcolor))
        return strip
