"""A conversation across turns, backends and programs."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call, usage
from tui.agent.conversation import Conversation
from tui.agent.wishes import Wishes
from tui.core import requests
from tui.core.errors import SessionError, UsageError
from tui.core.events import StepStarted, TurnFailed
from tui.core.usage import Price
from tui.settings.schema import Defaults, ModeConfig, Settings


async def test_a_closed_conversation_goes_on_in_another_program(stage: Stage) -> None:
    (stage.folder / "a").write_text("x")
    conversation = stage.conversation([Reply(tool_call("read_file", {"path": "a"})), "It is x.", "Still x."])
    await events_of(conversation.send("What is in a?"))
    await conversation.close()
    again = stage.reopen(continue_last=True)
    assert (again.session_id, again.mode) == (conversation.session_id, "agent")
    assert len(again.records) == len(conversation.records)
    await events_of(again.send("And now?"))
    sent = [message["role"] for message in stage.server.requests[2].body["messages"]]
    assert sent == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert again.records[-1].turn == 2


async def test_a_session_is_found_by_the_beginning_of_its_id(stage: Stage) -> None:
    conversation = stage.conversation(["Hi."], mode="chat")
    await events_of(conversation.send("Hello"))
    await conversation.close()
    assert stage.reopen(session=conversation.session_id[:4]).session_id == conversation.session_id


async def test_a_session_that_is_open_elsewhere_is_refused(stage: Stage) -> None:
    conversation = stage.conversation(["Hi."], mode="chat")
    await events_of(conversation.send("Hello"))
    with pytest.raises(SessionError, match="open"):
        stage.reopen(session=conversation.session_id)


async def test_looking_around_creates_no_session(stage: Stage, home: Path) -> None:
    conversation = stage.conversation([], mode="chat")
    await conversation.close()
    assert not list(home.rglob("sessions.db"))
    with pytest.raises(SessionError, match="no session"):
        stage.reopen(continue_last=True)


async def test_each_request_can_be_had_again_as_it_was_sent(stage: Stage) -> None:
    (stage.folder / "a").write_text("x")
    conversation = stage.conversation([Reply(tool_call("read_file", {"path": "a"})), "x.", "y."])
    await events_of(conversation.send("What is in a?"))
    await conversation.close()
    again = stage.reopen(continue_last=True)
    await events_of(again.send("And now?"))
    body: dict = {}
    bodies = []
    for record in again.records:
        if isinstance(record.event, StepStarted):
            body = requests.apply(body, record.event.request)
            bodies.append(body)
    assert bodies == [request.body for request in stage.server.requests]


async def test_each_request_extends_the_one_before_byte_for_byte(stage: Stage) -> None:
    (stage.folder / "a").write_text("x")
    calls = [Reply(tool_call("read_file", {"path": "a", "start": i})) for i in range(1, 6)]
    conversation = stage.conversation([*calls, "Done."])
    await events_of(conversation.send("Go"))
    sent = [json.dumps(request.body["messages"])[:-1] for request in stage.server.requests]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(sent))


async def test_context_and_cost_are_counted(stage: Stage) -> None:
    replies = [Reply("a", usage=usage(1000, 100)), Reply("b", usage=usage(2000, 100))]
    conversation = stage.conversation(replies, mode="chat", backend={"price": Price(1.0, 10.0)})
    await events_of(conversation.send("x"))
    await events_of(conversation.send("y"))
    assert conversation.context_tokens == 2100
    assert conversation.cost == pytest.approx(0.002 + 0.003)


async def test_an_unknown_price_is_unknown_not_zero(stage: Stage) -> None:
    conversation = stage.conversation([Reply("a", usage=usage(1000, 100))], mode="chat")
    await events_of(conversation.send("x"))
    assert conversation.cost is None


async def test_without_a_backend_the_turn_fails_with_what_to_do(home: Path, tmp_path: Path) -> None:
    conversation = Conversation(Settings(), tmp_path)
    failed = the(await events_of(conversation.send("x")), TurnFailed)
    assert failed.error.kind == "usage" and "--backend" in failed.error.hint
    await conversation.close()


def test_each_mode_may_have_its_own_backend(home: Path, tmp_path: Path) -> None:
    settings = Settings(
        defaults=Defaults(backend="deepseek"), modes={"agent": ModeConfig(backend="openai", model="gpt-6-luna")}
    )
    conversation = Conversation(settings, tmp_path, Wishes(mode="chat"))
    assert conversation.spec().name == "deepseek"
    conversation.mode = "agent"
    assert (conversation.spec().name, conversation.spec().model) == ("openai", "gpt-6-luna")
    conversation.use("xiaomi-mimo")
    assert conversation.spec().name == "xiaomi-mimo"


def test_a_backend_that_does_not_exist_cannot_be_chosen(home: Path, tmp_path: Path) -> None:
    conversation = Conversation(Settings(), tmp_path)
    with pytest.raises(UsageError, match="deepseek"):
        conversation.use("deepsek")
    assert conversation.spec() is None


def test_a_mode_may_have_its_own_model_of_the_default_backend(home: Path, tmp_path: Path) -> None:
    settings = Settings(defaults=Defaults(backend="openai"), modes={"agent": ModeConfig(model="gpt-6-luna")})
    conversation = Conversation(settings, tmp_path, Wishes(mode="agent"))
    assert (conversation.spec().name, conversation.spec().model) == ("openai", "gpt-6-luna")
