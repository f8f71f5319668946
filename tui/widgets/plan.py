"""The plan above the trace: what the model has set out to do, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.widget import Widget

from tui.core.events import Record, ToolFinished, TurnStarted
from tui.widgets.call_words import plan_lines

_LINES = 8


class PlanPane(Widget):
    """Takes the records of a conversation and shows its last plan; nothing while there is none."""

    DEFAULT_CSS = """
    PlanPane {
        display: none;
        height: auto;
        padding: 0 1;
        border-bottom: solid $border-blurred;
        background: $surface;
        &.-shown { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def show(self, record: Record) -> None:
        """Take in the next record. A plan that is done goes when the next turn begins."""
        event = record.event
        if record.parent is not None:
            return
        if isinstance(event, ToolFinished) and "todo" in event.detail:
            self._become(plan_lines(event.detail["todo"]))
        elif isinstance(event, TurnStarted) and all(line.startswith("✓") for line in self._lines):
            self._become([])

    def show_all(self, records: Iterable[Record]) -> None:
        """Another conversation."""
        self._become([])
        for record in records:
            self.show(record)

    def _become(self, lines: list[str]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.set_class(bool(lines), "-shown")
            self.refresh(layout=True)

    def render(self) -> Text:
        styles = {"✓": "dim", "▸": "bold"}
        text = Text(no_wrap=True, overflow="ellipsis")
        for line in self._shown():
            text.append(f"{line}\n", styles.get(line[:1], ""))
        text.rstrip()
        return text

    def _shown(self) -> list[str]:
        """At most `_LINES`: what is done at the beginning, then what is far away, is only counted."""
        if len(self._lines) <= _LINES:
            return self._lines
        done = next((n for n, line in enumerate(self._lines) if not line.startswith("✓")), len(self._lines))
        skipped = min(done, len(self._lines) - _LINES + 1)
        rest = self._lines[skipped:]
        head = [f"✓ {skipped} done"] if skipped else []
        room = _LINES - len(head)
        return [*head, *rest] if len(rest) <= room else [*head, *rest[: room - 1], f"… {len(rest) - room + 1} more"]
