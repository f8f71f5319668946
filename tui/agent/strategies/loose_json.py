"""JSON as models write it when nobody makes them: with commas too many, quotes of another kind, the end missing.

What is mended is what can only be meant in one way. Where letters would be lost, or a value was cut, nothing is.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

_LIMIT_CHARACTERS = 1_000_000
_DEPTH_LIMIT = 64
"""Brackets in brackets; mending takes a time that grows with the square of it."""
_COMMENT = re.compile(r"/\*.*?\*/|(?:^|(?<=[\s,{\[]))(?://|#)[^\n]*", re.DOTALL)
_WHOLE_END = ("}", "]", '"', "'", "”", "’", "true", "false", "null", "True", "False", "None")
"""A text that ends otherwise was cut in the middle of a value."""
_DECODER = json.JSONDecoder(strict=False)


class NotJson(ValueError):
    """Neither JSON nor anything that can only mean one JSON value."""


def exact(text: str, at: int = 0) -> tuple[Any, int]:
    """The JSON value that begins at `at`, and where it ends; strings may have line breaks. Raises NotJson."""
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def mended(text: str) -> Any:
    """The value of a text that is JSON but for slips of the pen. Raises NotJson."""
    text = text.strip()
    if not text or len(text) > _LIMIT_CHARACTERS:
        raise NotJson("too long" if text else "empty")
    try:
        value, end = exact(text)
        if not text[end:].strip():
            return value
    except NotJson:
        pass
    if text[0] not in "{[" or _is_cut_in_a_value(text) or _depth(text) > _DEPTH_LIMIT:
        raise NotJson("cut, or no object")
    from json_repair import loads

    try:
        value = loads(text, skip_json_loads=True)
        written = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError, TypeError, IndexError) as error:
        raise NotJson(str(error)) from error
    if not isinstance(value, dict | list) or _letters(written) not in (
        _letters(text),
        _letters(_COMMENT.sub("", text)),
    ):
        raise NotJson("it can be read in more than one way")
    return value


def _is_cut_in_a_value(text: str) -> bool:
    return not text.endswith(_WHOLE_END) or len(re.findall(r'(?<!\\)(?:\\\\)*"', text)) % 2 == 1


def _depth(text: str) -> int:
    """About how deep it is: brackets in strings are counted, too."""
    steps = (1 if mark in "{[" else -1 for mark in re.findall(r"[\[\]{}]", text))
    return max(accumulate(steps), default=0)


def _letters(text: str) -> str:
    """What a mended text must still have, in this order. `None` and `null` are the same, written otherwise."""
    return "".join(filter(str.isalnum, text)).casefold().replace("none", "null")
