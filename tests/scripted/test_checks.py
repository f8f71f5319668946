"""A request that real servers refuse is refused here too, and uses up no reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.scripted import ScriptedServer
from tests.scripted.test_server import USER, ask

Start = Callable[..., ScriptedServer]


def call(id: str = "c1", name: str = "ls", arguments: Any = "{}") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(id: str = "c1", content: Any = "a") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def tool(name: str = "ls", schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": schema or {"type": "object"}}}


GOOD: dict[str, list[dict[str, Any]]] = {
    "a question": [{"role": "system", "content": "be brief"}, USER],
    "an image": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}
    ],
    "an answer between": [USER, {"role": "assistant", "content": "hello"}, USER],
    "a call with its result": [USER, calling(call()), result()],
    "parallel calls, answered in any order": [USER, calling(call("c1"), call("c2")), result("c2"), result("c1"), USER],
}
BAD: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no messages": ([], "too short"),
    "an unknown role": ([{"role": "developer", "content": "x"}, USER], "role"),
    "an empty question": ([{"role": "user", "content": ""}], "content"),
    "an unknown part": ([{"role": "user", "content": [{"type": "input_text", "text": "x"}]}], "part"),
    "a call without result": ([USER, calling(call("c1"), call("c2")), result("c1"), USER], "c2"),
    "a call without result at the end": ([USER, calling(call())], "tool_call_id"),
    "a result without call": ([USER, result()], "preceding"),
    "a result given twice": ([USER, calling(call()), result(), result()], "preceding"),
    "a result that is a list": ([USER, calling(call()), result(content=[])], "`text` is not set"),
    "an empty assistant message": ([USER, {"role": "assistant", "content": ""}, USER], "either content or tool_calls"),
    "an empty list of calls": ([USER, {"role": "assistant", "content": "x", "tool_calls": []}, USER], "too short"),
    "two calls of one id": ([USER, calling(call(), call()), result()], "unique"),
    "a call without id": ([USER, calling(call(id="")), result("")], "`id`"),
    "a call with a bad name": ([USER, calling(call(name="a b")), result()], "name"),
    "arguments that are no JSON": ([USER, calling(call(arguments="{")), result()], "`arguments`"),
    "arguments that are no string": ([USER, calling(call(arguments={})), result()], "`arguments`"),
    "an answer at the end": ([USER, {"role": "assistant", "content": "x"}], "prefill"),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_conversation_as_it_should_be_is_answered(scripted: Start, case: str) -> None:
    assert ask(scripted(["fine"]), messages=GOOD[case]).status_code == 200


@pytest.mark.parametrize("case", BAD)
def test_a_conversation_that_servers_refuse_is_refused(scripted: Start, case: str) -> None:
    messages, words = BAD[case]
    server = scripted(["not used up"], may_complain=True)
    response = ask(server, messages=messages)
    assert response.status_code == 400 and words in response.json()["error"]["message"]
    assert server.requests[0].refused == 400 and len(server.complaints()) == 1


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ([], "too short"),
        ([tool(), tool()], "duplicate names: ls"),
        ([tool("a b")], "name"),
        ([tool(schema={"type": "object", "anyOf": []})], "plain object"),
        ([tool(schema={"type": "string"})], "plain object"),
    ],
)
def test_tools_that_servers_refuse_are_refused(scripted: Start, tools: list[Any], words: str) -> None:
    assert words in ask(scripted(), tools=tools).json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b'{"messages": []}'])
def test_a_body_that_is_no_request_is_refused(scripted: Start, body: bytes) -> None:
    response = httpx.post(f"{scripted().base_url}/chat/completions", content=body)
    assert response.status_code == 400 and response.json()["error"]["message"]
