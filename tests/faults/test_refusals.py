"""What servers refuse with, break off with, and where they send us: the right error, and no key elsewhere."""

from __future__ import annotations

import pytest

from tests.backends.asking import HELLO, Waits, ask
from tests.faults.asking import KEY, outcome_of, spec_of
from tests.faults.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.faults.mid_stream import IN_MID_STREAM, REDIRECTS, Broken
from tests.faults.raw_server import RawServer
from tests.faults.refusals import REFUSALS, Refusal
from tests.faults.streams import begun, chunk, head, whole
from tui.backends.backend import Backend
from tui.backends.spec import Reply
from tui.core.events import Retrying

WIRES = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.wire)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)


@WIRES
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name.replace(" ", "-"))
async def test_a_refusal_is_of_its_kind_and_in_the_vendors_words(dialect: Dialect, refusal: Refusal) -> None:
    with RawServer([refusal.reply]) as server:
        outcome = await outcome_of(spec_of(dialect, server))
    assert outcome.error and (outcome.kind, outcome.text) == (refusal.kind, ""), outcome
    assert refusal.says in outcome.error.message and "\x1b" not in outcome.error.message
    assert outcome.error.hint
    assert len(server.requests) == 1 or refusal.kind == "loading"  # which is waited for


@pytest.mark.parametrize("broken", IN_MID_STREAM, ids=lambda broken: broken.name.replace(" ", "-"))
async def test_an_error_in_mid_answer_keeps_what_came_and_is_not_asked_again(broken: Broken) -> None:
    reply = begun(broken.dialect, "begin") + chunk(broken.event)
    with RawServer([reply]) as server:
        outcome = await outcome_of(spec_of(broken.dialect, server, retries=3))
    assert outcome.error and (outcome.kind, outcome.text) == (broken.kind, "Hel"), outcome
    assert broken.says in outcome.error.message and len(server.requests) == 1


@pytest.mark.parametrize("broken", IN_MID_STREAM, ids=lambda broken: broken.name.replace(" ", "-"))
async def test_the_same_in_place_of_an_answer_is_asked_again_if_that_can_help(broken: Broken) -> None:
    dialect, waits = broken.dialect, Waits()
    with RawServer([head(dialect) + chunk(broken.event)], [whole(dialect, dialect.events())]) as server:
        *_, last = await ask(spec_of(dialect, server, retries=1), waits=waits)
    if broken.kind in ("server", "rate_limited", "overloaded"):
        assert isinstance(last, Reply) and last.message.text == "Hello" and len(waits.seconds) == 1
    else:
        assert last.kind == broken.kind and not waits.seconds


@pytest.mark.parametrize(
    ("dialect", "status"),
    [*((dialect, 307) for dialect in DIALECTS), *((CHAT, status) for status in (301, 302, 303, 308))],
    ids=lambda value: value.wire if isinstance(value, Dialect) else str(value),
)
@pytest.mark.parametrize("target", REDIRECTS)
async def test_a_redirect_elsewhere_is_an_error_and_carries_no_key(dialect: Dialect, status: int, target: str) -> None:
    with RawServer([b""]) as other:
        server = RawServer()
        where = target.format(port=server.port, other=other.port, path=dialect.path)
        server.replies = ([f"HTTP/1.1 {status} X\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode()],)
        with server:
            outcome = await outcome_of(spec_of(dialect, server, retries=2))
        assert outcome.kind == "protocol" and other.connections == 0 and len(server.requests) == 1


@WIRES
async def test_a_circle_of_redirects_has_an_end(dialect: Dialect) -> None:
    reply = f"HTTP/1.1 307 X\r\nlocation: {dialect.path}\r\ncontent-length: 0\r\n\r\n".encode()
    with RawServer([reply, "next"]) as server:
        outcome = await outcome_of(spec_of(dialect, server, retries=2))
    assert outcome.kind == "protocol" and len(server.requests) == 4


async def test_a_redirect_without_a_place_is_a_refusal() -> None:
    with RawServer([b"HTTP/1.1 307 X\r\ncontent-length: 0\r\n\r\n"]) as server:
        assert (await outcome_of(spec_of(CHAT, server))).kind == "protocol"


@WIRES
@pytest.mark.parametrize("end", ["end", "reset"])
async def test_a_connection_that_the_server_has_closed_meanwhile_is_made_anew(dialect: Dialect, end: str) -> None:
    """It says that it keeps it open, and does not: what is sent on it is lost, and sent again."""
    answer = whole(dialect, dialect.events())
    with RawServer([answer, "next"], [end], [answer, "next"]) as server:
        waits = Waits()
        backend = Backend(spec_of(dialect, server, retries=1), sleep=waits)
        for _ in range(2):
            *_, last = [piece async for piece in backend.ask(HELLO)]
            assert isinstance(last, Reply) and last.message.text == "Hello"
        await backend.aclose()
    assert len(server.requests) == 3 and len(waits.seconds) == 1


@WIRES
async def test_tries_are_bounded_and_counted(dialect: Dialect) -> None:
    with RawServer([b"HTTP/1.1 529 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"]) as server:
        waits = Waits()
        came = await ask(spec_of(dialect, server, retries=3), waits=waits)
    assert came[-1].kind == "overloaded" and len(server.requests) == 4
    assert [(piece.attempt, piece.limit) for piece in came if isinstance(piece, Retrying)] == [(1, 3), (2, 3), (3, 3)]
    assert len(waits.seconds) == 3 and waits.seconds == sorted(waits.seconds)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("retry-after: 7", 7),
        ("Retry-After: 2.5", 2.5),
        ("retry-after-ms: 1500", 1.5),
        ("retry-after: Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 6m0s", None),
        ("retry-after: 3600", None),
        ("retry-after: 60", 60),
    ],
)
async def test_a_wish_is_followed_or_told(line: str, seconds: float | None) -> None:
    refused = f"HTTP/1.1 429 X\r\n{line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()
    with RawServer([refused], [whole(MESSAGES, MESSAGES.events())]) as server:
        waits = Waits()
        *_, last = await ask(spec_of(MESSAGES, server, retries=1), waits=waits)
    if seconds is None:
        assert last.kind == "rate_limited" and "asks to wait" in last.hint and not waits.seconds
    else:
        assert isinstance(last, Reply) and waits.seconds == [seconds]
