"""Conversations with a scripted server, in a project folder of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.scripted import ScriptedServer
from tui.agent.calls import Answer
from tui.agent.conversation import Conversation
from tui.agent.turn import Turn
from tui.agent.wishes import Wishes
from tui.core.events import ApprovalAsked, Event, Record
from tui.settings.schema import BackendConfig, Settings

Kind = TypeVar("Kind")


class Stage:
    """A project folder, a scripted server, and conversations between them."""

    def __init__(self, folder: Path, scripted: Callable[..., ScriptedServer]) -> None:
        self.folder = folder
        self._scripted = scripted
        self._open: list[Conversation] = []
        self.server: ScriptedServer

    def conversation(
        self,
        replies: Sequence[Any] | Callable[..., Any],
        mode: str = "agent",
        backend: dict[str, Any] | None = None,
        **wishes: Any,
    ) -> Conversation:
        """A conversation whose model gives `replies`; `backend` adds to its configuration."""
        self.server = self._scripted(replies)
        return self.reopen(mode, backend, **wishes)

    def reopen(self, mode: str | None = None, backend: dict[str, Any] | None = None, **wishes: Any) -> Conversation:
        """Another conversation with the same server."""
        fields = {"wire": "chat-completions", "model": "scripted", "credential": "none"} | (backend or {})
        base_url = self.server.root if fields["wire"] in ("messages", "ollama") else self.server.base_url
        config = BackendConfig(base_url=base_url, **fields)
        settings = Settings(backends={"lab": config})
        conversation = Conversation.open(settings, self.folder, Wishes(mode=mode, backend="lab", **wishes))
        self._open.append(conversation)
        return conversation

    async def close(self) -> None:
        for conversation in self._open:
            await conversation.close()


@pytest.fixture
async def stage(home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]) -> AsyncIterator[Stage]:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder, scripted)
    yield stage
    await stage.close()


async def records_of(turn: Turn, answer: Answer | None = None) -> list[Record]:
    """All records of a turn; each question gets `answer`."""
    records = []
    async for record in turn:
        records.append(record)
        if isinstance(record.event, ApprovalAsked) and answer is not None:
            turn.answer(record.event.id, answer)
    return records


async def events_of(turn: Turn, answer: Answer | None = None) -> list[Event]:
    return [record.event for record in await records_of(turn, answer)]


def types_of(events: Sequence[Event]) -> list[str]:
    """The types in order, each run of deltas as one, without what every request has."""
    types = [event.type for event in events if event.type != "reply_received"]
    return [name for i, name in enumerate(types) if i == 0 or name != types[i - 1]]


def the(events: Sequence[Event], cls: type[Kind]) -> Kind:
    """The one event of that kind."""
    (found,) = [event for event in events if isinstance(event, cls)]
    return found
