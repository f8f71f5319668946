"""Calls that nothing marks as such but their form: in a fence, as bare JSON, like Python, as `Action: ...`.

They count only at the very end of a text, so each parser looks for where the last thing of the text begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tui.agent.strategies.loose_json import NotJson, mended
from tui.agent.strategies.shapes import Written, calls_in, python_calls

_CANDIDATES = 20
"""Places where bare JSON may begin, from the end, that are tried."""


class Ending(NamedTuple):
    """The calls that a text ends with, and where they begin."""

    calls: list[Written]
    start: int


def ending(text: str) -> Ending | None:
    """The calls that a text ends with; it has no white space at its end."""
    for form in _FORMS:
        if found := form(text):
            return found
    return None


_FENCE = re.compile(
    r"^(?P<mark>```|~~~)[ \t]*(?P<kind>json|tool_code|tool_calls?|tool|function_call|)[ \t]*\n"
    r"(?P<body>.*?)\n?(?P=mark)[ \t]*$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


def _fence(text: str) -> Ending | None:
    """A fence with a call in it, or several of them behind each other."""
    if not text.endswith(("```", "~~~")):
        return None
    fences = list(_FENCE.finditer(text))
    calls: list[Written] = []
    start = len(text)
    for fence in reversed(fences):
        if text[fence.end() : start].strip():
            break
        found = _in_fence(fence["kind"].lower(), fence["body"])
        if not found:
            break
        calls, start = [*found, *calls], fence.start()
    return Ending(calls, start) if calls and _is_even(text[:start]) else None


def _in_fence(kind: str, body: str) -> list[Written]:
    if kind == "tool_code" or (kind.startswith("tool") and not body.lstrip().startswith(("{", "["))):
        return python_calls(body)
    try:
        return calls_in(mended(body))
    except NotJson:
        return []


def _is_even(text: str) -> bool:
    """Whether no fence is open at the end of a text."""
    return len(re.findall(r"^\s{0,3}(?:```|~~~)", text, re.MULTILINE)) % 2 == 0


_LINE_OF_JSON = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)


def _bare_json(text: str) -> Ending | None:
    """JSON that begins on a line of its own and goes to the end; several objects may follow each other."""
    if not text.endswith(("}", "]")):
        return None
    starts = [match.end() for match in _LINE_OF_JSON.finditer(text)]
    for start in [*starts[:1], *starts[-_CANDIDATES:]]:
        if calls := _json_calls(text[start:]):
            return Ending(calls, start) if _is_even(text[:start]) else None
    return None


def _json_calls(text: str) -> list[Written]:
    try:
        return calls_in(mended(text))
    except NotJson:
        pass
    found = []
    for part in re.split(r"(?<=\})\s*[;\n]\s*(?=\{)", text):
        try:
            calls = calls_in(mended(part))
        except NotJson:
            return []
        if not calls:
            return []
        found += calls
    return found


_CODE_LINE = re.compile(r"^(?:\[?[A-Za-z_][\w.]*\(|print\()", re.MULTILINE)


def _python(text: str) -> Ending | None:
    """Lines at the end that are nothing but calls."""
    if not text.endswith((")", ")]")):
        return None
    starts = [match.start() for match in _CODE_LINE.finditer(text)]
    for start in starts[-_CANDIDATES:]:
        if calls := python_calls(text[start:]):
            return Ending(calls, start) if _is_even(text[:start]) else None
    return None


_ACTION = re.compile(r"^Action:[ \t]*`?([\w.:/-]{1,100})`?[ \t]*\n+Action Input:\s*(?=\{)", re.MULTILINE)


def _action(text: str) -> Ending | None:
    """`Action: read_file`, on the next line `Action Input: {...}`."""
    found = list(_ACTION.finditer(text))
    if not found or not _is_even(text[: found[-1].start()]):
        return None
    last = found[-1]
    arguments = re.sub(r"\n+Observation:\s*$", "", text[last.end() :])
    return Ending([Written(last[1], arguments)], last.start())


_FORMS: tuple[Callable[[str], Ending | None], ...] = (_fence, _bare_json, _python, _action)
