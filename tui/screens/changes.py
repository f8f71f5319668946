"""What the session has changed in the folder, file by file, as a patch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.agent.patches import Patch
from tui.core.text import clean_line
from tui.widgets.line_view import Line, LineView, diff_lines


class ChangesScreen(ModalScreen[None]):
    """Given the patches of all files that changed."""

    CSS_PATH = "changes.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("n", "go(1)", show=False),
        Binding("p", "go(-1)", show=False),
        Binding("c", "copy", show=False),
        Binding("escape,q", "dismiss(None)", show=False),
    ]

    def __init__(self, title: str, patches: Sequence[Patch]) -> None:
        super().__init__()
        self._title, self._patches = title, patches
        self._lines, self._heads = lines_of_patches(patches)

    def compose(self) -> ComposeResult:
        added, removed = (sum(getattr(patch, name) for patch in self._patches) for name in ("added", "removed"))
        count = len(self._patches)
        files = f"{count} file{'s' if count != 1 else ''}"
        with Vertical(id="changes"):
            yield Static(f"{self._title}: {files}  +{added} -{removed}", id="changes-title", markup=False)
            yield LineView(self._lines, id="changes-lines")
            yield Static("esc close   n p next file   c copy as a patch", id="changes-keys")

    def action_go(self, by: int) -> None:
        """To the next file, or the one before."""
        view = self.query_one(LineView)
        rows = [view.row_of(line) for line in self._heads]
        now = round(view.scroll_offset.y)
        further = [row for row in rows if (row > now if by > 0 else row < now)]
        if further:
            view.scroll_to(y=further[0] if by > 0 else further[-1], animate=False)

    def action_copy(self) -> None:
        """Put all of it on the clipboard, as `git apply` takes it."""
        text = "".join(patch.text for patch in self._patches)
        self.app.copy_to_clipboard(text.encode("utf-8", "replace").decode())
        self.query_one("#changes-keys", Static).update("The patch is on the clipboard.")


def lines_of_patches(patches: Sequence[Patch]) -> tuple[list[Line], list[int]]:
    """All lines, and which of them name a file."""
    lines: list[Line] = []
    heads = []
    for patch in patches:
        if lines:
            lines.append(Line(""))
        heads.append(len(lines))
        counts = f"  +{patch.added} -{patch.removed}" if patch.added or patch.removed else ""
        lines.append(Line(f"{clean_line(patch.path)}  ({patch.what}){counts}", "heading"))
        if patch.hunks:
            lines += [line for line in diff_lines(patch.hunks) if not line.text.startswith(("--- ", "+++ "))]
    return lines, heads
