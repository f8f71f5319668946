"""What all wires do with a conversation before they write it down: any history, made by whatever models, becomes one
that a strict server takes. Pure, and an earlier message never becomes another one because more messages follow."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tui.core.messages import Image, Message, Origin, Reasoning, ToolCall, ToolResult

ANY_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}\Z")
"""Ids of calls that all servers take but Mistral."""
NINE_ID = re.compile(r"[a-zA-Z0-9]{9}\Z")
"""Ids as Mistral wants them."""
GO_ON = "Go on."
"""What the user says when a conversation would end with the model's words: many servers refuse such a request."""
NO_RESULT = "There is no result: the call was interrupted."
_NAME = re.compile(r"[^a-zA-Z0-9_-]")


def is_same_origin(made_by: Origin | None, asked: Origin) -> bool:
    """The same model on the same server by the same wire, whatever the user calls it. None made nothing."""
    return made_by is not None and (
        (made_by.base_url, made_by.model, made_by.wire) == (asked.base_url, asked.model, asked.wire)
    )


def reasoning_text(message: Message) -> str:
    """What the model thought, as plain words; empty when nothing can be read of it."""
    return "\n\n".join(thought for block in message.blocks if isinstance(block, Reasoning) and (thought := block.text))


def fill_text(message: Message, fill: str = "") -> str:
    """What stands for the reasoning of a message that has none which the asked server made, where one is demanded.

    Another server's thoughts, or words of this turn's own: one placeholder for every turn made DeepSeek answer nothing
    in 40 % of all cases, and an empty one is refused. `fill` is sent in place of such words.
    """
    calls = message.tool_calls
    words = f"Calling {calls[0].name} ({calls[0].id})." if calls else "Answering."
    return reasoning_text(message).strip() or fill or words


def legal_name(name: str) -> str:
    """A tool's name as all servers take it; what a model makes up may have any character, or none."""
    return _NAME.sub("_", name)[:64] or "unknown"


def image_note(image: Image) -> str:
    """What a model that cannot see is told in place of a picture."""
    return f"[image: {image.name or 'without a name'}, which this model cannot see]"


class CallIds:
    """Ids of tool calls as the asked server takes them, each the same in the call and in its result.

    An id that the server made itself goes back as it is, except where `pattern` is one that it insists on (`NINE_ID`).
    """

    def __init__(self, pattern: re.Pattern[str] = ANY_ID, *, each_once: bool = False) -> None:
        """`each_once`: no id stands for two calls of the conversation, though some servers begin anew each time."""
        self._pattern = pattern
        self._used: set[str] | None = set() if each_once else None
        self._changed: dict[str, str] = {}

    def of_call(self, id: str, is_own: bool) -> str:
        sent = self._accepted(id, is_own)
        if self._used is not None:
            base, number = sent, 1
            while sent in self._used:
                number += 1
                sent = f"{base[:32]}_{number}"
            self._used.add(sent)
        self._changed[id] = sent
        return sent

    def _accepted(self, id: str, is_own: bool) -> str:
        if self._pattern.match(id) or (is_own and id and self._pattern is not NINE_ID):
            return id
        digest = hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()
        return digest[:9] if self._pattern is NINE_ID else f"call_{digest[:24]}"

    def of_result(self, id: str) -> str:
        """The id of the last call that had this one."""
        return self._changed.get(id, id)


def answered(messages: Iterable[Message]) -> Iterator[Message]:
    """The conversation with exactly one result right behind each call, in the order of the calls, in one message.

    Calls that nobody answered are said to have been interrupted, results that nobody asked for are left out, and ids
    that a model used twice in one message are told apart. Messages with nothing in them stay: wires leave them out.
    """
    waiting: tuple[ToolCall, ...] = ()
    results: list[ToolResult] = []
    for message in messages:
        if message.role == "tool":
            results += [block for block in message.blocks if isinstance(block, ToolResult)] if waiting else []
            continue
        if waiting:
            yield _results(waiting, results)
        waiting, results = message.tool_calls if message.role == "assistant" else (), []
        yield _with_own_ids(message)
    if waiting:
        yield _results(waiting, results)


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
    ids = iter(_own_ids(calls))
    if len({call.id for call in calls}) == len(calls):
        return message
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
