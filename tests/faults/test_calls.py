"""Tool calls in every broken form: each a call, with arguments or the text that was meant to be them."""

from __future__ import annotations

import pytest

from tests.faults.asking import KEY, outcome_of, spec_of
from tests.faults.calls import CALLS, Case
from tests.faults.raw_server import RawServer
from tests.faults.streams import whole


@pytest.mark.parametrize("case", CALLS, ids=lambda case: f"{case.dialect.wire}-{case.name.replace(' ', '-')}")
async def test_a_broken_call_is_still_a_call(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    with RawServer([whole(case.dialect, case.body)]) as server:
        outcome = await outcome_of(spec_of(case.dialect, server))
    assert outcome.kind is None, outcome.error
    reply = outcome.pieces[-1]
    calls = reply.message.tool_calls
    assert tuple((call.name, call.arguments if call.raw is None else call.raw) for call in calls) == case.calls
    assert len({call.id for call in calls}) == len(calls) and all(call.id for call in calls)
    assert reply.finish_reason == "tool_calls"
