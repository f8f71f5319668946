"""What encoders do with a body at its end."""

from __future__ import annotations

from collections.abc import Iterable

from tui.core.messages import Json


def merged(body: Json, *others: Json) -> Json:
    """`body` with the fields of `others`, the last wins; objects within (`reasoning`, `options`) field by field."""
    result = dict(body)
    for other in others:
        for name, value in other.items():
            old = result.get(name)
            result[name] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def without(body: Json, names: Iterable[str]) -> Json:
    """`body` without the fields that the server refuses."""
    refused = frozenset(names)
    return {name: value for name, value in body.items() if name not in refused}
