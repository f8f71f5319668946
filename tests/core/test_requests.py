"""A request body can be kept as a change of the one before."""

from hypothesis import given
from hypothesis import strategies as st

from tui.core import requests

bodies = st.dictionaries(
    st.sampled_from(["model", "tools", "temperature", "messages", "input"]),
    st.integers() | st.lists(st.integers(0, 3), max_size=5),
)


@given(bodies, bodies)
def test_a_change_gives_back_the_body_it_was_made_from(before: dict, after: dict) -> None:
    assert requests.apply(before, requests.change(before, after)) == after


def test_a_longer_conversation_costs_only_what_is_new() -> None:
    before = {"model": "m", "messages": [{"role": "user", "content": "x" * 1000}]}
    after = {"model": "m", "messages": [*before["messages"], {"role": "assistant", "content": "y"}]}
    assert requests.change(before, after) == {
        "list": "messages",
        "kept": 1,
        "items": [{"role": "assistant", "content": "y"}],
        "set": {},
        "unset": [],
    }
