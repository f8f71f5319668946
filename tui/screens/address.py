"""Asks for the address of a server."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.screens.connection import Connection, from_address


class AddressScreen(ModalScreen[Connection | None]):
    """Dismissed with a connection to the server whose address was given, or None."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "Input"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, taken: list[str], url: str = "") -> None:
        """`url` is the one that it has now."""
        super().__init__()
        self._taken = taken
        self._url = url

    def compose(self) -> ComposeResult:
        with Vertical(classes="setup"):
            yield Static("The address of a server, with its /v1 if it has one", classes="setup--title", markup=False)
            yield Input(self._url, placeholder="http://127.0.0.1:8000/v1", compact=True)
            yield Static("", id="wrong", classes="setup--failed", markup=False)
            yield Static("enter: go on    esc: back", classes="setup--keys", markup=False)

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        from tui.backends.resolve import is_loopback
        from tui.settings.schema import base_url

        url = event.value.strip()
        if "://" not in url:
            url = f"http://{url}"
        if wrong := base_url(url):
            self.query_one("#wrong", Static).update(f"That {wrong}.")
        else:
            self.dismiss(from_address(url.rstrip("/"), self._taken, needs_key=not is_loopback(url)))
