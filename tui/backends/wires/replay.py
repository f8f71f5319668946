"""What all wires know of conversations that other models had a part in: what may go along, and under what name."""

from __future__ import annotations

import hashlib
import re
from typing import Self

from tui.core.messages import Image, Message, Origin, Reasoning

ANY_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}\Z")
"""Ids of calls that all servers take but Mistral."""
NINE_ID = re.compile(r"[a-zA-Z0-9]{9}\Z")
"""Ids as Mistral wants them."""
GO_ON = "Go on."
"""What the user says when a conversation would end with the model's words: many servers refuse such a request."""
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

    def __copy__(self) -> Self:
        other = type(self)(self._pattern, each_once=self._used is not None)
        other._used = None if self._used is None else set(self._used)
        other._changed = dict(self._changed)
        return other
