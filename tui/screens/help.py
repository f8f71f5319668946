"""Everything that can be done, on one screen: made from the registry, so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.commands.registry import COMMANDS, Command
from tui.widgets import prompt

ELSEWHERE = (
    (
        "Everywhere",
        (
            ("ctrl+p", "the commands, to choose from"),
            ("tab", "from the prompt to the conversation, to the trace, and back"),
            ("ctrl+c", "copy what is marked with the mouse, else stop the turn"),
        ),
    ),
    (
        "In the conversation and the trace",
        (
            ("up, down, pageup, pagedown", "scroll, or go from step to step"),
            ("home, end", "to the beginning; to the end, and follow it"),
            ("enter", "conversation: fold or unfold; trace: open the step"),
            ("n, p", "conversation: the next, the previous fold"),
            ("o, y", "conversation: open the step; copy the source"),
            ("u", "trace: make all files what they were after the step"),
        ),
    ),
    (
        "At a question",
        (
            ("ctrl+y", "go to it from the prompt"),
            ("y, n", "this once; no"),
            ("a", "always: shows the rule first"),
            ("e, r", "edit first; refuse with a reason"),
            ("1-9, enter", "of the model itself: choose; words written in the prompt answer it, too"),
        ),
    ),
)
"""What the keys do where there is no prompt: title, then keys and meaning."""
_INDENT = 4
_NARROWEST_HELP = 20
_NAMES = {"escape": "esc", "ctrl+underscore": "ctrl+_"}


class HelpScreen(ModalScreen[None]):
    CSS_PATH = "help.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [Binding("escape,q,enter,f1", "dismiss(None)", show=False)]

    def __init__(self, more: Sequence[Command] = ()) -> None:
        """`more` are commands beside those of the program."""
        super().__init__()
        self._more = more

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield _Sheet((*COMMANDS, *self._more))


class _Sheet(Widget):
    """All of it, as wide as there is room."""

    DEFAULT_CSS = "_Sheet { height: auto; }"

    def __init__(self, shown: Sequence[Command]) -> None:
        super().__init__()
        self._shown = shown

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(_sheet(self._shown, width))

    def render(self) -> Content:
        return Content("\n").join(_sheet(self._shown, self.content_size.width))


def _sheet(shown: Sequence[Command], width: int) -> list[Content]:
    names = [" ".join(part for part in (f"/{command.name}", command.argument) if part) for command in shown]
    name_width = max(map(len, names)) + 2
    column = name_width + max(len(key_names(command.key)) for command in shown) + 2
    lines = [Content.styled("Commands", "bold $primary")]
    for name, command in zip(names, shown, strict=True):
        head = Content(name.ljust(name_width)) + Content.styled(key_names(command.key), "$primary")
        lines += _entry(head, command.help, column, width)
    for title, table in (("In the prompt", prompt.KEYS), *ELSEWHERE):
        lines += [Content(""), Content.styled(title, "bold $primary")]
        for keys, help in table:
            lines += _entry(Content.styled(key_names(keys), "$primary"), help, column, width)
    return [*lines, Content(""), Content.styled("esc closes this", "$text-muted")]


def _entry(head: Content, help: str, column: int, width: int) -> list[Content]:
    """What it is for, in a column of its own; below it, where that would be too narrow."""
    is_below = width - column < _NARROWEST_HELP
    indent = _INDENT if is_below else column
    words = [Content(" " * indent) + line for line in Content(help).wrap(max(width - indent, 1))]
    return [head, *words] if is_below else [head.pad_right(column - head.cell_length) + words[0][indent:], *words[1:]]


def key_names(keys: str) -> str:
    """Keys as people know them: `shift+enter, ctrl+_`."""
    return ", ".join(_NAMES.get(key.strip(), key.strip()) for key in keys.split(",") if key)
