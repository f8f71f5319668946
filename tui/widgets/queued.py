"""The messages that wait for the turn to end, above the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.text import clean_line

ROWS = 3


class QueuedMessages(Widget, can_focus=False):
    """One line for each waiting message, the newest `ROWS` of them. Hidden while there are none."""

    DEFAULT_CSS = "QueuedMessages { height: auto; display: none; } QueuedMessages.-open { display: block; }"

    texts: reactive[tuple[str, ...]] = reactive((), layout=True)

    def show(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.set_class(bool(texts), "-open")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(len(self.texts), ROWS)

    def render(self) -> Content:
        shown = self.texts[-ROWS:]
        lines = [Content(f"next  {clean_line(text)}").truncate(self.size.width, ellipsis=True) for text in shown]
        return Content("\n").join(lines)
