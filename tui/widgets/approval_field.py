"""The field in which a call is changed before it runs."""

from __future__ import annotations

from textual import events
from textual.widgets import TextArea

from tui.widgets.prompt import NEWLINE_KEYS


class CallField(TextArea):
    """A text with the cursor at its end. What is a new line in the prompt is one here, and so is enter."""

    def __init__(self, text: str) -> None:
        super().__init__(text, classes="approval--field", soft_wrap=True)
        self.cursor_blink = False
        self.move_cursor(self.document.end)

    def on_key(self, event: events.Key) -> None:
        if event.key in NEWLINE_KEYS:
            self._replace_via_keyboard("\n", *self.selection)
            event.stop()
            event.prevent_default()
