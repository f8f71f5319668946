"""A conversation with tool calls as plain words, for models that know no tools, and cut to what their window holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import shorten

from tui.backends.spec import ToolSpec
from tui.core.codec import dumps
from tui.core.messages import Message, Text, ToolCall, ToolResult, user

PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?|[\w.-]+/(?!\w)|[\w-]+\.[A-Za-z]\w{0,7}\b|\.[\w-]+")
"""What in a text looks like the name of a file or folder."""

_CHARACTERS_A_TOKEN = 3
_RESULT_SHARE = 0.25
_SPARE_TOKENS = 600
"""For the instructions and what a rough count misses."""
_LONGEST_SENTENCE = 400
"""Characters; servers of tools write descriptions of pages without a full stop."""
_CUT = "\n[... cut ...]\n"


def call_text(name: str, arguments: dict[str, object]) -> str:
    """A call in the words in which a constrained model writes one."""
    return dumps({"tool": name, **arguments})


def first_sentence(tool: ToolSpec) -> str:
    """What a tool does, in short."""
    first = re.split(r"(?<=\.)(?<!e\.g\.)(?<!i\.e\.)\s", tool.description.strip(), maxsplit=1)[0]
    return shorten(first, _LONGEST_SENTENCE, placeholder=" ...")


def fenced(call: str) -> str:
    """A call as it stands in a text."""
    return f"```json\n{call}\n```"


def as_plain_messages(messages: Iterable[Message], window: int, *, is_fenced: bool = False) -> list[Message]:
    """Calls as the JSON that stands for them, results as the user's words, each at most a quarter of the window.

    `is_fenced`: the JSON is between the marks of a block of code.
    """
    limit = int(window * _RESULT_SHARE) * _CHARACTERS_A_TOKEN
    names: dict[str, str] = {}
    plain = []
    for message in messages:
        names |= {call.id: call.name for call in message.tool_calls}
        blocks = [_as_text(block, names, limit, is_fenced) for block in message.blocks]
        text = "\n".join(part for part in blocks if part)
        if text:
            plain.append(Message("user" if message.role == "tool" else message.role, (Text(text),), message.origin))
    return plain


def cut_to(window: int, messages: Sequence[Message], max_output: int | None) -> tuple[tuple[Message, ...], int]:
    """The newest messages that fit, never fewer than the last, from a user's one on; and how many were left out."""
    room = (window - min(max_output or window, window // 3) - _SPARE_TOKENS) * _CHARACTERS_A_TOKEN
    first = len(messages)
    while first and (room := room - len(messages[first - 1].text)) > 0:
        first -= 1
    first = min(first, len(messages) - 1)
    while first < len(messages) - 1 and messages[first].role != "user":
        first += 1
    return tuple(messages[first:]), first


def question(text: str, result: str) -> Message:
    """Ask for an answer in words, after a tool's result. The question comes last: a weak model forgets it otherwise."""
    return user(f"{result}\n\nUse this to answer in a few words: {text}")


def _as_text(block: object, names: dict[str, str], limit: int, is_fenced: bool) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, ToolCall):
        call = block.raw if block.raw is not None else call_text(block.name, block.arguments)
        return fenced(call) if is_fenced else call
    if isinstance(block, ToolResult):
        return f"Result of {names.get(block.call_id, 'the tool')}:\n{_shortened(block.content, limit)}"
    return ""


def _shortened(text: str, limit: int) -> str:
    """Head and tail of a text that is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return text[:head] + _CUT + text[len(text) - (limit - head) :]
