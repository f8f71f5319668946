"""Values that came from a file against the types they are to have, with words for people for all that does not fit.

Not `msgspec.convert`: it stops at the first mistake, and its path to it leaves out the names of tables.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union

from tui.settings.names import did_you_mean

T = TypeVar("T")

Key = tuple[str | int, ...]
"""The way to a value: names of tables and keys, and indexes of lists, from 0."""

Rule = Callable[[Any], str | None]
"""Says what is wrong with a value that has the right type, or None. Used as `Annotated[str, rule]`."""

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    list: "a list",
    dict: "a table",
    date: "a date",
    datetime: "a date",
    time: "a time",
}


class Problem(NamedTuple):
    """Something in a file that cannot be used."""

    key: Key
    message: str
    hint: str = ""


def check(value: Any, hint: type[T], problems: list[Problem], key: Key = ()) -> T:
    """`value`, as TOML gave it, as a `hint`: a record (msgspec Struct, dataclass, TypedDict) or a type of its fields.

    What does not fit is put into `problems`; what is returned then is of use for finding more of them only.
    """
    return typing.cast(T, _check(value, hint, problems, key))


def key_text(key: Key) -> str:
    """`key` as TOML would write it, with the indexes of lists from 0 in brackets."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.isascii() and part.replace("-", "a").replace("_", "a").isalnum()
            text += ("." if text else "") + (part if bare else quoted(part))
    return text


def quoted(text: str) -> str:
    """`text` in quotes, on one line and not long: names and words from a file in a message."""
    import json

    return json.dumps(text if len(text) <= 60 else text[:59] + "…", ensure_ascii=False)


def _check(value: Any, hint: Any, problems: list[Problem], key: Key) -> Any:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _check_rules(value, hint, problems, key)
    if origin in (Union, types.UnionType):
        return _check(value, _member(value, hint), problems, key)
    if origin is Literal:
        return _check_word(value, typing.get_args(hint), problems, key)
    if origin is tuple:
        if not _is(value, list, problems, key):
            return ()
        item_hint = typing.get_args(hint)[0]
        return tuple(_check(item, item_hint, problems, (*key, index)) for index, item in enumerate(value))
    if origin is dict:
        if not _is(value, dict, problems, key):
            return {}
        name_hint, item_hint = typing.get_args(hint)
        return {
            _check(name, name_hint, problems, (*key, name)): _check(item, item_hint, problems, (*key, name))
            for name, item in value.items()
        }
    if hint is Any:
        return value
    if hint in _WORDS:
        return _check_scalar(value, hint, problems, key)
    return _check_record(value, hint, problems, key)


def _check_rules(value: Any, hint: Any, problems: list[Problem], key: Key) -> Any:
    before = len(problems)
    base, *rules = typing.get_args(hint)
    checked = _check(value, base, problems, key)
    if len(problems) == before:
        problems += [Problem(key, wrong) for rule in rules if (wrong := rule(checked))][:1]
    return checked


def _check_word(value: Any, words: tuple[str, ...], problems: list[Problem], key: Key) -> Any:
    if value not in words:
        expected = " or ".join(f'"{word}"' for word in words)
        found = quoted(value) if isinstance(value, str) else _kind(value)
        meant = did_you_mean(value, words) if isinstance(value, str) else ""
        problems.append(Problem(key, f"must be {expected}, not {found}{meant}"))
    return value


def _check_scalar(value: Any, hint: Any, problems: list[Problem], key: Key) -> Any:
    if hint is float and type(value) is int:
        value = float(value)
    if not _is(value, hint, problems, key):
        return value
    if hint in (int, float):
        if not math.isfinite(value):
            problems.append(Problem(key, "must be a finite number", "Leave it out where no limit is meant."))
        elif value < 0:
            problems.append(Problem(key, f"cannot be negative, but is {value:g}"))
    return value


def _check_record(value: Any, record: Any, problems: list[Problem], key: Key) -> Any:
    before = len(problems)
    if not _is(value, dict, problems, key):
        return None
    hints = _fields(record)
    values = {}
    for name, item in value.items():
        if name in hints:
            values[name] = _check(item, hints[name], problems, (*key, name))
        else:
            problems.append(_unknown(name, hints, (*key, name)))
    for name in _required(record):
        if name not in value:
            problems.append(Problem(key, f"`{name}` is missing"))
    return record(**values) if len(problems) == before else None


def _unknown(name: str, known: Mapping[str, Any], key: Key) -> Problem:
    if meant := did_you_mean(name, known):
        return Problem(key, f"unknown key{meant}")
    return Problem(key, "unknown key", "Known here: " + ", ".join(known) + ".")


def _member(value: Any, union: Any) -> Any:
    """The member of a union that `value` is to be checked as: the table for a table, the other for the rest."""
    members = [member for member in typing.get_args(union) if member is not types.NoneType]
    fitting = [member for member in members if _is_table(member) == isinstance(value, dict)]
    return (fitting or members)[0]


def _is_table(hint: Any) -> bool:
    if typing.get_origin(hint) is Annotated:
        return _is_table(typing.get_args(hint)[0])
    return typing.get_origin(hint) is dict or hasattr(hint, "__annotations__")


def _is(value: Any, kind: type, problems: list[Problem], key: Key) -> bool:
    if type(value) is kind:
        return True
    problems.append(Problem(key, f"must be {_WORDS[kind]}, not {_kind(value)}"))
    return False


def _kind(value: Any) -> str:
    return _WORDS.get(type(value), type(value).__name__)


@cache
def _fields(record: Any) -> dict[str, Any]:
    return typing.get_type_hints(record, include_extras=True)


@cache
def _required(record: Any) -> list[str]:
    """The fields without a default. (`inspect.signature` would tell, too, but took 4 ms of the start.)"""
    if typing.is_typeddict(record):
        return sorted(record.__required_keys__)
    if dataclasses.is_dataclass(record):
        return [field.name for field in dataclasses.fields(record) if field.default is dataclasses.MISSING]
    names: tuple[str, ...] = record.__struct_fields__
    return list(names[: len(names) - len(record.__struct_defaults__)])
