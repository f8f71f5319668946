"""What was written for the requests before changes nothing of what is written: on every wire, for any conversation."""

from __future__ import annotations

import importlib
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.wires.test_messages_encode import CLAUDE, OTHER, with_rules
from tests.backends.wires.test_messages_replay import MESSAGES
from tui.backends.json_body import GrowingBody, json_body
from tui.backends.spec import BackendSpec, Request
from tui.backends.wires.conversation import Writing
from tui.core.messages import Message, Text, user

WIRES = ("chat_completions", "messages", "responses", "ollama")
SPECS = (
    CLAUDE,
    with_rules(CLAUDE, call_ids="nine", assistant_before_user=True, system_role="user", reasoning_required=True),
    with_rules(CLAUDE, images=False, foreign_reasoning="text", replay_reasoning="all", stateless=True),
)


@pytest.mark.parametrize("wire", WIRES)
@given(
    histories=st.lists(st.lists(MESSAGES, max_size=8), min_size=1, max_size=2),
    specs=st.lists(st.sampled_from(SPECS), min_size=1, max_size=2),
    system=st.sampled_from(["", "Be brief.", "half of a character: \ud83d"]),
)
@settings(deadline=None, max_examples=60)
def test_a_request_is_the_same_whatever_was_written_before(
    wire: str, histories: list[list[Message]], specs: list[BackendSpec], system: str
) -> None:
    """Conversations that grow message by message, then others in their place, as after a compaction or `/model`."""
    encode, writing = importlib.import_module(f"tui.backends.wires.{wire}").encode, Writing()
    growing = GrowingBody()
    for spec in specs:
        for history in histories:
            sent, kept = [], []
            for count in range(len(history) + 1):
                request = Request(system, tuple(history[:count]))
                body = encode(request, spec, writing)
                assert body == encode(request, spec)
                assert growing.encode(body) == json_body(body)
                sent.append(body)
                kept.append(deepcopy(body))
            assert sent == kept, "a body that was sent was altered later"


@pytest.mark.parametrize("wire", WIRES)
def test_what_was_written_is_not_written_again(wire: str) -> None:
    encode, writing = importlib.import_module(f"tui.backends.wires.{wire}").encode, Writing()
    history = tuple(m for n in range(50) for m in (user(f"q{n}"), Message("assistant", (Text(f"a{n}"),), OTHER)))
    key = "input" if wire == "responses" else "messages"
    before = encode(Request("", history), CLAUDE, writing)[key]
    after = encode(Request("", (*history, user("more"))), CLAUDE, writing)[key]
    assert sum(a is b for a, b in zip(before, after, strict=False)) >= 95
