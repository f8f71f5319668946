"""What all wires do with what a server sends: from an event's text to an object, and careful looks into it."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.backends.errors import RAW_LIMIT, read_error
from tui.backends.spec import BackendSpec
from tui.core.errors import BackendError
from tui.core.messages import Json
from tui.core.text import clean_line

MOST = 1e15
"""No server counts so many of anything."""


def parse(data: str) -> Any:
    """The JSON value that an event's data is; None if it is none. msgspec is twice as fast as json, which also takes
    halves of characters and line breaks within strings."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        import json

        try:
            return json.loads(data, strict=False)
        except (ValueError, RecursionError):
            return None


def not_a_reply(data: str, spec: BackendSpec) -> BackendError:
    """The error for what is no part of any reply: a web page, plain text."""
    said = read_error(200, data).message or clean_line(data, 80)
    is_page = data.lstrip()[:1] == "<"
    what = f"answered with {said}" if is_page else f"sent what is no part of a {spec.wire} reply: {said}"
    return BackendError(
        "protocol",
        f"{spec.name}: the server {what}",
        f"Is the address right? It is {spec.base_url}.",
        raw=data[:RAW_LIMIT],
    )


def cut_off(spec: BackendSpec) -> BackendError:
    """The error for a reply whose end mark never came: it is cut then, however complete it looks."""
    return BackendError(
        "network",
        f"{spec.name}: the connection ended before the answer was complete",
        "What came is kept. Ask again to go on.",
        retryable=True,
    )


def as_object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def as_count(value: Any) -> int | None:
    """A number of tokens; None for what is none."""
    number = as_amount(value)
    return None if number is None else int(number)


def as_amount(value: Any) -> float | None:
    """A number that can be counted with; None for what is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value < MOST else None
