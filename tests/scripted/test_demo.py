"""The demo answers as a model would, so that a person can try the program with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scripted import ScriptedServer
from tests.scripted.demo import Demo
from tests.scripted.servers import Servers
from tests.scripted.test_server import USER, ask, joined
from tests.scripted.test_wires import QUESTION
from tests.scripted.test_wires import ask as ask_on

Start = Callable[..., ScriptedServer]
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("list_files", "write_file", "read_file", "edit_file", "run_command")
]


def test_chat_is_echoed_with_everything_that_markdown_has(scripted: Start) -> None:
    body = ask(scripted(Demo(None, None))).text
    assert "> hi" in joined(body) and "```python" in joined(body) and "| step |" in joined(body)
    assert "hi" in joined(body, "reasoning_content")


def test_an_agent_goes_through_its_tools_and_then_answers(scripted: Start) -> None:
    server = scripted(Demo(None, None))
    messages: list[dict[str, Any]] = [{"role": "user", "content": "run `true` here"}]
    called = []
    while calls := (message := _answer(server, messages)).get("tool_calls"):
        called.append((calls[0]["function"]["name"], json.loads(calls[0]["function"]["arguments"])))
        messages += [message, {"role": "tool", "tool_call_id": calls[0]["id"], "content": "fine"}]
    assert [name for name, _ in called] == ["list_files", "write_file", "read_file", "edit_file", "run_command"]
    assert called[-1][1] == {"command": "true"} and "true" in message["content"]


def _answer(server: ScriptedServer, messages: list[dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = ask(server, messages=messages, tools=TOOLS, stream=False).json()["choices"][0]["message"]
    return answer


@pytest.mark.parametrize("wire", ["messages", "responses", "ollama"])
def test_it_shows_tools_and_then_answers_on_every_wire(scripted: Start, wire: str) -> None:
    schema = {"type": "object", "properties": {}}
    tool: dict[str, Any] = {"name": "list_files"}
    if wire == "ollama":
        tool = {"type": "function", "function": tool | {"parameters": schema}}
    else:
        tool |= {"type": "function", "parameters": schema} if wire == "responses" else {"input_schema": schema}
    server = scripted(Demo(None, None))
    called = ask_on(server, wire, tools=[tool], stream=False).text
    assert "list_files" in called and "You wrote" not in called
    answer: dict[str, Any] = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "list_files"}]}
    answer["content"][0]["input"] = {}
    result: dict[str, Any] = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]}
    if wire == "responses":
        answer = {"type": "function_call", "call_id": "c", "name": "list_files", "arguments": "{}"}
        result = {"type": "function_call_output", "call_id": "c", "output": ""}
    elif wire == "ollama":
        answer = {"role": "assistant", "tool_calls": [{"function": {"name": "list_files", "arguments": {}}}]}
        result = {"role": "tool", "tool_name": "list_files", "content": ""}
    assert "You wrote" in ask_on(server, wire, QUESTION, answer, result, tools=[tool], stream=False).text


def test_an_answer_can_be_of_any_length(scripted: Start) -> None:
    response = ask(scripted(Demo(None, 3000)), stream=False)
    assert "### Part 10" in response.json()["choices"][0]["message"]["content"]


def test_it_runs_by_hand(home: Path) -> None:
    command = [sys.executable, "-m", "tests.scripted", "--demo", "--key", "k"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        base_url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer k"}
        body = {"model": "m", "messages": [USER]}
        answer = httpx.post(f"{base_url}/chat/completions", json=body, headers=headers)
        process.terminate()
    assert "You wrote" in answer.json()["choices"][0]["message"]["content"]


def test_a_test_that_leaves_replies_over_fails_unless_it_says_so() -> None:
    servers = Servers()
    servers.start(["left over"], may_complain=True)
    servers.stop()
    servers.start(["left over"])
    with pytest.raises(AssertionError, match="1 scripted replies were not asked for"):
        servers.stop()
