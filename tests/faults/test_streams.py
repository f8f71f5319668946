"""Connections that break, servers that fall silent, bytes that are no HTTP, streams that are cut or packed oddly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.asking import KEY, outcome_of, spec_of
from tests.faults.dialects import DIALECTS, Dialect
from tests.faults.raw_server import RawServer
from tests.faults.streams import BREAKS, GARBLED, LARGE, ODD, STALLS, UNFINISHED, Fault, whole

WIRES = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.wire)


def table(faults: list[Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.name.replace(" ", "-"))


@WIRES
@table(BREAKS + STALLS + GARBLED)
async def test_a_fault_ends_in_its_error_and_keeps_what_came(
    dialect: Dialect, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _check(dialect, fault, monkeypatch)


@WIRES
@table(ODD)
async def test_what_is_odd_but_whole_is_an_answer(
    dialect: Dialect, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _check(dialect, fault, monkeypatch)


@WIRES
@table([fault for fault in BREAKS if not fault.text])
async def test_a_break_before_the_first_word_is_asked_again(
    dialect: Dialect, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    with RawServer(fault.reply(dialect), [whole(dialect, dialect.events())]) as server:
        # One more than is needed: a connection that the server is just closing may be tried in vain.
        outcome = await outcome_of(spec_of(dialect, server, retries=2))
    assert (outcome.kind, outcome.text) == (None, "Hello") and len(server.requests) == 2


@WIRES
@table(UNFINISHED)
async def test_an_answer_without_its_end_mark_is_one_where_servers_send_none(
    dialect: Dialect, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _check(dialect, replace(fault, kind=None) if dialect.ends_with_finish else fault, monkeypatch)


@pytest.mark.parametrize("dialect", [DIALECTS[0], DIALECTS[3]], ids=lambda dialect: dialect.wire)
@table(LARGE)
async def test_what_is_large_is_read_or_refused(
    dialect: Dialect, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _check(dialect, fault, monkeypatch)


async def _check(dialect: Dialect, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    with RawServer(fault.reply(dialect)) as server:
        outcome = await outcome_of(spec_of(dialect, server, fault.limit))
    shown = outcome.error.message if outcome.error else ""
    assert (outcome.kind, outcome.text) == (fault.kind, fault.text), shown
    assert fault.says in shown
    assert len(server.requests) == 1 and KEY.encode() in server.requests[0]
