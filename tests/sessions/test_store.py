"""What a session remembers, and what happens when its database cannot be used."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.making import Stream
from tui.core.errors import ErrorInfo, SessionError
from tui.core.events import (
    ReasoningDelta,
    Record,
    StepFinished,
    TextDelta,
    ToolCallDelta,
    ToolOutput,
    TurnFailed,
    TurnFinished,
)
from tui.core.messages import Reasoning, Text
from tui.sessions.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "data" / "sessions.db")
    yield store
    store.close()


def new(store: Store, folder: Path = Path("/project")) -> Stream:
    return Stream(store.create(folder).id)


def without_deltas(records: list[Record]) -> list[Record]:
    return [record for record in records if not record.event.type.endswith("_delta")]


def test_a_stored_session_plays_like_the_live_one_with_its_deltas_joined(store: Store) -> None:
    stream = new(store)
    live = stream.work()
    store.append(stream.session, live)
    played = store.records(stream.session)
    assert without_deltas(played) == without_deltas(live)
    assert [(record.step, record.time, record.event) for record in played if record.event.type.endswith("_delta")] == [
        (1, live[2].time, ReasoningDelta("I should look.")),
        (1, live[4].time, TextDelta("Let me see.")),
        (1, live[5].time, ToolCallDelta(0, "read_file", '{"path":"a.txt"}')),
        (2, live[11].time, TextDelta("It says one.")),
    ]


def test_deltas_stored_before_their_step_ended_are_replaced_by_it(store: Store) -> None:
    stream = new(store)
    for record in (live := stream.work()):
        store.append(stream.session, [record])
    again = new(store)
    store.append(again.session, again.work())
    assert [record.event for record in store.records(stream.session)] == [
        record.event for record in store.records(again.session)
    ]
    assert len(store.records(stream.session)) == len(live) - 2


def test_whatever_a_model_or_a_folder_is_called_comes_back_as_it_was(store: Store) -> None:
    stream = Stream(store.create(Path("/odd\udcff\nname")).id)
    odd = "a\ud800\x1b[31m\x00\u202e"
    live = [stream.ask(odd), stream.record(ToolOutput(odd, odd), parent=odd), stream.end()]
    store.append(stream.session, live)
    assert store.records(stream.session) == live
    assert store.latest(Path("/odd\udcff\nname")).id == stream.session
    assert store.list()[0].folder == Path("/odd\udcff\nname")
    assert store.list()[0].title == "a\ufffd␛[31m␀\\u202e"


def test_records_are_stored_all_or_none(store: Store) -> None:
    stream = new(store)
    broken = stream.record(ToolOutput("c1", "x"))
    object.__setattr__(broken.event, "text", object())  # nothing that JSON can carry
    with pytest.raises(TypeError):
        store.append(stream.session, [stream.ask(), broken])
    assert store.records(stream.session) == []


def test_the_title_is_the_first_line_of_the_first_message(store: Store) -> None:
    stream = new(store)
    store.append(stream.session, stream.answer("\n  Why is \x1b the sky blue?\nReally"))
    store.append(stream.session, stream.answer("And the sea?"))
    info = store.find(stream.session)
    assert (info.title, info.turns) == ("Why is ␛ the sky blue?", 2)
    assert store.create(Path("/project"), "\n Given \nby who makes it").title == "Given"


def test_the_list_shows_sessions_that_were_used_the_last_used_first(store: Store) -> None:
    first, unused, second = new(store), new(store), new(store, Path("/other"))
    store.append(second.session, second.answer())
    store.append(first.session, [*first.answer(), *first.answer(), *first.answer()])
    assert [info.id for info in store.list()] == [first.session, second.session]
    assert [info.id for info in store.list(Path("/other"))] == [second.session]
    assert store.latest(Path("/project")).id == first.session
    with pytest.raises(SessionError, match="no session of /nowhere"):
        store.latest(Path("/nowhere"))
    assert store.records(unused.session) == []


def test_a_session_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    names = [store.create(Path("/project")).id for _ in range(40)]  # more than there are letters
    assert store.find(names[0]).id == names[0]
    for prefix, words in {"": "no session", "!": "no session", "%": "no session"}.items():
        with pytest.raises(SessionError, match=words):
            store.find(prefix)
    shared = next(name[0] for name in names if sum(other[0] == name[0] for other in names) > 1)
    with pytest.raises(SessionError, match="more than one"):
        store.find(shared)


def test_a_deleted_session_is_gone(store: Store) -> None:
    stream, other = new(store), new(store)
    store.append(stream.session, stream.work())
    store.append(other.session, other.answer())
    store.delete(stream.session)
    assert [info.id for info in store.list()] == [other.session]
    with pytest.raises(SessionError, match="no session"):
        store.records(stream.session)
    with pytest.raises(SessionError, match="no session"):
        store.append(stream.session, other.answer())
    with pytest.raises(SessionError, match="no session"):
        store.claim(stream.session)


def test_a_turn_without_an_end_is_shown_and_then_stored_as_interrupted(store: Store) -> None:
    stream = new(store)
    live = [*stream.work(), *stream.work()[:-2]]
    store.append(stream.session, live)
    assert store.find(stream.session).interrupted
    shown = store.records(stream.session)
    *_, step, end = [record.event for record in shown]
    assert isinstance(step, StepFinished) and step.finish_reason == "interrupted"
    assert step.message.text == "It says one."
    assert end == TurnFinished("interrupted")

    store.claim(stream.session)
    assert store.records(stream.session) == shown
    assert store.find(stream.session).interrupted
    store.append(stream.session, Stream(stream.session, 3).answer())
    assert not store.find(stream.session).interrupted


def test_all_that_came_of_a_cut_reply_is_kept_but_not_its_open_call(store: Store) -> None:
    stream = new(store)
    live = [
        stream.ask(),
        stream.begin(messages=[1]),
        stream.record(ReasoningDelta("think")),
        stream.record(TextDelta("He")),
        stream.record(TextDelta("llo")),
        stream.record(ToolCallDelta(0, "read_file", '{"pa')),
    ]
    store.append(stream.session, live)
    step = store.records(stream.session)[-2].event
    assert isinstance(step, StepFinished)
    assert step.message.blocks == (Reasoning("think"), Text("Hello"))
    assert (step.timings.started, step.timings.first_token_s, step.timings.total_s) == (live[1].time, 1.0, 4.0)
    assert step.cost is None and step.usage.output_tokens is None


@pytest.mark.parametrize(
    ("end", "interrupted"),
    [
        (TurnFinished("done"), False),
        (TurnFinished("limit", "200 steps"), False),
        (TurnFinished("interrupted"), True),
        (TurnFailed(ErrorInfo("auth", "no")), False),
    ],
)
def test_a_turn_that_ended_is_not_ended_again(store: Store, end: TurnFinished, interrupted: bool) -> None:
    stream = new(store)
    live = [stream.ask(), stream.record(end)]
    store.append(stream.session, live)
    store.claim(stream.session)
    assert store.records(stream.session) == live
    assert store.find(stream.session).interrupted is interrupted


def test_a_subagents_turn_does_not_end_the_sessions(store: Store) -> None:
    stream = new(store)
    live = [stream.ask(), stream.record(TurnFinished("done"), parent="c1")]
    store.append(stream.session, live)
    assert store.records(stream.session) == [*live, *store.records(stream.session)[-1:]]
    assert store.records(stream.session)[-1].event == TurnFinished("interrupted")


def test_two_programs_cannot_use_one_session(store: Store, tmp_path: Path) -> None:
    stream = new(store)
    store.claim(stream.session)
    store.append(stream.session, stream.work()[:4])
    other = Store.open(tmp_path / "data" / "sessions.db")
    try:
        with pytest.raises(SessionError, match="open in another"):
            other.claim(stream.session)
        with pytest.raises(SessionError, match="open in another"):
            other.delete(stream.session)
        assert not other.find(stream.session).interrupted  # it is being worked on
        assert other.records(stream.session) == store.records(stream.session)
        store.release(stream.session)
        other.claim(stream.session)
        assert other.find(stream.session).interrupted
    finally:
        other.close()


def test_only_the_user_can_read_the_files(store: Store, tmp_path: Path) -> None:
    stream = new(store)
    store.claim(stream.session)
    store.append(stream.session, stream.answer())
    files = list((tmp_path / "data").rglob("*"))
    assert {"sessions.db", "sessions.db-wal", "locks"} <= {path.name for path in files}
    for path in [tmp_path / "data", *files]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
