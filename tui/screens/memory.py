"""What is remembered for later sessions, to be read, changed and taken away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from tui.core.errors import MimoError, UsageError
from tui.core.text import clean, clean_line
from tui.settings.memory import read_notes, write_notes

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


class MemoryScreen(ModalScreen[str | None]):
    """Dismissed with the text as it shall be; None: as it was."""

    DEFAULT_CSS = """
    MemoryScreen { align: center middle; background: $background 60%; }
    MemoryScreen > Vertical {
        width: 100;
        max-width: 100%;
        height: 80%;
        padding: 1 2;
        background: $panel;
        & Static { height: auto; }
        & .memory--title { color: $primary; text-style: bold; }
        & .memory--keys { color: $text-muted; }
        & TextArea { height: 1fr; margin: 1 0; border: none; }
    }
    """
    BINDINGS: ClassVar = [
        Binding("ctrl+s", "save", show=False, priority=True),
        Binding("escape", "dismiss(None)", show=False, priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = clean(text)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(clean(self._title), classes="memory--title", markup=False)
            area = TextArea(self._text, soft_wrap=True)
            area.cursor_blink = False
            yield area
            yield Static("A note is a line. ctrl+s keeps it so   esc leaves it as it was", classes="memory--keys")

    def action_save(self) -> None:
        text = self.query_one(TextArea).text
        self.dismiss(text if text != self._text else None)


def edit_memory(screen: ChatScreen, words: str) -> None:
    """Show the notes about this project, or those for everywhere, and keep what the user makes of them.

    Raises UsageError for other words.
    """
    if words not in ("", "everywhere"):
        raise UsageError(f"there are no notes {clean_line(words)!r}", "/memory, or /memory everywhere")
    screen.run_worker(_edit(screen, words == "everywhere"), group="memory", exclusive=True, exit_on_error=False)


async def _edit(screen: ChatScreen, everywhere: bool) -> None:
    title = "Told to later sessions in all folders" if everywhere else "Told to later sessions in this project"
    text = await asyncio.to_thread(read_notes, screen.folder, everywhere)
    changed = await screen.app.push_screen_wait(MemoryScreen(title, text))
    if changed is None:
        return
    try:
        await asyncio.to_thread(write_notes, screen.folder, changed, everywhere)
    except MimoError as error:
        screen.say(error)
        return
    screen.note.say("Sessions that begin from now on are told so.")
