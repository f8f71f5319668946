"""How a model is asked for tool calls is found out from its server, kept, and can be set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.conftest import Stage, events_of, the, types_of
from tests.scripted import Reply, fault, tool_call
from tui.core.events import Notice, RuleLearned, ToolFinished, TurnFinished

VLLM = fault(400, message='"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')
NO_SCHEMAS = fault(400, message="response_format: unknown field response_format")
READ = '{"tool": "read_file", "path": "a.txt"}'
ANSWER = '{"tool": "answer", "text": "Seven."}'


@pytest.fixture(autouse=True)
def _file(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("seven")


async def test_a_server_that_refuses_tools_is_asked_by_schema_and_so_the_next_time(stage: Stage) -> None:
    conversation = stage.conversation([VLLM, READ, ANSWER, ANSWER])
    events = await events_of(conversation.send("What does a.txt say?"))
    assert "seven" in the(events, ToolFinished).result and the(events, TurnFinished).reason == "done"
    assert the(events, RuleLearned).rule == "native_tools"
    await conversation.close()
    again = stage.reopen("agent")
    await events_of(again.send("Once more"))
    assert ["tools" in request.body for request in stage.server.requests] == [True, False, False, False]
    assert all("response_format" in request.body for request in stage.server.requests[1:])


async def test_a_server_that_knows_neither_tools_nor_schemas_is_asked_in_words(stage: Stage) -> None:
    fence = f"```json\n{READ}\n```"
    conversation = stage.conversation([VLLM, NO_SCHEMAS, NO_SCHEMAS, fence, "Seven.", fence, "Seven."])
    events = await events_of(conversation.send("What does a.txt say?"))
    assert "seven" in the(events, ToolFinished).result and the(events, TurnFinished).reason == "done"
    await events_of(conversation.send("Once more"))
    last = stage.server.requests[-1].body
    assert "tools" not in last and "response_format" not in last
    assert "You can use tools." in last["messages"][0]["content"]


@pytest.mark.parametrize(
    ("strategy", "reply"),
    [
        ("native", Reply(tool_call("read_file", {"path": "a.txt"}))),
        ("constrained", READ),
        ("text", f"```\n{READ}\n```"),
    ],
)
async def test_a_strategy_that_is_set_is_used(stage: Stage, strategy: str, reply: Any) -> None:
    last = ANSWER if strategy == "constrained" else "Seven."
    conversation = stage.conversation([reply, last], backend={"strategy": strategy})
    events = await events_of(conversation.send("What does a.txt say?"))
    assert "seven" in the(events, ToolFinished).result
    first = stage.server.requests[0].body
    assert ("tools" in first, "response_format" in first) == (strategy == "native", strategy == "constrained")
    assert not [event for event in events if isinstance(event, Notice)]


async def test_a_strategy_that_is_set_stays_though_the_server_refuses_it(stage: Stage) -> None:
    conversation = stage.conversation([VLLM], backend={"strategy": "native"})
    events = await events_of(conversation.send("Go"))
    assert types_of(events)[-1] == "turn_failed" and len(stage.server.requests) == 1


async def test_ollama_says_of_a_model_that_it_calls_no_tools(stage: Stage) -> None:
    from tests.scripted import json_response

    show = {"capabilities": ["completion"], "model_info": {}}
    conversation = stage.conversation([READ, ANSWER], backend={"wire": "ollama", "context_window": 32768})
    stage.server.routes["/api/show"] = lambda request: json_response(show)
    await events_of(conversation.send("What does a.txt say?"))
    first = stage.server.requests[0].body
    assert "tools" not in first and "anyOf" in str(first["format"])
