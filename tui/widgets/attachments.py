"""The images that go with the next message, as chips above the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.text import clean_line

_HINT = "backspace takes off"
_CROSS = " ✕ "


class Attachments(Widget, can_focus=False):
    """One line. A click on a chip takes it off; those that find no room are counted. Hidden while there are none."""

    DEFAULT_CSS = "Attachments { height: 1; display: none; } Attachments.-open { display: block; }"
    COMPONENT_CLASSES = {"attachments--chip", "attachments--hint"}

    chips: reactive[tuple[str, ...]] = reactive(())

    class Removed(Message):
        """The user does not want to send this one."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def show(self, chips: Sequence[str]) -> None:
        self.chips = tuple(clean_line(chip, 80) for chip in chips)
        self.set_class(bool(chips), "-open")

    def render(self) -> Content:
        chip_style, hint_style = (self.get_visual_style(f"attachments--{name}") for name in ("chip", "hint"))
        fitting = self._fitting()
        parts = [Content.styled(f" {chip}{_CROSS}", chip_style) for chip in self.chips[:fitting]]
        if more := len(self.chips) - fitting:
            parts.append(Content.styled(f"+{more}", hint_style))
        line = Content(" ").join(parts)
        hint = Content("  ") + Content.styled(_HINT, hint_style)
        return line + hint if (line + hint).cell_length <= self.size.width else line.truncate(self.size.width)

    def _fitting(self) -> int:
        """How many chips have room; the first one is always shown, cut if need be."""
        used = 0
        for number, chip in enumerate(self.chips):
            used += _width(chip) + 1
            rest = len(self.chips) - number - 1
            if number and used + (4 if rest else 0) > self.size.width:
                return number
        return len(self.chips)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for index, chip in enumerate(self.chips[: self._fitting()]):
            end += _width(chip)
            if event.x < end:
                self.post_message(self.Removed(index))
                return
            end += 1


def _width(chip: str) -> int:
    return cell_len(f" {chip}{_CROSS}")
