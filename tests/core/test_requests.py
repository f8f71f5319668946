"""A request body can be kept as a change of the one before."""

import copy
import itertools

from hypothesis import given
from hypothesis import strategies as st

from tui.core import requests

bodies = st.dictionaries(
    st.sampled_from(["model", "tools", "temperature", "messages", "input"]),
    st.integers() | st.lists(st.integers(0, 3), max_size=5),
)


@given(bodies, bodies)
def test_a_change_gives_back_the_body_it_was_made_from(before: dict, after: dict) -> None:
    again = requests.apply(before, requests.change(before, after))
    assert again == after and list(again) == list(after)


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


@given(st.lists(bodies, max_size=6))
def test_folding_changes_gives_the_last_body_and_alters_none_of_them(sent: list[dict]) -> None:
    changes = [requests.change(before, after) for before, after in itertools.pairwise([{}, *sent])]
    as_they_were = copy.deepcopy(changes)
    last = requests.fold(changes)
    assert last == (sent[-1] if sent else {}) and list(last) == list(sent[-1] if sent else {})
    assert changes == as_they_were
