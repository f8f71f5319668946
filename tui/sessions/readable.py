"""A session as plain text to read in a terminal or a pager. Every line is cleaned."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from tui.core.codec import dumps
from tui.core.events import (
    ApprovalGiven,
    Notice,
    Record,
    StepFinished,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tui.core.messages import Message, Reasoning, Text, ToolCall
from tui.core.text import clean, clean_line

_OUTPUT_LINES = 40


def readable(records: Iterable[Record]) -> Iterator[str]:
    """Lines: who speaks as a heading, reasoning behind a bar, tool calls with an arrow and what they gave indented.

    Of subagents there are the calls, below the one that they work for.
    """
    names: dict[str, str] = {}
    speaker = ""
    for record in records:
        if record.parent is not None:
            if isinstance(record.event, ToolStarted):
                yield f"    → {_call(record.event.call)}"
            continue
        match record.event:
            case TurnStarted(message=message):
                speaker = ""
                yield from _heading("you", time.strftime("%Y-%m-%d %H:%M", time.localtime(record.time)))
                yield from clean(message.words).splitlines()
            case StepFinished(message=message):
                names |= {call.id: call.name for call in message.tool_calls}
                origin = message.origin
                if origin is not None and speaker != (speaker := f"{origin.backend}/{origin.model}"):
                    yield from _heading(*clean_line(speaker).split("/", 1)[::-1])
                yield from _blocks(message)
            case ToolFinished() as end:
                yield f"{'✗' if end.is_error else '✓'} {clean_line(names.get(end.call_id, end.call_id))}"
                yield from _cut(end.result)
            case ApprovalGiven(decision="no", reason=reason):
                yield f"! not allowed{': ' if reason else ''}{clean_line(reason)}"
            case Notice(message=text):
                yield f"! {clean_line(text)}"
            case TurnFailed(error=error):
                yield from ("", f"! failed: {clean_line(error.message)}")
            case TurnFinished(reason="interrupted"):
                yield from ("", "! interrupted")
            case TurnFinished(reason="limit", detail=detail):
                yield from ("", f"! stopped: {clean_line(detail)}")


def _heading(who: str, what: str) -> tuple[str, str]:
    return "", f"── {who} · {what}"


def _blocks(message: Message) -> Iterator[str]:
    for block in message.blocks:
        match block:
            case Reasoning(text=text) if text.strip():
                yield from (f"┆ {line}" for line in clean(text).strip().splitlines())
                yield ""
            case Text(text=text) if text.strip():
                yield from clean(text).strip("\n").splitlines()
            case ToolCall() as call:
                yield f"→ {_call(call)}"


def _call(call: ToolCall) -> str:
    given = ", ".join(f"{name}={dumps(value)}" for name, value in call.arguments.items())
    return f"{clean_line(call.name)}({clean_line(given if call.raw is None else call.raw)})"


def _cut(output: str) -> Iterator[str]:
    lines = clean(output).splitlines()
    yield from (f"  {line}" for line in lines[:_OUTPUT_LINES])
    if len(lines) > _OUTPUT_LINES:
        yield f"  … {len(lines) - _OUTPUT_LINES} more lines (--json has them)"
