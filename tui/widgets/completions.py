"""The list of what the prompt can complete, above it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.widgets.prompt import Completion

ROWS = 8


class CompletionList(Widget, can_focus=False):
    """At most `ROWS` of the items, around the chosen one. Hidden while there are none."""

    DEFAULT_CSS = "CompletionList { height: auto; display: none; } CompletionList.-open { display: block; }"
    COMPONENT_CLASSES = {"completions--chosen", "completions--help"}

    chosen: reactive[tuple[tuple[Completion, ...], int]] = reactive(((), 0), layout=True)

    def show(self, items: Sequence[Completion], index: int) -> None:
        self.chosen = (tuple(items), index)
        self.set_class(bool(items), "-open")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(len(self.chosen[0]), self._rows)

    @property
    def _rows(self) -> int:
        return max(1, min(ROWS, self.app.size.height - 6))

    def render(self) -> Content:
        items, index = self.chosen
        first = max(0, min(index - self._rows // 2, len(items) - self._rows))
        name_width = max((len(item.text) for item in items), default=0) + 3
        help_style = self.get_visual_style("completions--help")
        rows = []
        for number, item in enumerate(items[first : first + self._rows], first):
            line = Content(f"  {item.text}".ljust(name_width + 2)) + Content.styled(item.help, help_style)
            line = line.truncate(self.size.width, ellipsis=True, pad=True)
            rows.append(line.stylize(self.get_visual_style("completions--chosen")) if number == index else line)
        return Content("\n").join(rows)
