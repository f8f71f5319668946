"""A conversation as a wire writes it down: each message once, however many requests it goes along with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from typing import Self

from tui.backends.spec import BackendSpec, Rules, ToolSpec
from tui.backends.wires.replay import CallIds, is_same_origin
from tui.core.messages import Json, Message, ToolCall, ToolResult

NO_RESULT = "There is no result: the call was interrupted."


class Conversation(ABC):
    """Becomes `entries`, of which an earlier one never becomes another one because more messages follow.

    A wire is given the messages with exactly one result right behind each call, in the order of the calls, in one
    message. Calls that nobody answered are said to have been interrupted, results that nobody asked for are left out,
    and ids that a model used twice in one message are told apart. Messages with nothing in them come too.
    """

    def __init__(self, spec: BackendSpec) -> None:
        self.entries: list[Json] = []
        self._rules = spec.rules
        self._origin = spec.origin
        self._waiting: tuple[ToolCall, ...] = ()
        """Calls of the last message, whose results may still come."""
        self._results: list[ToolResult] = []

    def add(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.role == "tool":
                came = [block for block in message.blocks if isinstance(block, ToolResult)]
                self._results += came if self._waiting else []
                continue
            self._answer_calls()
            self._waiting = message.tool_calls if message.role == "assistant" else ()
            self._write(_with_own_ids(message))

    def end(self) -> None:
        """No more messages come: bring it to an end that the server takes."""
        self._answer_calls()

    def fork(self) -> Self:
        """Another one that goes on from here by itself. Entries are shared, so a wire replaces them, never alters."""
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict | CallIds):
                setattr(other, name, copy(value))
        return other

    @abstractmethod
    def _write(self, message: Message) -> None:
        """Put the entries of one message behind those that are there."""

    def _is_own(self, message: Message) -> bool:
        return is_same_origin(message.origin, self._origin)

    def _answer_calls(self) -> None:
        if self._waiting:
            self._write(_results(self._waiting, self._results))
        self._waiting, self._results = (), []


class Writing:
    """Writes the conversation of one request after the other, and of each only what the one before did not have.

    What is kept depends on nothing but the messages, so the entries are as if they were all written anew.
    """

    def __init__(self) -> None:
        self._spec: BackendSpec | None = None
        self._written: tuple[Message, ...] = ()
        self._kept: Conversation
        self._last: list[Json] = []
        """The entries of the last request."""
        self._tools: tuple[tuple[ToolSpec, ...], Rules, list[Json]] | None = None

    def entries(
        self, begin: Callable[[BackendSpec], Conversation], messages: tuple[Message, ...], spec: BackendSpec
    ) -> list[Json]:
        """The entries of a whole conversation. The list is the caller's own; what is in it must not be altered."""
        if self._spec is not spec or messages[: len(self._written)] != self._written:
            self._spec, self._written, self._kept = spec, (), begin(spec)
        settled, known = _settled(messages), len(self._kept.entries)
        if settled > len(self._written):
            self._kept.add(messages[len(self._written) : settled])
            self._written = messages[:settled]
            _take_over(self._last, self._kept.entries, known)
        conversation = self._kept.fork()
        conversation.add(messages[len(self._written) :])
        conversation.end()
        self._last = list(conversation.entries)
        return conversation.entries

    def tools(
        self, write: Callable[[tuple[ToolSpec, ...], Rules], list[Json]], tools: tuple[ToolSpec, ...], rules: Rules
    ) -> list[Json]:
        """Tools as a wire writes them: the same list as long as they are the same, which must not be altered."""
        known = self._tools
        if known is None or known[0] is not tools or known[1] is not rules:
            known = self._tools = tools, rules, write(tools, rules)
        return known[2]


def _take_over(old: list[Json], new: list[Json], start: int) -> None:
    """Put the same objects into `new` where they are equal: who compares two requests is done in no time then."""
    for place in range(start, min(len(old), len(new))):
        if old[place] == new[place]:
            new[place] = old[place]


def _settled(messages: tuple[Message, ...]) -> int:
    """How many messages no later one has a say in: those before the last answer and the question that it answers."""
    last = next((place for place in reversed(range(len(messages))) if messages[place].role == "assistant"), 0)
    while last and messages[last - 1].role in ("user", "system"):
        last -= 1
    return last


def _results(calls: tuple[ToolCall, ...], found: list[ToolResult]) -> Message:
    by_id: dict[str, deque[ToolResult]] = {}
    for result in found:
        by_id.setdefault(result.call_id, deque()).append(result)
    blocks = []
    for call, id in zip(calls, _own_ids(calls), strict=True):
        mine = by_id.get(call.id)
        blocks.append(replace(mine.popleft(), call_id=id) if mine else ToolResult(id, NO_RESULT, is_error=True))
    return Message("tool", tuple(blocks))


def _with_own_ids(message: Message) -> Message:
    calls = message.tool_calls
    if len({call.id for call in calls}) == len(calls):
        return message
    ids = iter(_own_ids(calls))
    blocks = (replace(block, id=next(ids)) if isinstance(block, ToolCall) else block for block in message.blocks)
    return replace(message, blocks=tuple(blocks))


def _own_ids(calls: tuple[ToolCall, ...]) -> list[str]:
    """The ids of the calls of one message, a second one of the same name with a number behind it."""
    ids: list[str] = []
    taken = {call.id for call in calls}
    for call in calls:
        id, number = call.id, 1
        while id in ids or (number > 1 and id in taken):
            number += 1
            id = f"{call.id}_{number}"
        ids.append(id)
    return ids
