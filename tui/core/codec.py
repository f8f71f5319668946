"""Blocks, messages, events and records to JSON values and back, without loss."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from tui.core.events import Event, Record
from tui.core.messages import Block, Json

EVENT_TYPES: dict[str, type[Event]] = {cls.type: cls for cls in typing.get_args(Event)}
_BLOCK_TYPES = {cls.type: cls for cls in typing.get_args(Block)}
_UNIONS: dict[Any, dict[str, Any]] = {Block: _BLOCK_TYPES, Event: EVENT_TYPES}


def to_json(value: Any) -> Any:
    """A dataclass of ours as a dict (with its `type` first, if it has one); tuples as lists; the rest as it is."""
    names = _names(value.__class__)
    if names is not None:
        head = {"type": value.type} if hasattr(value, "type") else {}
        return head | {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value


def event_from_json(data: Json) -> Event:
    """The event that `to_json` turned into `data`. Raises ValueError for a type that this version does not know."""
    try:
        cls = EVENT_TYPES[data["type"]]
        return typing.cast(Event, _decode(cls, data))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event of this version: {data.get('type')!r} ({error})") from error


def record_to_json(record: Record) -> Json:
    """The `--json` line of a record: its place, then the event's own fields beside it."""
    place: Json = {
        "type": record.event.type,
        "session": record.session,
        "turn": record.turn,
        "step": record.step,
        "parent": record.parent,
        "time": record.time,
    }
    return {k: v for k, v in place.items() if v is not None} | typing.cast(Json, to_json(record.event))


def record_from_json(data: Json) -> Record:
    return Record(
        data["session"], data["turn"], data.get("step"), data["time"], event_from_json(data), data.get("parent")
    )


def dumps(value: Any) -> str:
    """Compact JSON in ASCII: unpaired surrogates and controls survive, and no terminal can be harmed by it."""
    return json.dumps(value, separators=(",", ":"))


def _decode(hint: Any, data: Any) -> Any:
    if hint in _UNIONS:
        return _decode(_UNIONS[hint][data["type"]], data)
    if hints := _hints(hint):
        return hint(**{name: _decode(inner, data[name]) for name, inner in hints if name in data})
    if typing.get_origin(hint) is tuple:
        return tuple(_decode(typing.get_args(hint)[0], item) for item in data)
    if isinstance(hint, types.UnionType) and data is not None:  # only ever `X | None` here
        return _decode(next(arg for arg in typing.get_args(hint) if arg is not types.NoneType), data)
    return data


@cache
def _names(cls: Any) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(cls)) if is_dataclass(cls) else None


@cache
def _hints(cls: Any) -> tuple[tuple[str, Any], ...]:
    if not is_dataclass(cls):
        return ()
    hints = typing.get_type_hints(cls)
    return tuple((field.name, hints[field.name]) for field in fields(cls))
