"""The body of a reply: what is there is taken as one, what came before a break is not lost, nothing is without end."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

import pytest

from tests.faults.asking import outcome_of, spec_of
from tests.faults.dialects import DIALECTS, Dialect
from tests.faults.raw_server import RawServer
from tests.faults.streams import begun, chunk, endless
from tui.backends import body as bodies
from tui.backends.body import AHEAD_BYTES, UNPACKED_BYTES, Body, unpacked
from tui.core.errors import BackendError


async def _pieces(*pieces: bytes | Exception | asyncio.Event) -> AsyncIterator[bytes]:
    for piece in pieces:
        if isinstance(piece, Exception):
            raise piece
        if isinstance(piece, asyncio.Event):
            await piece.wait()
        else:
            yield piece


async def test_what_is_there_is_taken_as_one() -> None:
    more = asyncio.Event()
    body = Body(_pieces(b"a", b"b", more, b"c"))
    assert await body.take() == b"ab"
    more.set()
    assert [await body.take(), await body.take(), await body.take()] == [b"c", None, None]
    await body.close()


async def test_what_came_before_a_break_is_taken_first() -> None:
    body = Body(_pieces(b"a", ValueError("broken")))
    assert await body.take() == b"a"
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await body.take()
    await body.close()


async def test_one_that_was_never_read_can_be_closed_and_one_that_is_waited_for() -> None:
    await Body(_pieces()).close()
    body = Body(_pieces(asyncio.Event()))
    waiting = asyncio.create_task(body.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await body.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_no_more_is_read_ahead_than_a_slow_reader_can_use() -> None:
    given = 0

    async def endless_pieces() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield b"x" * 65_536

    body = Body(endless_pieces())
    for _ in range(3):
        taken = await body.take()
        assert taken and len(taken) <= AHEAD_BYTES + 65_536
    await body.close()
    assert given < 4 * (AHEAD_BYTES // 65_536 + 2)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.wire)
async def test_an_answer_without_end_is_ended(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-0123456789")
    monkeypatch.setattr(bodies, "LIMIT_BYTES", 1_000_000)
    with RawServer([begun(dialect, "begin"), endless(chunk(dialect.events("more")) * 100)]) as server:
        outcome = await outcome_of(spec_of(dialect, server))
    assert outcome.kind == "protocol" and outcome.text.startswith("Hel")


@pytest.mark.parametrize("format", [zlib.MAX_WBITS, 16 + zlib.MAX_WBITS])
@pytest.mark.parametrize("size", [1, 7, 1000, 10**9])
async def test_a_packed_body_is_unpacked_in_small_pieces_wherever_it_is_cut(format: int, size: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, format)
    whole = bytes(range(256)) * 10_000
    data = packer.compress(whole) + packer.flush()
    stream = _pieces(*(data[start : start + size] for start in range(0, len(data), size)))
    pieces = [piece async for piece in unpacked(stream, "gzip" if format > 20 else "deflate")]
    assert b"".join(pieces) == whole and max(map(len, pieces)) <= UNPACKED_BYTES


async def test_what_is_not_packed_as_it_says_is_an_error() -> None:
    with pytest.raises(BackendError, match="cannot be unpacked"):
        async for _ in unpacked(_pieces(b"data: {}"), "gzip"):
            pass
