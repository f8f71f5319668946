"""Any JSON in place of any field, on every wire: an answer that can be stored and sent back, or an error of ours."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.faults.calls import CALLS
from tests.faults.dialects import DIALECTS, Dialect
from tui.backends.json_body import json_body
from tui.backends.spec import BackendSpec, Request
from tui.core.codec import dumps, to_json
from tui.core.errors import BackendError
from tui.core.events import StepFinished
from tui.core.messages import Message, ToolResult, user
from tui.core.usage import Timings

pytestmark = pytest.mark.slow

WIRES = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.wire)
ODD = [
    None,
    True,
    -1,
    0.5,
    1e308,
    -0.0,
    10**400,
    "",
    "\0",
    "\ud83c",
    "1",
    "x" * 70_000,
    [],
    [[]],
    [None],
    {},
    {"": None},
    {"a": {"b": []}},
    float("nan"),
    float("inf"),
]
"""What hypothesis need not find first."""
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def samples(dialect: Dialect) -> list[list[Any]]:
    """Event by event: an answer with text, one in a single piece, one with tool calls."""
    parts = [dialect.begin, dialect.more, dialect.finish, dialect.end]
    answer = [fields for part in parts if not isinstance(part, bytes) for fields in part]
    calls = [list(case.events) for case in CALLS if case.dialect is dialect]
    return [answer, [dialect.whole], *calls]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def replaced(events: list[Any], path: tuple[Any, ...], new: Any) -> list[Any]:
    events = copy.deepcopy(events)
    target: Any = events
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = new
    return events


def decode(dialect: Dialect, events: list[str]) -> None:
    """Through the wire and back. Nothing but a BackendError may come of it."""
    wire: ModuleType = importlib.import_module(f"tui.backends.wires.{dialect.wire.replace('-', '_')}")
    spec = BackendSpec("lab", "", dialect.wire, "http://lab", "m")
    decoder = wire.Decoder(spec)
    try:
        for data in events:
            for delta in decoder.feed(data):
                to_json(delta)
        reply = decoder.finish()
    except BackendError as error:
        assert error.message
        return
    event = StepFinished(reply.message, reply.usage, reply.finish_reason, Timings(0, None, 0))
    dumps(to_json(event)).encode()
    results = tuple(ToolResult(call.id, "done") for call in reply.message.tool_calls)
    history = (user("Hello"), reply.message, *((Message("tool", results),) if results else ()), user("On"))
    json_body(wire.encode(Request("", history), spec))


@WIRES
def test_odd_values_in_each_field_one_by_one(dialect: Dialect) -> None:
    for events in samples(dialect):
        for path in places(events):
            for odd in ODD if path else ():
                decode(dialect, [json.dumps(fields) for fields in replaced(events, path, odd)])


@WIRES
def test_fields_that_are_missing_one_by_one(dialect: Dialect) -> None:
    for events in samples(dialect):
        for path in places(events):
            if path:
                left = copy.deepcopy(events)
                target: Any = left
                for key in path[:-1]:
                    target = target[key]
                del target[path[-1]]
                decode(dialect, [json.dumps(fields) for fields in left])


@WIRES
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_json_in_any_field(dialect: Dialect, data: st.DataObject) -> None:
    events = data.draw(st.sampled_from(samples(dialect)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in places(events) if path]))
        events = replaced(events, path, data.draw(ANY))
    decode(dialect, [json.dumps(fields) for fields in events])


@WIRES
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_events_in_any_order_and_number(dialect: Dialect, data: st.DataObject) -> None:
    events = [fields for sample in samples(dialect) for fields in sample]
    decode(dialect, [json.dumps(fields) for fields in data.draw(st.lists(st.sampled_from(events), max_size=12))])


@WIRES
@given(text=st.text())
@example('{"a":1,"a":{"b":2}}')
@example("[" * 5000 + "]" * 5000)
@example('{"choices":[' * 900)
@example("1" * 10_000)
@example('{"message":{"content":"\\ud800"}}')
@example("NaN")
@settings(max_examples=50, deadline=None)
def test_any_text_for_an_event(dialect: Dialect, text: str) -> None:
    decode(dialect, [text])
