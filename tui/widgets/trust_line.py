"""A line that says what a folder brings and that it does not count yet. It takes no keys."""

from __future__ import annotations

from textual.widgets import Static

from tui.core.text import clean_line


class TrustLine(Static, can_focus=False):
    DEFAULT_CSS = "TrustLine { height: auto; padding: 0 2; color: $warning; }"

    def __init__(self, summary: str, has_changed: bool) -> None:
        what = "has changed since you trusted it, and brings" if has_changed else "brings"
        super().__init__(
            f"This folder {what} {clean_line(summary, 300)}: /trust shows it and lets it count.", markup=False
        )
