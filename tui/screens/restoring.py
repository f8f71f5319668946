"""The question before files are made what they were after a step."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.core.text import clean_line
from tui.sessions.checkpoints.plan import Plan
from tui.sessions.checkpoints.states import Change
from tui.widgets.line_view import Line, LineView


class RestoreScreen(ModalScreen[bool]):
    """Dismissed with whether it is to be done."""

    CSS_PATH = "changes.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("y", "dismiss(True)", show=False),
        Binding("n,escape,q", "dismiss(False)", show=False),
    ]

    def __init__(self, turn: int, step: int, plan: Plan) -> None:
        super().__init__()
        self._title = f"Make all files what they were after step {step} of turn {turn}?"
        self._lines = _lines(plan)

    def compose(self) -> ComposeResult:
        with Vertical(id="changes"):
            yield Static(self._title, id="changes-title")
            yield LineView(self._lines, id="changes-lines")
            yield Static("y do it   n leave all as it is", id="changes-keys")


def _lines(plan: Plan) -> list[Line]:
    lines = [_change(change) for change in plan.changes]
    if plan.left:
        lines += [Line("left alone, changed since by somebody else", "heading")]
        lines += [Line(f"  {clean_line(path)}", "warning") for path in plan.left]
    if plan.unkept:
        lines += [Line("cannot be done", "heading")]
        lines += [Line(f"  {clean_line(path)}: {why}", "warning") for path, why in plan.unkept.items()]
    return lines or [Line("All files are so already.", "muted")]


def _change(change: Change) -> Line:
    if change.after is None:
        return Line(f"- {clean_line(change.path)}  is removed", "removed")
    if change.before is None:
        return Line(f"+ {clean_line(change.path)}  comes back", "added")
    return Line(f"~ {clean_line(change.path)}  is restored", "hunk")
