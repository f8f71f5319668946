"""Deltas that came in one read are one delta."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.backends.deltas import joined
from tui.core.errors import BackendError
from tui.core.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta

words = st.text(max_size=3)
any_delta = (
    st.builds(TextDelta, words) | st.builds(ReasoningDelta, words) | st.builds(ToolCallDelta, st.just(0), words, words)
)


@given(st.lists(any_delta))
def test_nothing_is_lost_and_neighbours_differ(deltas: list[Delta]) -> None:
    found = list(joined(deltas))
    for cls in (TextDelta, ReasoningDelta):
        text = ["".join(delta.text for delta in some if isinstance(delta, cls)) for some in (deltas, found)]
        assert text[0] == text[1]
    calls = [[delta for delta in some if isinstance(delta, ToolCallDelta)] for some in (deltas, found)]
    assert calls[0] == calls[1]
    pairs = itertools.pairwise(found)
    assert all(a.type != b.type or isinstance(a, ToolCallDelta) for a, b in pairs)


def test_what_came_before_an_error_came() -> None:
    def broken() -> Iterator[Delta]:
        yield TextDelta("a")
        yield TextDelta("b")
        raise BackendError("server", "gone")

    found = []
    with pytest.raises(BackendError):
        found.extend(joined(broken()))
    assert found == [TextDelta("ab")]
