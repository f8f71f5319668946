"""Everything that can be done, on one screen: made from the registry, so that it cannot be out of date."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands.registry import COMMANDS
from tui.widgets import prompt

_NAMES = {"escape": "esc", "ctrl+underscore": "ctrl+_"}


class HelpScreen(ModalScreen[None]):
    CSS_PATH = "help.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [Binding("escape,q,enter,f1", "dismiss(None)", show=False)]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(_sheet(), markup=False)


def _sheet() -> Content:
    commands = [
        (
            " ".join(part for part in (f"/{command.name}", command.argument) if part),
            key_names(command.key),
            command.help,
        )
        for command in COMMANDS
    ]
    name_width = max(len(name) for name, _, _ in commands) + 2
    key_width = max(len(key) for _, key, _ in commands) + 2
    lines = [Content.styled("Commands", "bold $primary")]
    for name, key, help in commands:
        lines.append(Content(name.ljust(name_width)) + Content.styled(key.ljust(key_width), "$primary") + help)
    lines += [Content(""), Content.styled("In the prompt", "bold $primary")]
    keys_width = name_width + key_width
    for keys, help in prompt.KEYS:
        lines.append(Content.styled(key_names(keys).ljust(keys_width), "$primary") + help)
    lines += [Content(""), Content.styled("esc closes this", "$text-muted")]
    return Content("\n").join(lines)


def key_names(keys: str) -> str:
    """Keys as people know them: `shift+enter, ctrl+_`."""
    return ", ".join(_NAMES.get(key.strip(), key.strip()) for key in keys.split(",") if key)
