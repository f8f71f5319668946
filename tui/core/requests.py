"""Request bodies as changes of the one before: a session of 300 steps would otherwise store its history 300 times.

A change is `{"list": KEY, "kept": N, "items": [...], "set": {...}, "unset": [...]}`: the first N entries of the long
list (`messages` or `input`) stay and `items` follow; other keys are set or unset. `"order"` is there when the keys come
in another order than that leads to: a body is shown as it was sent.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from tui.core.messages import Json

LISTS = ("messages", "input")
"""The fields that hold the conversation, one of them in each body."""


def change(before: Json, after: Json) -> Json:
    """What turns `before` into `after`. Neither is altered, and the result shares values with `after`."""
    key = next((name for name in LISTS if isinstance(after.get(name), list)), "")
    old, new = _list(before, key), _list(after, key)
    kept = _shared(old, new)
    difference: Json = {
        "list": key,
        "kept": kept,
        "items": new[kept:],
        "set": {k: v for k, v in after.items() if k != key and (k not in before or before[k] != v)},
        "unset": [k for k in before if k not in after],
    }
    if list(apply(before, difference)) != list(after):
        difference["order"] = list(after)
    return difference


def apply(before: Json, difference: Json) -> Json:
    """The body that `difference` was made from, given the body before it. An empty one changes nothing."""
    if not difference:
        return before
    after: Json = {k: v for k, v in before.items() if k not in difference["unset"]} | difference["set"]
    if key := difference["list"]:
        after[key] = _list(before, key)[: difference["kept"]] + difference["items"]
    return {k: after[k] for k in difference["order"]} if "order" in difference else after


def fold(differences: Iterable[Json]) -> Json:
    """The body after all these changes, from an empty one. Linear, where repeated `apply` copies the list each time."""
    body: Json = {}
    key = ""
    growing: list[Any] = []
    for difference in filter(None, differences):
        if difference["list"] != key:
            key = difference["list"]
            growing = list(_list(body, key))  # a copy: it is altered below
        del growing[difference["kept"] :]
        growing += difference["items"]
        for name in difference["unset"]:
            body.pop(name, None)
        body |= difference["set"] | ({key: growing} if key else {})
        if order := difference.get("order"):
            body = {name: body[name] for name in order}
    return body


def _shared(old: list[Any], new: list[Any]) -> int:
    """How many entries at their beginning are equal. Most are the same object, which is found out in C."""
    shared = min(len(old), len(new))
    others = (place for place, is_other in enumerate(map(operator.is_not, old, new)) if is_other)
    return next((place for place in others if old[place] != new[place]), shared)


def _list(body: Json, key: str) -> list[Any]:
    value = body.get(key)
    return value if isinstance(value, list) else []
