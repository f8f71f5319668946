"""The Messages wire over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.backends.asking import Waits, ask, error_of, reply_of, spec_for
from tests.backends.wires.test_messages import END, HI, LS, ending
from tests.scripted import ScriptedServer, json_response
from tests.scripted.reply import Response, fault, html
from tui.backends.spec import BackendSpec, Request, Sent, ToolSpec
from tui.core.errors import BackendError
from tui.core.events import Retrying, TextDelta
from tui.core.messages import Message, ToolResult, user

PATH = "/lab/v1/messages"


def streamed(*events: str) -> Response:
    body = "".join(f"event: {json.loads(event)['type']}\ndata: {event}\n\n" for event in events)
    return Response(200, body.encode(), {"content-type": "text/event-stream"})


def spec_of(server: ScriptedServer, **changes: Any) -> BackendSpec:
    return spec_for(f"{server.root}/lab", wire="messages", **changes)


def served(*responses: Response) -> ScriptedServer:
    left = list(responses)
    return ScriptedServer(routes={PATH: lambda request: left.pop(0)})


async def test_an_answer_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-ant-secret-1234")
    with served(streamed(*HI, ending(output_tokens=1), END)) as server:
        sent, shown, answer = await ask(spec_of(server, credential={"env": "LAB_KEY"}))
        (request,) = server.others
    assert shown == TextDelta("Hi") and answer.message.text == "Hi" and answer.usage.output_tokens == 1
    assert request.headers["x-api-key"] == "sk-ant-secret-1234" and "authorization" not in request.headers
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert isinstance(sent, Sent) and "sk-ant" not in str(sent) and sent.headers["anthropic-version"] == "2023-06-01"


async def test_a_tool_is_used_over_http() -> None:
    with served(streamed(*LS, ending("tool_use"), END), streamed(*HI, ending(), END)) as server:
        spec, tools = spec_of(server), (ToolSpec("ls", "Lists.", {"type": "object", "properties": {}}),)
        first = await reply_of(spec, Request("", (user("list"),), tools))
        results = Message("tool", (ToolResult(first.message.tool_calls[0].id, "a.py"),))
        last = await reply_of(spec, Request("", (user("list"), first.message, results), tools))
        messages = server.others[1].body["messages"]
    assert last.message.text == "Hi"
    assert messages[1]["content"] == [{"type": "tool_use", "id": "t1", "name": "ls", "input": {}}]
    assert messages[2]["content"] == [{"type": "tool_result", "tool_use_id": "t1", "content": "a.py"}]


async def test_an_overloaded_server_is_asked_again_and_one_that_broke_off_is_not() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with served(fault(529, error), streamed(*HI, json.dumps(error))) as server:
        pieces = await ask(spec_of(server), waits=Waits())
    kinds = [type(piece) for piece in pieces]
    assert kinds == [Sent, Retrying, TextDelta, BackendError] and pieces[-1].kind == "overloaded"


async def test_a_stream_that_ends_early_over_http_keeps_its_text() -> None:
    with served(streamed(*HI)) as server:
        *_, text, error = await ask(spec_of(server, retries=0))
    assert text == TextDelta("Hi") and error.kind == "network"


async def test_json_in_place_of_a_stream_over_http() -> None:
    whole = {"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    with served(json_response(whole), json_response({"error": {"message": "nope"}}), html("Sign in")) as server:
        assert (await reply_of(spec_of(server))).message.text == "Hi"
        assert (await error_of(spec_of(server, retries=0))).kind == "server"
        assert "Sign in" in (await error_of(spec_of(server, retries=0))).message
