"""What a session's records mean to the model: the messages of the conversation, and the requests that were sent."""

from __future__ import annotations

from collections.abc import Iterable

from tui.core import requests
from tui.core.events import Record, RuleLearned, StepFinished, StepStarted, ToolFinished, TurnStarted
from tui.core.messages import Json, Message, Reasoning, Text, ToolResult

_CUT = ("interrupted", "error")
_NO_RESULT = "Interrupted: the call has no result."


def messages(records: Iterable[Record]) -> tuple[Message, ...]:
    """The conversation so far. Every tool call has a result; of a reply that was cut off, its text is kept."""
    found: list[Message] = []
    results: dict[str, ToolResult] = {}
    for record in records:
        if record.parent is not None:
            continue  # a subagent's conversation is its own
        match record.event:
            case TurnStarted(message=message):
                _answer(found, results)
                found.append(message)
            case StepFinished(message=message, finish_reason=reason):
                _answer(found, results)
                kept = _whole(message) if reason in _CUT else message
                if kept.text or kept.tool_calls or reason == "pause":
                    found.append(kept)
            case ToolFinished() as end:
                results[end.call_id] = ToolResult(end.call_id, end.result, end.is_error)
    _answer(found, results)
    return tuple(found)


def last_request(records: Iterable[Record]) -> Json:
    """The body of the last request; empty when none was sent."""
    return requests.fold(r.event.request for r in records if isinstance(r.event, StepStarted | RuleLearned))


def request_of(records: Iterable[Record], turn: int, step: int) -> Json:
    """The body that a step sent, the last one if rules were learned on the way; empty when there was no such step."""
    changes: list[Json] = []
    is_found = False
    for record in records:
        if isinstance(record.event, StepStarted | RuleLearned):
            is_it = (record.turn, record.step, record.parent) == (turn, step, None)
            if is_found and not is_it:
                break
            changes.append(record.event.request)
            is_found = is_found or is_it
    return requests.fold(changes) if is_found else {}


def _answer(found: list[Message], results: dict[str, ToolResult]) -> None:
    """Put the results behind the message that asked for them, in the order of its calls."""
    calls = found[-1].tool_calls if found else ()
    if calls:
        missing = (ToolResult(call.id, _NO_RESULT, is_error=True) for call in calls)
        found.append(Message("tool", tuple(results.get(result.call_id, result) for result in missing)))
    results.clear()


def _whole(message: Message) -> Message:
    """What may be kept of a reply that was cut off: its text and reasoning, not its calls."""
    blocks = tuple(block for block in message.blocks if isinstance(block, Text | Reasoning))
    return Message(message.role, blocks, message.origin)
