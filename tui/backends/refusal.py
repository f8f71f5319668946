"""What a server said when it refused a request, in a form in which its words can be looked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tui.core.messages import Json

NOT_KNOWN = (
    r"(?:unknown|unrecogni[sz]ed|unsupported|unexpected|not supported|not permitted|not allowed|not recogni[sz]ed"
    r"|does not support|doesn't support|deprecated|extra inputs|extra fields|extra_forbidden)"
)
"""How servers call what they do not take."""


class Refusal(Struct, frozen=True):
    """Everything that a refusal says, in lower case."""

    text: str
    """All texts in the body, a line each, the most telling ones not sorted out; numbers without separators."""
    places: tuple[str, ...]
    """Where something is wrong: `error.param`, and FastAPI's `loc` joined with dots."""
    numbers: dict[str, int]
    """The numbers beside the texts, by their key (llama.cpp's `n_ctx`)."""

    def says(self, *patterns: str) -> bool:
        return any(re.search(pattern, self.text) for pattern in patterns)

    def refuses_field(self, name: str, *, within: bool = False) -> bool:
        """Whether it names this field of the body, or with `within` one of that name anywhere in it, as not known."""
        field = rf"(?<!\w){re.escape(name.lower())}(?!\w)"
        if not within:
            field = rf"(?<![.\]]){field}(?![.\[])"
        elif any(place.endswith(f".{name}") for place in self.places) and self.says(NOT_KNOWN):
            return True
        if {name.lower(), f"body.{name.lower()}"} & set(self.places) and self.says(NOT_KNOWN):
            return True
        return self.says(
            rf"{NOT_KNOWN}[ \w]{{0,40}}[ :'\"`(]+{field}",
            rf"{field}['\"`]?:?(?: \w+){{0,2}} (?:is |are |was )?{NOT_KNOWN}",
        )


def read_refusal(raw: str) -> Refusal:
    """Read the body of a refusal, which may be JSON in any shape, with JSON in its strings, or any text."""
    texts: list[str] = []
    places: list[str] = []
    numbers: dict[str, int] = {}
    for key, value in _leaves(_value(raw.strip())):
        if key == "loc" or (key == "param" and isinstance(value, str) and " " not in value):
            places.append(str(value).lower())
        if isinstance(value, str):
            texts.append(value.lower())
        elif isinstance(value, int) and not isinstance(value, bool):
            numbers[key] = value
    text = re.sub(r"(?<=\d)[,_](?=\d{3}\b)", "", "\n".join(texts))
    return Refusal(text, tuple(places), numbers)


def _value(text: str) -> Any:
    while text.startswith("data:"):  # MiMo answers a refused stream so
        text = text.removeprefix("data:").strip()
    for part in (text, text.partition("\n")[0]):
        try:
            return json.loads(part)
        except (ValueError, RecursionError):
            continue
    return text


def _leaves(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > 20:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, str(name), depth + 1)
    elif isinstance(value, list):
        if key == "loc":
            yield key, ".".join(str(part) for part in value)
        else:
            for inner in value:
                yield from _leaves(inner, key, depth + 1)
    elif isinstance(value, str) and value[:1] in ("{", "[") and isinstance(inner := _value(value), dict | list):
        yield from _leaves(inner, key, depth + 1)
    else:
        yield key, value


def parts_of(body: Json) -> Iterator[Json]:
    """Every object within the messages of a body, of any wire."""
    pending: list[Any] = [body.get("messages"), body.get("input")]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            yield value
            pending += value.values()
