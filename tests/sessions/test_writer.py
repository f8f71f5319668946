"""The writer stores the stream as it comes, and whoever feeds it never waits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.making import Stream
from tui.core.errors import SessionError
from tui.core.events import TextDelta, ToolFinished, ToolOutput
from tui.sessions.store import Store
from tui.sessions.writer import Writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "sessions.db")
    yield store
    store.close()


async def test_what_was_put_is_stored_after_a_flush(store: Store) -> None:
    stream = Stream(store.create(Path("/project")).id)
    writer = Writer(store, stream.session)
    live = stream.work()
    for record in live:
        writer.put(record)
    await writer.flush()
    kept = [record for record in store.records(stream.session) if not record.event.type.endswith("_delta")]
    assert kept == [record for record in live if not record.event.type.endswith("_delta")]
    await writer.close()


async def test_unfinished_text_is_stored_in_few_pieces(store: Store) -> None:
    stream = Stream(store.create(Path("/project")).id)
    writer = Writer(store, stream.session)
    writer.put(stream.ask())
    writer.put(stream.begin())
    for letter in "abcdefgh" * 100:
        writer.put(stream.record(TextDelta(letter)))
    await writer.close()
    store.claim(stream.session)  # so that its end is stored too
    pieces = [record.event for record in store.records(stream.session) if isinstance(record.event, TextDelta)]
    assert pieces == [TextDelta("abcdefgh" * 100)]


async def test_output_of_a_tool_is_stored_joined_but_never_mixed(store: Store) -> None:
    stream = Stream(store.create(Path("/project")).id)
    store.claim(stream.session)
    writer = Writer(store, stream.session)
    writer.put(stream.ask())
    for call, text in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")]:
        writer.put(stream.record(ToolOutput(call, text)))
    await writer.close()
    stored = [record.event for record in store.records(stream.session) if isinstance(record.event, ToolOutput)]
    assert "".join(event.text for event in stored if event.call_id == "a") == "124"
    assert "".join(event.text for event in stored if event.call_id == "b") == "3"


async def test_a_failing_disk_is_told_once_and_nothing_is_lost_when_it_works_again(
    store: Store, tmp_path: Path
) -> None:
    stream = Stream(store.create(Path("/project")).id)
    told: list[SessionError] = []
    writer = Writer(store, stream.session, told.append)
    broken = sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)
    broken.execute("CREATE TRIGGER broken BEFORE INSERT ON records BEGIN SELECT RAISE(FAIL, 'broken disk'); END")
    first = stream.answer("one", "1")
    for record in first:
        writer.put(record)
        await writer.flush()
    assert [error.message.rpartition(": ")[2] for error in told] == ["broken disk"]
    broken.execute("DROP TRIGGER broken")
    broken.close()
    for record in (second := stream.answer("two", "2")):
        writer.put(record)
    await writer.close()
    assert [r.event for r in store.records(stream.session)] == [r.event for r in [*first, *second]]


async def test_what_cannot_be_stored_does_not_hold_up_what_can(store: Store) -> None:
    stream = Stream(store.create(Path("/project")).id)
    told: list[SessionError] = []
    writer = Writer(store, stream.session, told.append)
    writer.put(stream.record(ToolFinished("c1", False, "", 0.1, {"path": Path("/not/json")})))
    await writer.flush()
    for record in (live := stream.answer("one", "1")):
        writer.put(record)
    await writer.close()
    assert [r.event for r in store.records(stream.session)] == [r.event for r in live]
    assert len(told) == 1


async def test_a_closed_writer_leaves_no_thread(store: Store) -> None:
    writer = Writer(store, store.create(Path("/project")).id)
    thread = next(thread for thread in threading.enumerate() if thread.name == "session writer")
    await writer.close()
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()
