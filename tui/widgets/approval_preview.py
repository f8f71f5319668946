"""What a question would do, as far as there is room, and always its end: nothing may hide below the edge."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.approval_words import is_diff, preview_lines
from tui.widgets.line_view import LineView

_TAIL_ROWS, _TAIL_ROWS_WHEN_LOW = 2, 1
_LOW = 16
"""Rows of a screen that has no room for more than the least."""
_PART_OF_SCREEN = 33
"""Percent of its height that the lines may take, as in the styles."""


class ApprovalPreview(Widget, can_focus=False):
    """The lines to scroll in; below them, where they do not fit, how many are left out, and the last ones.

    Of a change of a file only the number is told: its end says no more than its middle.
    """

    DEFAULT_CSS = """
    ApprovalPreview {
        layout: vertical;
        height: auto;
        margin: 0 0 0 2;
        & LineView { height: auto; max-height: 33vh; background: $panel; color: $foreground; }
        & .approval--tail { height: auto; display: none; color: $foreground; }
        &.-long LineView { max-height: 20vh; }
        &.-long.-low LineView { max-height: 1; }
        &.-long .approval--tail { display: block; }
    }
    """

    class Changed(Message):
        """Other rows are out of sight now."""

        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.hidden = hidden
            """How many rows are below what is seen."""

    def __init__(self, preview: str) -> None:
        super().__init__()
        self._has_tail = not is_diff(preview)
        self._view = LineView(preview_lines(preview))
        self._view.can_focus = False

    def compose(self) -> ComposeResult:
        yield self._view
        yield Static(markup=False, classes="approval--tail")

    def on_mount(self) -> None:
        for name in ("virtual_size", "scroll_y", "size"):
            self.watch(self._view, name, self._look, init=False)
        self.call_after_refresh(self._look)

    def on_resize(self) -> None:
        self.call_after_refresh(self._look)

    def scroll(self, how: str) -> None:
        """`up`, `down`, `page_up` or `page_down`."""
        getattr(self._view, f"scroll_{how}")(animate=False)

    def _look(self) -> None:
        total, height = self._view.virtual_size.height, self._view.size.height
        if not height:
            return
        hidden = max(total - round(self._view.scroll_offset.y) - height, 0)
        is_long = self._has_tail and total > max(self.screen.size.height * _PART_OF_SCREEN // 100, 1)
        self.set_class(is_long, "-long")
        self.set_class(self.screen.size.height < _LOW, "-low")
        if is_long:
            self._show_tail(total, hidden)
        self.post_message(self.Changed(hidden))

    def _show_tail(self, total: int, hidden: int) -> None:
        most = _TAIL_ROWS_WHEN_LOW if self.has_class("-low") else _TAIL_ROWS
        between, rows = hidden - most, self._view.rows(total - most, total)
        if hidden == 0:
            gap, rows = "── that was its end ──", [""] * len(rows)
        elif between > 0:
            gap = f"── {between} line{'s' * (between != 1)} left out, its end: ──"
        else:
            gap = "── its end: ──"
        self.query_one(".approval--tail", Static).update("\n".join([gap, *rows]))
