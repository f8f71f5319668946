"""What a session's events mean to the model: the messages of the conversation, and the requests that were sent."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy

from tui.core import requests
from tui.core.compaction import compact
from tui.core.events import (
    Compacted,
    Event,
    MessageAdded,
    Record,
    RuleLearned,
    StepFinished,
    StepStarted,
    ToolFinished,
    TurnStarted,
)
from tui.core.messages import Json, Message, Reasoning, Text, ToolResult

_CUT = ("interrupted", "error")
_REPEATED = ("repetition", "repetition_truncation")
"""Kept, they would only lead the model to say the same once more."""
_NO_RESULT = "Interrupted: the call has no result."


class History:
    """The conversation as the model gets it, built from the events as they happen or from those of a stored session."""

    def __init__(self) -> None:
        self.body: Json = {}
        """Of the last request; empty while none was sent."""
        self._messages: list[Message] = []
        self._results: dict[str, ToolResult] = {}
        self._cut: Message | None = None
        """A reply that was cut off: kept once somebody answers to it, dropped when another comes in its place."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every tool call has a result. A reply that was cut off is not among them before somebody answers to it."""
        return (*self._messages, *_answers(self._messages, self._results))

    def add(self, event: Event) -> None:
        """Take in what happened. Events of subagents are not for it: their conversations are their own."""
        match event:
            case TurnStarted(message=message) | MessageAdded(message=message):
                self._say(*([self._cut] if self._cut else []), message)
            case StepStarted(request=change) | RuleLearned(request=change):
                self.body = requests.apply(self.body, change)
            case StepFinished():
                self._finish(event)
            case ToolFinished() as end:
                self._results[end.call_id] = ToolResult(end.call_id, end.result, end.is_error, end.images)
            case Compacted():
                self._messages = compact(self.messages, event)
                self._results.clear()

    def copy(self) -> History:
        """Another one that goes on from here by itself."""
        other = copy(self)
        other._messages, other._results = list(self._messages), dict(self._results)
        return other

    def _say(self, *new: Message) -> None:
        self._messages += [*_answers(self._messages, self._results), *new]
        self._results.clear()
        self._cut = None

    def _finish(self, step: StepFinished) -> None:
        message, reason = step.message, step.finish_reason
        self._cut = None
        if reason in _CUT:
            self._cut = _whole(message) if message.text else None
        elif reason not in _REPEATED and (message.text or message.tool_calls or reason == "pause"):
            self._say(message)


def history_of(records: Iterable[Record]) -> History:
    """The conversation of a session."""
    history = History()
    changes: list[Json] = []
    for record in records:
        if record.parent is not None:
            continue
        if isinstance(record.event, StepStarted | RuleLearned):
            changes.append(record.event.request)
        else:
            history.add(record.event)
    history.body = requests.fold(changes)  # one by one they would copy the list each time
    return history


def request_of(records: Iterable[Record], turn: int, step: int, parent: str | None = None) -> Json:
    """The body that a step sent, the last one if rules were learned on the way; empty when there was no such step.

    `parent` is the call that a subagent's step belongs to: its requests extend each other, from an empty one on.
    """
    changes: list[Json] = []
    is_found = False
    for record in records:
        if parent is not None and record.turn != turn:
            continue  # another call, whose id some server gave again
        if record.parent == parent and isinstance(record.event, StepStarted | RuleLearned):
            is_it = (record.turn, record.step) == (turn, step)
            if is_found and not is_it:
                break
            changes.append(record.event.request)
            is_found = is_found or is_it
    return requests.fold(changes) if is_found else {}


def _answers(messages: list[Message], results: dict[str, ToolResult]) -> list[Message]:
    """What has to follow the last message: the results of its calls in order, each of which has one."""
    calls = messages[-1].tool_calls if messages else ()
    if not calls:
        return []
    missing = (ToolResult(call.id, _NO_RESULT, is_error=True) for call in calls)
    return [Message("tool", tuple(results.get(result.call_id, result) for result in missing))]


def _whole(message: Message) -> Message:
    """What may be kept of a reply that was cut off: its text and reasoning, not its calls."""
    blocks = tuple(block for block in message.blocks if isinstance(block, Text | Reasoning))
    return Message(message.role, blocks, message.origin)
