"""What fills the model's window, part by part, with bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from tui.agent.window_use import WindowUse

_BAR_CELLS = 24


class ContextScreen(ModalScreen[None]):
    CSS_PATH = "help.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [Binding("escape,q,enter", "dismiss(None)", show=False)]

    def __init__(self, use: WindowUse) -> None:
        super().__init__()
        self._use = use

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(sheet(self._use), markup=False)


def sheet(use: WindowUse) -> Content:
    """How full the window is; then a part a line, its tokens (`~` marks what is estimated), and its share as a bar."""
    width = max((len(part.name) for part in use.parts), default=0) + 2
    total = f"{'' if use.is_counted else '~'}{use.total:,} tokens"
    of_window = f" of {use.window:,} ({use.total / use.window:.0%})" if use.window else ", of a window not known"
    lines = [Content.styled("In the model's window", "bold $primary"), Content(total + of_window)]
    if use.window:
        lines.append(_bar(use.total / use.window, width + 12 + _BAR_CELLS, "░"))
    lines.append(Content(""))
    for part in use.parts:
        number = f"~{part.tokens:,}".rjust(10)
        lines.append(
            Content(part.name.ljust(width) + number + "  ") + _bar(part.tokens / max(use.total, 1), _BAR_CELLS)
        )
    lines += [
        Content(""),
        Content.styled("~ estimated: a server counts only the whole   esc closes this", "$text-muted"),
    ]
    return Content("\n").join(lines)


def _bar(share: float, cells: int, rest: str = "") -> Content:
    """`share` of `cells`, to an eighth of one."""
    full, eighths = divmod(round(min(share, 1.0) * cells * 8), 8)
    bar = "█" * full + (" ▏▎▍▌▋▊▉"[eighths] if eighths else "")
    return Content.styled(bar or "▏", "$primary") + Content.styled(rest * (cells - len(bar)), "$text-muted")
