"""What there is to see of a step, section by section, as lines."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Notice,
    Record,
    Repaired,
    Retrying,
    RuleLearned,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolOutput,
    ToolStarted,
)
from tui.core.messages import Image, Json, Reasoning, Text, ToolCall, ToolResult
from tui.core.text import clean_line
from tui.core.usage import Timings, Usage
from tui.widgets.line_view import Kind, Line, diff_lines, lines_of

_NAME_CELLS = 13
_UNKNOWN = "–"


def overview(records: Sequence[Record]) -> list[Line]:
    """Who was asked, how it ended, how long it took and what it cost; what went wrong on the way."""
    started = next((record for record in records if isinstance(record.event, StepStarted)), None)
    finished = next((record.event for record in records if isinstance(record.event, StepFinished)), None)
    lines: list[Line] = []
    if started is not None and isinstance(started.event, StepStarted):
        origin = started.event.origin
        lines += [
            _field("model", origin.model or _UNKNOWN),
            _field("backend", origin.backend),
            _field("sent to", started.event.url),
            _field("wire", origin.wire),
            _field("began", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started.time))),
        ]
    if finished is None:
        return [*lines, _field("ended", "not yet"), *_remarks(records)]
    tools_s = sum(record.event.total_s for record in records if isinstance(record.event, ToolFinished))
    return [
        *lines,
        _field("ended", finished.finish_reason),
        Line(""),
        *_times(finished.timings, finished.usage, tools_s),
        Line(""),
        *_tokens(finished.usage),
        _field("cost", _UNKNOWN if finished.cost is None else f"${finished.cost:.6f}".rstrip("0").rstrip(".")),
        *_remarks(records),
    ]


def request(body: Json) -> list[Line]:
    """The request's body as it was sent."""
    return _json(body) if body else [Line("The request is not known.", "muted")]


def response(records: Sequence[Record]) -> list[Line]:
    """The blocks of the reply, in order."""
    finished = next((record.event for record in records if isinstance(record.event, StepFinished)), None)
    if finished is None:
        return [Line("The reply is not complete yet.", "muted")]
    lines: list[Line] = []
    for block in finished.message.blocks:
        match block:
            case Text(text=text):
                lines += _titled("text", lines_of(text))
            case Reasoning(text=text, key=key):
                lines += _titled(f"reasoning ({clean_line(key)})", lines_of(text, "muted"))
            case ToolCall() as call:
                lines += _titled(f"tool call: {clean_line(call.name)}", _arguments(call))
            case ToolResult(content=content):
                lines += _titled("tool result", lines_of(content))
            case Image(media_type=media_type):
                lines += _titled("image", [Line(clean_line(media_type))])
    return lines or [Line("Nothing came.", "muted")]


def tools(records: Sequence[Record]) -> list[Line]:
    """Each tool call: what was asked, what the user said, and what came of it."""
    finished = next((record.event for record in records if isinstance(record.event, StepFinished)), None)
    calls = {call.id: call for call in finished.message.tool_calls} if finished else {}
    lines: list[Line] = []
    for call in calls.values():
        lines += _titled(clean_line(call.name), list(_tool(call, records)))
    return lines or [Line("The model called no tools in this step.", "muted")]


def _tool(call: ToolCall, records: Sequence[Record]) -> Iterator[Line]:
    yield Line("arguments", "muted")
    yield from _arguments(call)
    questions: set[str] = set()
    for record in records:
        match record.event:
            case ApprovalAsked(id=question, call=asked, reason=reason) if asked.id == call.id:
                questions.add(question)
                yield Line(f"asked: {clean_line(reason)}", "warning")
            case ApprovalGiven(id=question, decision=decision, reason=reason) if question in questions:
                words = {"once": "allowed once", "always": "allowed always", "no": "not allowed"}[decision]
                yield Line(words + (f": {clean_line(reason)}" if reason else ""), "warning")
            case ToolStarted(call=started) if started.id == call.id and started.arguments != call.arguments:
                yield Line("run with other arguments, by the user", "warning")
                yield from _arguments(started)
            case ToolFinished(call_id=id) as end if id == call.id:
                yield from _result(end)
                return
    output = "".join(r.event.text for r in records if isinstance(r.event, ToolOutput) and r.event.call_id == call.id)
    yield Line("output so far" if output else "no result yet", "muted")
    yield from lines_of(output) if output else ()


def _result(end: ToolFinished) -> Iterator[Line]:
    detail = dict(end.detail)
    diff = detail.pop("diff", None)
    if "sandbox" in detail and detail["sandbox"] is None:
        detail["sandbox"] = "none"
    refused = detail.pop("refused", False)
    state: tuple[str, Kind] = ("failed", "error") if end.is_error else ("done", "success")
    state = ("refused", "warning") if refused else state
    notes = [
        f"{name.replace('_', ' ')}: {value}"
        for name, value in detail.items()
        if value is not None and value is not False and not isinstance(value, dict | list)
    ]
    yield Line(clean_line(", ".join([f"{state[0]} after {_duration(end.total_s)}", *notes])), state[1])
    if isinstance(diff, str) and diff:
        yield from diff_lines(diff)
    yield Line("result, as the model gets it", "muted")
    yield from lines_of(end.result.rstrip("\n"))


def _times(timings: Timings, usage: Usage, tools_s: float) -> Iterator[Line]:
    first = timings.first_token_s
    yield _field("first token", _UNKNOWN if first is None else _duration(first))
    if first is not None:
        streaming_s = timings.total_s - first
        rate = usage.output_tokens / streaming_s if usage.output_tokens and streaming_s > 0.05 else None
        yield _field("streaming", _duration(streaming_s) + (f" ({rate:.0f} tokens/s)" if rate else ""))
    yield _field("reply in all", _duration(timings.total_s))
    yield _field("tools", _duration(tools_s) if tools_s else _UNKNOWN)


def _tokens(usage: Usage) -> Iterator[Line]:
    parts = (usage.cached_tokens, "cached"), (usage.written_tokens, "put into the cache")
    yield _field("tokens in", _count(usage.input_tokens, *parts))
    yield _field("tokens out", _count(usage.output_tokens, (usage.reasoning_tokens, "reasoning")))


def _count(tokens: int | None, *parts: tuple[int | None, str]) -> str:
    if tokens is None:
        return _UNKNOWN
    told = ", ".join(f"{part:,} {name}" for part, name in parts if part is not None)
    return f"{tokens:,}" + (f" ({told})" if told else "")


def _remarks(records: Sequence[Record]) -> Iterator[Line]:
    retries = [record.event for record in records if isinstance(record.event, Retrying)]
    repairs = [record.event for record in records if isinstance(record.event, Repaired)]
    yield Line("")
    yield _field("retries", str(len(retries)))
    for retry in retries:
        yield Line(f"  after {retry.wait_s:.3g} s: {clean_line(retry.error.message)}", "warning")
    yield _field("repairs", str(len(repairs)))
    for repair in repairs:
        yield Line(f"  {clean_line(repair.what)}", "warning")
        yield from (Line(f"  - {line.text}", "removed") for line in lines_of(repair.before))
        yield from (Line(f"  + {line.text}", "added") for line in lines_of(repair.after))
    for record in records:
        if isinstance(record.event, RuleLearned):
            learned = record.event
            yield _field("learned", f"{learned.rule} = {learned.value}")
            yield from (Line(f"  {line.text}", "muted") for line in lines_of(learned.because))
        elif isinstance(record.event, Notice):
            yield Line(clean_line(record.event.message), "warning")


def _arguments(call: ToolCall) -> list[Line]:
    return _json(call.arguments) if call.raw is None else lines_of(call.raw)


def _json(value: Any) -> list[Line]:
    return lines_of(json.dumps(value, indent=2, ensure_ascii=False), "json")


def _titled(title: str, lines: list[Line]) -> list[Line]:
    return [Line(title, "heading"), *lines, Line("")]


def _field(name: str, value: str) -> Line:
    return Line(f"{name:<{_NAME_CELLS}}  {clean_line(value)}", "field")


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
