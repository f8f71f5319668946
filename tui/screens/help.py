"""Everything that can be done, on one screen: made from the registry, so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

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
        ),
    ),
)
"""What the keys do where there is no prompt: title, then keys and meaning."""
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
            yield Static(_sheet((*COMMANDS, *self._more)), markup=False)


def _sheet(shown: Sequence[Command]) -> Content:
    commands = [
        (
            " ".join(part for part in (f"/{command.name}", command.argument) if part),
            key_names(command.key),
            command.help,
        )
        for command in shown
    ]
    name_width = max(len(name) for name, _, _ in commands) + 2
    key_width = max(len(key) for _, key, _ in commands) + 2
    lines = [Content.styled("Commands", "bold $primary")]
    for name, key, help in commands:
        lines.append(Content(name.ljust(name_width)) + Content.styled(key.ljust(key_width), "$primary") + help)
    keys_width = name_width + key_width
    for title, table in (("In the prompt", prompt.KEYS), *ELSEWHERE):
        lines += [Content(""), Content.styled(title, "bold $primary")]
        lines += [Content.styled(key_names(keys).ljust(keys_width), "$primary") + help for keys, help in table]
    lines += [Content(""), Content.styled("esc closes this", "$text-muted")]
    return Content("\n").join(lines)


def key_names(keys: str) -> str:
    """Keys as people know them: `shift+enter, ctrl+_`."""
    return ", ".join(_NAMES.get(key.strip(), key.strip()) for key in keys.split(",") if key)
