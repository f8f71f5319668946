"""Where a key is pasted: hidden, above the prompt or on a screen."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Static


class KeyInput(Vertical):
    """Asks for the key of one backend. What is typed is never shown, kept in a history or logged."""

    DEFAULT_CSS = "KeyInput { height: auto; } KeyInput Input { height: 1; }"
    BINDINGS: ClassVar = [Binding("escape", "cancel", show=False)]

    class Given(Message):
        """The user gave `key`, stripped of the space around it; empty, where that may be, for none."""

        def __init__(self, backend: str, key: str) -> None:
            super().__init__()
            self.backend = backend
            self.key = key

    class Cancelled(Message):
        """The user has no key now."""

    def __init__(self, backend: str, title: str, key_page: str = "", *, may_be_empty: bool = False) -> None:
        super().__init__()
        self._backend = backend
        self._title = title
        self._key_page = key_page
        self._may_be_empty = may_be_empty

    def compose(self) -> ComposeResult:
        where = f" from {self._key_page}" if self._key_page else ""
        yield Static(f"Paste the key for {self._title}{where}", markup=False)
        yield Input(password=True, placeholder="hidden; enter saves it, esc cancels", compact=True)

    def focus(self, scroll_visible: bool = True) -> KeyInput:
        self.query_one(Input).focus(scroll_visible)
        return self

    @on(Input.Submitted)
    def _give(self, event: Input.Submitted) -> None:
        event.stop()
        key = event.value.strip()
        if key or self._may_be_empty:
            event.input.clear()
            self.post_message(self.Given(self._backend, key))

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled())
