"""What a project would be allowed to do, all of it, and the user's word about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.core.text import clean, clean_line

if TYPE_CHECKING:
    from tui.agent.project.offer import Offer

Word = Literal["trust", "remove"]
_STATES = {
    "trusted": "You trust this project. It may:",
    "changed": "What this project would run has changed since you trusted it. It would be allowed to:",
    "unknown": "This project is not trusted. It would be allowed to:",
}


class TrustScreen(ModalScreen[Word | None]):
    """Dismissed with the user's word; None: as it was."""

    CSS_PATH = "trust.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("y", "say('trust')", show=False),
        Binding("r", "say('remove')", show=False),
        Binding("n,escape,q", "dismiss(None)", show=False),
    ]

    def __init__(self, offer: Offer) -> None:
        super().__init__()
        self._offer = offer

    def compose(self) -> ComposeResult:
        lines = [f"· {line}" for line in self._offer.lines()] or ["· nothing: it brings nothing of that kind now"]
        lines += [f"✗ {clean_line(error.message, 300)}" for error in self._offer.errors]
        with Vertical(id="trust"):
            yield Static(clean(str(self._offer.root)), id="trust-title", markup=False)
            words = "\n".join(filter(None, (self._offer.news(), _STATES[self._offer.state])))
            yield Static(words, id="trust-state", markup=False)
            with VerticalScroll(id="trust-lines"):
                yield Static("\n".join(lines), markup=False)
            yield Static(self._keys(), id="trust-keys")

    def _keys(self) -> str:
        if self._offer.errors:
            return "esc close   (mend its configuration first)"
        if self._offer.state == "trusted":
            return "r trust it no more   esc close"
        return "y trust it   n not now"

    def action_say(self, word: Word) -> None:
        is_trusted = self._offer.state == "trusted"
        if (word == "remove") == is_trusted and not (word == "trust" and self._offer.errors):
            self.dismiss(word)
