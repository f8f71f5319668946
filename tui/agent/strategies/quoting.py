"""Whether a call in a model's text is a quotation: it stands already in what others said, however it is written there.

A model that repeats a file, a page, a piped text or a project's notes does not make the calls in them. Calls are
compared as they were parsed, for the model may write one in another form than it read.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from tui.agent.strategies.mending import tool_of
from tui.backends.spec import Request, ToolSpec
from tui.core.messages import Text, ToolCall, ToolResult

_NAMES = re.compile(r"[\w.:/-]{3,200}|(?<=[\"'`])[^\"'`\n]{3,100}(?=[\"'`])")
"""What may be the name of a tool: a word, and what stands between quotes."""
_NEAR_CHARACTERS = 400
"""So far from its tool's name arguments may stand, besides their own length."""
_SHORT = 3
"""Values of so few characters have to be words of their own: they are part of many."""
_LINE_MARKS = re.compile(r"^[ \t]*\d+\t|^[+>|][ \t]?", re.MULTILINE)
"""What lines of files, of changes and of quotations begin with."""
_ESCAPED = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([0-7]{1,3})|N\{([^}\n]{1,80})\}|[abfnrtv])"
)
_LEFT_OUT = re.compile(r"[\s\x00-\x1f\x7f\"'`“”‘’«»\\\u200b-\u200f\u2060\ufeff\u00ad]+")

_BEFORE_A_CALLED = re.compile(r"(?:[=<>\]|｜]|:\s*\\?[\"'`“]|Action:|✿FUNCTION✿\s*:)\s*\\?[\"'`“]?\Z")
_AFTER_A_CALLED = re.compile(r"[\s\"'`”\\]*[({\[<=:]|\\?[\"'”]\s*[,}]")


class Heard(NamedTuple):
    """A text that the model did not write. `is_request`: the user's words, which may name a tool to have it used."""

    text: str
    is_request: bool = False


def heard(request: Request) -> list[Heard]:
    """All in a request that the model did not write: results of tools, what the program added, the user's words."""
    found = [Heard(request.system)]
    for message in request.messages:
        for block in message.blocks:
            if isinstance(block, ToolResult):
                found.append(Heard(block.content))
            elif isinstance(block, Text) and message.role != "assistant":
                found.append(Heard(block.text, is_request=block.type == "text"))
    return [one for one in found if one.text]


def is_quoted(call: ToolCall, tools: Sequence[ToolSpec], texts: Sequence[Heard]) -> bool:
    """Whether a text holds the tool's name, also as mending accepts it, and near it each string of the arguments.

    In the user's words, and for a call without strings, the name has to stand there as it does in a call.
    """
    tool = [tool for tool in tools if tool.name == call.name]
    fixed = {value for one in tool for value in _fixed(one.parameters)}
    wanted = {_squeezed(value) for value in _strings(call.arguments) if value not in fixed}
    wanted = {value for value in wanted if any(map(str.isalnum, value))}  # a `.` stands near everything
    reach = _NEAR_CHARACTERS + 2 * sum(map(len, wanted))

    @cache
    def is_name(word: str) -> bool:
        return tool_of(word, tool) is not None

    for one in texts:
        only_called = one.is_request or not wanted
        for text in dict.fromkeys((one.text, _decoded(one.text))):
            for start, end in _near(text, is_name, only_called, reach):
                if _has_all(text[start:end], wanted):
                    return True
    return False


def _has_all(text: str, wanted: set[str]) -> bool:
    near = _squeezed(text)
    return all(
        value in near and (len(value) > _SHORT or re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text.casefold()))
        for value in wanted
    )


def _near(text: str, is_name: Callable[[str], bool], only_called: bool, reach: int) -> Iterator[tuple[int, int]]:
    """The parts of a text that are around the name; those that meet are one, so that each character is in one."""
    start = end = -1
    for match in _NAMES.finditer(text):
        if not is_name(match[0]) or (only_called and not _is_called(text, match)):
            continue
        first = max(0, match.start() - reach)
        if end < first:
            if end >= 0:
                yield start, end
            start = first
        end = match.end() + reach
    if end >= 0:
        yield start, end


def _is_called(text: str, name: re.Match[str]) -> bool:
    """Whether a name has next to it what it has in a call, and not in a sentence."""
    before, after = text[max(0, name.start() - 20) : name.start()], text[name.end() : name.end() + 20]
    return ":" in name[0] or bool(_BEFORE_A_CALLED.search(before) or _AFTER_A_CALLED.match(after))


def _fixed(rules: Any) -> Iterator[str]:
    """The words of which a schema lets one choose: mending may have put them in the place of others."""
    if isinstance(rules, dict):
        if isinstance(words := rules.get("enum"), list):
            yield from (word for word in words if isinstance(word, str))
        for inner in rules.values():
            yield from _fixed(inner)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _decoded(text: str) -> str:
    """The text without the escapes of JSON and of tags."""
    return html.unescape(_ESCAPED.sub(_meant, text))


def _meant(escape: re.Match[str]) -> str:
    """The character that an escape of JSON or Python stands for; a space for those that are left out."""
    if code := escape[1] or escape[2] or escape[3]:
        return chr(min(int(code, 16), sys.maxunicode))
    if escape[4]:
        return chr(int(escape[4], 8))
    if escape[5]:
        try:
            return unicodedata.lookup(escape[5])
        except KeyError:
            return " "
    return " "


def _squeezed(text: str) -> str:
    """For a comparison: without white space, quotes and the marks of lines, in one case."""
    return _LEFT_OUT.sub("", unicodedata.normalize("NFKC", _LINE_MARKS.sub("", text))).casefold()
