"""The field in which the rule that `always` adds can be changed."""

from __future__ import annotations

from typing import ClassVar, Protocol

from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from tui.core.messages import Json
from tui.core.text import reveal


class RuleDraft(Protocol):
    """A rule as text, and what reads it."""

    @property
    def text(self) -> str:
        """As it is proposed."""
        ...

    def read(self, text: str) -> tuple[Json, ...]:
        """The rules that `text` says. Raises ValueError with what is wrong. Called at each key: milliseconds."""
        ...


class RuleField(TextArea):
    """Where the words of a rule are changed, a line each. Enter is no line break in it, and tab no way out."""

    BINDINGS: ClassVar = [
        Binding("enter", "accept_rule", show=False, priority=True),
        Binding("tab", "toggle_place", show=False, priority=True),
    ]

    class Accepted(Message):
        """The rule is to be added."""

    class Toggled(Message):
        """The rule is to hold in this folder only, or everywhere: the other of the two."""

    def __init__(self, text: str) -> None:
        super().__init__(reveal(text), classes="approval--field", soft_wrap=True)
        self.cursor_blink = False
        self.move_cursor(self.document.end)

    def action_accept_rule(self) -> None:
        self.post_message(self.Accepted())

    def action_toggle_place(self) -> None:
        self.post_message(self.Toggled())
