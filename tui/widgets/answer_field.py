"""The field for an answer in one's own words."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui.core.text import clean
from tui.widgets.pasted import as_lines
from tui.widgets.prompt import NEWLINE_KEYS


class AnswerField(TextArea):
    """One line or several: enter sends it, and what is a new line in the prompt is one here."""

    class Sent(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(placeholder="your answer", soft_wrap=True)
        self.cursor_blink = False

    def on_key(self, event: events.Key) -> None:
        if event.key in NEWLINE_KEYS:
            self.write("\n")
        elif event.key == "enter":
            self.post_message(self.Sent(self.text.strip()))
        else:
            return
        event.stop()
        event.prevent_default()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()  # the screen would take it for the prompt's

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.write(as_lines(event.text))

    def write(self, text: str) -> None:
        """Put text where the cursor is, in place of what is selected; its controls are made visible."""
        self._replace_via_keyboard(clean(text), *self.selection)
