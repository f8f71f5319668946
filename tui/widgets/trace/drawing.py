"""A row of the trace as styled pieces of exactly the width of the pane."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from tui.core.text import clean_line
from tui.core.usage import Usage
from tui.widgets.status import count_text
from tui.widgets.trace.rows import NoteRow, Row, StepRow, ToolRow, TurnRow

Phase = Literal["wait", "stream", "tool"]
Span = tuple[float, float, Phase]
"""From, to (seconds since the turn began) and what was going on."""

_NARROWEST_LABEL = 12
_NESTED = 3
"""Cells by which what a subagent does is moved in."""
_BAR_GLYPHS: dict[Phase, str] = {"wait": "─", "stream": "━", "tool": "╍"}
_TOOL_GLYPHS = {
    "called": "·",
    "asked": "?",
    "running": "▸",
    "done": "✓",
    "failed": "✗",
    "refused": "⊘",
    "stopped": "–",
}
_TOOL_STYLES = {"asked": "warning", "running": "stream", "done": "success", "failed": "error", "refused": "warning"}
_NOTE_GLYPHS = {"retry": "↻", "repaired": "✎", "learned": "i", "notice": "!", "failed": "✗", "stopped": "–"}
_NOTE_STYLES = {"failed": "error", "retry": "warning", "stopped": "warning"}
Styles = Mapping[str, Style]
_WITH_CACHED = 14
"""Cells for tokens in all forms, as `118k/120k→1.2k`: cached of sent, made."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0: there is no room for that column."""

    label: int
    bar: int
    tokens: int
    cost: int


@lru_cache(maxsize=32)
def columns(width: int) -> Columns:
    """What fits: the label first, then bar, tokens and cost, in this order; last how many of the tokens were cached."""
    free = width - 11  # the number, the time it took, the spaces around them, and a margin
    for bar, tokens, cost in ((8, _WITH_CACHED, 6), (6, 9, 6), (6, _WITH_CACHED, 0), (6, 9, 0), (6, 0, 0)):
        used = sum(size + 1 for size in (bar, tokens, cost) if size)
        if (spare := free - used - _NARROWEST_LABEL) >= 0:
            wider = spare // 2 if width < 100 else spare * 2 // 3
            return Columns(_NARROWEST_LABEL + spare - wider, bar + wider, tokens, cost)
    return Columns(max(free, 1), 0, 0, 0)


def draw(row: Row, width: int, now: float, styles: Styles) -> list[Segment]:
    """The pieces of a row, `width` cells in all. `styles` has a style for each name used here."""
    match row:
        case TurnRow():
            return _turn(row, width, now, styles)
        case StepRow():
            return _step(row, columns(width), now, styles)
        case ToolRow():
            return _tool(row, columns(width), now, styles)
        case NoteRow():
            return _note(row, width, now, styles)


def _turn(row: TurnRow, width: int, now: float, styles: Styles) -> list[Segment]:
    took = _seconds((row.ended or now) - row.began)
    words = _fit(row.words, width - 3 - len(took))
    return [Segment(f" {words} ", styles["turn"]), Segment(f"{took} ", styles["turn-time"])]


def _step(row: StepRow, columns: Columns, now: float, styles: Styles) -> list[Segment]:
    label_style = {"running": "stream", "failed": "error", "stopped": "warning"}.get(row.state, "text")
    end = row.ended or now
    spans: list[Span] = []
    if row.first_token is None:
        spans.append((row.began, end, "wait"))
    else:
        spans += [(row.began, row.first_token, "wait"), (row.first_token, end, "stream")]
    spans += [(tool.began, tool.ended or now, "tool") for tool in row.tools if tool.began is not None]
    last = max([end, *(span[1] for span in spans)])
    is_over = row.state != "running"
    indent, filled = _indent(row), _filled(row) if row.host else ""
    return [
        Segment(f"{'':{indent}}{row.step:>3} ", styles["muted"]),
        Segment(_fit(row.label, columns.label - indent - len(filled)), styles[label_style]),
        Segment(filled, styles["muted"]),
        *_bar(row.turn, spans, columns.bar, now, styles),
        Segment(f" {_seconds(last - row.began):>5}", styles["text"]),
        *_right(tokens_text(row.usage, columns.tokens) if is_over else "", columns.tokens, styles["muted"]),
        *_right(cost_text(row.cost) if is_over else "", columns.cost, styles["muted"]),
    ]


def _tool(row: ToolRow, columns: Columns, now: float, styles: Styles) -> list[Segment]:
    began = row.asked if row.state == "asked" else row.began
    took = "" if began is None else _seconds((row.ended or now) - began)
    indent = _indent(row)
    room = columns.label + (columns.bar + 1 if columns.bar else 0) - 2 - indent
    fold = "" if not row.nested else "▸ " if row.is_folded else "▾ "
    is_told = bool(row.nested) and row.is_over
    return [
        Segment(f"{'':{indent}}    {_TOOL_GLYPHS[row.state]} ", styles[_TOOL_STYLES.get(row.state, "muted")]),
        Segment(_fit(f"{fold}{row.name} {row.argument}", room), styles["muted"]),
        Segment(f" {took:>5}", styles["muted"]),
        *_right(count_text(row.tokens) if is_told and row.tokens is not None else "", columns.tokens, styles["muted"]),
        *_right(cost_text(row.cost) if is_told else "", columns.cost, styles["muted"]),
    ]


def _note(row: NoteRow, width: int, now: float, styles: Styles) -> list[Segment]:
    style = styles[_NOTE_STYLES.get(row.kind, "muted")]
    text = clean_line(row.countdown.text(now)) if row.countdown else row.text
    indent = _indent(row)
    lead = f"{'':{indent}}    {_NOTE_GLYPHS[row.kind]} "
    return [Segment(lead, style), Segment(_fit(text, width - 7 - indent), style)]


def _indent(row: Row) -> int:
    return _NESTED if row.host else 0


def _filled(row: StepRow) -> str:
    """How full a subagent's own window is."""
    return f" {min(row.filled, 9.99):>3.0%}" if row.filled is not None else ""


def _bar(turn: TurnRow, spans: Iterable[Span], width: int, now: float, styles: Styles) -> list[Segment]:
    """When within the turn it happened. A cell shows what took most of its time, and a moment still has a cell."""
    if not width:
        return []
    per_second = width / turn.scale(now)
    shown: list[tuple[float, Phase | None]] = [(-1.0, None)] * width
    for begin, end, phase in spans:
        first, last = (min(max((time - turn.began) * per_second, 0.0), width) for time in (begin, end))
        begins_in = min(int(first), width - 1)
        for cell in range(begins_in, max(math.ceil(last), begins_in + 1)):
            share = min(last, cell + 1) - max(first, cell)
            if share > shown[cell][0]:
                shown[cell] = (share, phase)
    segments = [Segment(" ", styles["text"])]
    for _, phase_shown in shown:
        glyph = _BAR_GLYPHS[phase_shown] if phase_shown else " "
        segments.append(Segment(glyph, styles[phase_shown or "text"]))
    return segments


def _right(text: str, width: int, style: Style) -> list[Segment]:
    return [Segment(f" {text:>{width}}", style)] if width else []


def _fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells."""
    if cell_len(text) > width > 0:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, max(width, 0))


def _seconds(seconds: float) -> str:
    """A duration in at most five cells."""
    seconds = max(seconds, 0.0)
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 99.5:
        return f"{seconds:.0f}s"
    if seconds < 5970:
        return f"{seconds // 60:.0f}m{seconds % 60:02.0f}"
    return f"{seconds // 3600:.0f}h{seconds % 3600 // 60:02.0f}"


def tokens_text(usage: Usage, width: int = 9) -> str:
    """Tokens in and out; `–` for what the server did not say. Where there is room, how many of those in were cached."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return "–"
    text = "→".join("–" if count is None else _count(count) for count in (usage.input_tokens, usage.output_tokens))
    return f"{_count(usage.cached_tokens)}/{text}" if usage.cached_tokens is not None and width > 9 else text


def _count(number: int) -> str:
    text = count_text(number)
    return text if len(text) <= 4 else f"{round(number / 1000)}k" if number < 1_000_000 else f"{round(number / 1e6)}M"


def cost_text(cost: float | None) -> str:
    """USD in at most six cells; `–` when it is not known."""
    if cost is None:
        return "–"
    if cost == 0:
        return "$0"
    return (
        "<$.001" if cost < 0.001 else f"${cost:.3f}" if cost < 1 else f"${cost:.2f}" if cost < 100 else f"${cost:.0f}"
    )
