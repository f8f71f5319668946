"""Every event survives the way to JSON text and back."""

import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core import codec
from tui.core.events import Event, Record, TextDelta
from tui.core.messages import Json

# Any code point, unpaired surrogates too: the store must not lose what a broken server sends.
st.register_type_strategy(str, st.text(st.characters(), max_size=20))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
st.register_type_strategy(dict, st.dictionaries(st.text(max_size=5), json_values, max_size=3))


@pytest.mark.parametrize("cls", typing.get_args(Event), ids=lambda cls: cls.type)
def test_every_event_is_the_same_after_json(cls: type[Event]) -> None:
    @given(st.builds(cls), st.integers(), st.none() | st.integers(), st.none() | st.text())
    def check(event: Event, turn: int, step: int | None, parent: str | None) -> None:
        record = Record("s1", turn, step, 1.5, event, parent)
        line = codec.dumps(codec.record_to_json(record))
        assert "\n" not in line and line.isascii()
        assert codec.record_from_json(json.loads(line)) == record

    check()


def test_types_are_unique_and_snake_case() -> None:
    names = [cls.type for cls in typing.get_args(Event)]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)


def test_fields_this_version_does_not_know_are_ignored() -> None:
    assert codec.event_from_json({"type": "text_delta", "text": "a", "later": 1}) == TextDelta("a")


@pytest.mark.parametrize(
    "data", [{}, {"type": "nonsense"}, {"type": "text_delta"}, {"type": "turn_started", "message": 3}]
)
def test_what_is_not_an_event_is_a_value_error(data: Json) -> None:
    with pytest.raises(ValueError, match="not an event"):
        codec.event_from_json(data)
