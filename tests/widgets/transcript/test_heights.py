from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.transcript.heights import Heights

HEIGHTS = st.lists(st.integers(0, 50), max_size=60)


@given(HEIGHTS, HEIGHTS)
def test_sums_and_searches_are_those_of_a_plain_list(first: list[int], later: list[int]) -> None:
    heights = Heights(first)
    for height in later:
        heights.append(height)
    values = first + later
    assert heights.total == sum(values)
    for index in range(len(values) + 1):
        assert heights.above(index) == sum(values[:index])
    lines = [(index, row) for index, height in enumerate(values) for row in range(height)]
    assert [heights.find(line) for line in range(len(lines))] == lines
    assert heights.find(len(lines) + 3) == (len(values), 3)


@given(HEIGHTS.filter(bool), st.data())
def test_a_changed_height_moves_what_is_below(values: list[int], data: st.DataObject) -> None:
    heights = Heights(values)
    for _ in range(5):
        index = data.draw(st.integers(0, len(values) - 1))
        values[index] = data.draw(st.integers(0, 50))
        heights.set(index, values[index])
    assert [heights.above(index) for index in range(len(values) + 1)] == [
        sum(values[:index]) for index in range(len(values) + 1)
    ]
