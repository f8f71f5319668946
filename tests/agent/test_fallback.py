"""A backend that cannot answer: the turn goes on with the next one that the user named, and says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import events_of, the, types_of
from tests.scripted import Reply, ScriptedServer, cut_off, fault, text, tool_call
from tui.agent.conversation import Conversation
from tui.agent.wishes import Wishes
from tui.core.events import Notice, StepStarted, TurnFailed, TurnFinished
from tui.settings.schema import BackendConfig, Settings

Start = Callable[..., ScriptedServer]


def entry(server: ScriptedServer, **more: Any) -> BackendConfig:
    values: dict[str, Any] = {"base_url": server.base_url, "model": "scripted", "credential": "none", "retries": 0}
    return BackendConfig(**(values | more))


@asynccontextmanager
async def talk(folder: Path, mode: str = "chat", **backends: BackendConfig) -> AsyncIterator[Conversation]:
    conversation = Conversation(Settings(backends=dict(backends)), folder, Wishes(mode=mode, backend="first"))
    try:
        yield conversation
    finally:
        await conversation.close()


@pytest.mark.parametrize("refusal", [fault(529, message="Overloaded"), fault(503), fault(429), Reply(cut_off())])
async def test_the_turn_goes_on_with_the_next_backend_visibly(
    home: Path, tmp_path: Path, scripted: Start, refusal: Any
) -> None:
    first, second = scripted([refusal]), scripted(["Here I am"])
    async with talk(tmp_path, first=entry(first, fallback=("second",)), second=entry(second)) as conversation:
        events = await events_of(conversation.send("Hi"))
    assert the(events, TurnFinished).reason == "done"
    assert "Going on with second (scripted)" in the(events, Notice).message
    assert [e.origin.backend for e in events if isinstance(e, StepStarted)] == ["first", "second"]
    assert [m for m in second.requests[0].body["messages"] if m["role"] == "user"] == [
        {"role": "user", "content": "Hi"}
    ]


async def test_a_turn_that_went_on_elsewhere_stays_there_and_the_next_begins_anew(
    home: Path, tmp_path: Path, scripted: Start
) -> None:
    (tmp_path / "a.txt").write_text("hello")
    first = scripted([Reply(tool_call("read_file", {"path": "a.txt"})), Reply(text("Hal"), cut_off()), "Back again"])
    second = scripted([Reply(tool_call("read_file", {"path": "a.txt"})), "It says hello"])
    backends = {"first": entry(first, fallback=("second",)), "second": entry(second)}
    async with talk(tmp_path, "agent", **backends) as conversation:
        events = await events_of(conversation.send("What is in a.txt?"))
        assert types_of(events)[-1] == "turn_finished"
        asked = [e.origin.backend for e in events if isinstance(e, StepStarted)]
        assert asked == ["first", "first", "second", "second"]
        await events_of(conversation.send("And now?"))
    assert len(first.requests) == 3 and len(second.requests) == 2


async def test_a_fallback_that_is_not_set_up_is_passed_over(
    home: Path, tmp_path: Path, scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    first, keyless, third = scripted([fault(503)]), scripted([]), scripted(["Here"])
    async with talk(
        tmp_path,
        first=entry(first, fallback=("keyless", "third")),
        keyless=entry(keyless, credential={"env": "NO_SUCH_KEY"}),
        third=entry(third),
    ) as conversation:
        events = await events_of(conversation.send("Hi"))
    assert the(events, TurnFinished).reason == "done" and not keyless.requests
    assert len([e for e in events if isinstance(e, Notice)]) == 2


async def test_the_last_error_ends_the_turn_and_a_refusal_is_not_carried_elsewhere(
    home: Path, tmp_path: Path, scripted: Start
) -> None:
    first, second = scripted([fault(503), fault(401)]), scripted([fault(529, message="Overloaded")])
    async with talk(tmp_path, first=entry(first, fallback=("second",)), second=entry(second)) as conversation:
        assert the(await events_of(conversation.send("Hi")), TurnFailed).error.kind == "overloaded"
        assert the(await events_of(conversation.send("Hi")), TurnFailed).error.kind == "auth"
    assert len(second.requests) == 1


async def test_a_local_server_that_is_down_is_gone_on_from(home: Path, tmp_path: Path, scripted: Start) -> None:
    gone = scripted([])
    gone.stop()
    second = scripted(["Here"])
    async with talk(tmp_path, "agent", first=entry(gone, fallback=("second",)), second=entry(second)) as conversation:
        events = await events_of(conversation.send("Hi"))
    assert the(events, TurnFinished).reason == "done"
