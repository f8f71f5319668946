"""What a refused request teaches: from the server's words to the one rule that is to be changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from tui.backends.spec import BackendSpec
from tui.core.errors import BackendError
from tui.core.messages import Json


class Lesson(Struct, frozen=True):
    """The rule that the server wants otherwise. `because` is its own words, shortened."""

    rule: str
    value: Any
    because: str


def lesson(error: BackendError, body: Json, spec: BackendSpec) -> Lesson | None:
    """The rule to change before the request is sent once more; None when nothing known explains the refusal.

    `body` is what was refused. Never a rule that already has that value: what did not help is not tried again.
    """
    if error.kind not in ("bad_request", "reasoning_replay"):
        return None
    said = error.raw.lower()
    for find in _FINDERS:
        found = find(said, body, spec)
        if found is not None and getattr(spec.rules, found[0]) != found[1]:
            return Lesson(found[0], found[1], error.message)
    return None


def taught(spec: BackendSpec, new: Lesson) -> BackendSpec:
    """The spec with the rule that was learned."""
    return structs.replace(spec, rules=structs.replace(spec.rules, **{new.rule: new.value}))


_Found = tuple[str, Any] | None
_NOT_KNOWN = r"unsupported|unknown|unrecognized|unexpected|not permitted|not supported|extra inputs"


def _other_max_tokens(said: str, body: Json, spec: BackendSpec) -> _Found:
    if re.search(r"max_completion_tokens", said) and "max_tokens" in body:
        return "max_tokens_field", "max_completion_tokens"
    if re.search(rf"({_NOT_KNOWN}).{{0,60}}max_completion_tokens", said) and "max_completion_tokens" in body:
        return "max_tokens_field", "max_tokens"
    return None


def _no_stream_usage(said: str, body: Json, spec: BackendSpec) -> _Found:
    return ("stream_usage", False) if "stream_options" in said and "stream_options" in body else None


_FINDERS: tuple[Callable[[str, Json, BackendSpec], _Found], ...] = (_other_max_tokens, _no_stream_usage)
