"""One reply goes out as each wire has it, with what that wire says of tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.scripted import Reply, ScriptedServer, delta, interleaved, reasoning, tool_call, usage
from tests.scripted.vendors import Claude, Vendor

Start = Callable[..., ScriptedServer]

REPLY = (reasoning("I look"), "Let me see", tool_call("ls", {"path": "."}, id="c1"))
QUESTION = {"role": "user", "content": "list"}
PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "ollama": "/api/chat",
}


def question(wire: str, *messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A small request of each wire."""
    body: dict[str, Any] = {"model": "scripted", "stream": True}
    body["input" if wire == "responses" else "messages"] = list(messages) or [QUESTION]
    return body | ({"max_tokens": 99} if wire == "messages" else {}) | fields


def ask(server: ScriptedServer, wire: str, *messages: dict[str, Any], **fields: Any) -> httpx.Response:
    headers = {"anthropic-version": "2023-06-01"}
    return httpx.post(server.root + PATHS[wire], json=question(wire, *messages, **fields), headers=headers, timeout=10)


def events(response: httpx.Response) -> list[dict[str, Any]]:
    lines = response.text.splitlines()
    if response.headers["content-type"] == "application/x-ndjson":
        return [json.loads(line) for line in lines]
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line != "data: [DONE]"]


def test_messages_streams_blocks_one_after_another(scripted: Start) -> None:
    found = events(ask(scripted([Reply(*REPLY)]), "messages"))
    starts = [event["content_block"] for event in found if event["type"] == "content_block_start"]
    assert [start["type"] for start in starts] == ["thinking", "text", "tool_use"]
    assert starts[2] == {"type": "tool_use", "id": "c1", "name": "ls", "input": {}}
    deltas = [event["delta"] for event in found if event["type"] == "content_block_delta"]
    assert "".join(part.get("thinking", "") for part in deltas) == "I look"
    assert "".join(part.get("text", "") for part in deltas) == "Let me see"
    assert json.loads("".join(part.get("partial_json", "") for part in deltas)) == {"path": "."}
    assert [part["type"] for part in deltas if part.get("signature")] == ["signature_delta"]
    assert found[0]["type"] == "message_start" and found[-1] == {"type": "message_stop"}
    assert found[-2]["delta"]["stop_reason"] == "tool_use"


def test_responses_streams_items_with_encrypted_reasoning(scripted: Start) -> None:
    found = events(ask(scripted([Reply(*REPLY)]), "responses"))
    items = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    thoughts, message, call = items
    assert thoughts["summary"] == [{"type": "summary_text", "text": "I look"}] and thoughts["encrypted_content"]
    assert message["content"][0]["text"] == "Let me see"
    assert (call["call_id"], call["name"], call["arguments"]) == ("c1", "ls", '{"path": "."}')
    assert found[-1]["type"] == "response.completed" and found[-1]["response"]["output"] == items
    assert [event["sequence_number"] for event in found] == list(range(len(found)))


def test_ollama_streams_lines_with_whole_calls(scripted: Start) -> None:
    *found, end = events(ask(scripted([Reply(*REPLY)]), "ollama"))
    assert "".join(line["message"].get("thinking", "") for line in found) == "I look"
    assert "".join(line["message"]["content"] for line in found) == "Let me see"
    (call,) = found[-1]["message"]["tool_calls"]
    assert call == {"id": "c1", "function": {"index": 0, "name": "ls", "arguments": {"path": "."}}}
    assert end["done"] and end["done_reason"] == "stop" and end["eval_count"] > 0


@pytest.mark.parametrize("wire", PATHS)
def test_each_wire_can_answer_in_one_piece(scripted: Start, wire: str) -> None:
    answer = ask(scripted([Reply(*REPLY)]), wire, stream=False)
    assert answer.headers["content-type"] == "application/json"
    assert "Let me see" in answer.text and "I look" in answer.text and "c1" in answer.text


@pytest.mark.parametrize("wire", PATHS)
def test_parallel_calls_keep_places_of_their_own(scripted: Start, wire: str) -> None:
    calls = interleaved(tool_call("a", {"n": 1}), tool_call("b", {"n": 2}))
    text = ask(scripted([Reply(calls)]), wire, stream=False).text
    assert text.index('"a"') < text.index('"b"')


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ("messages", ("input_tokens", 60, "cache_read_input_tokens", 40, "output_tokens", 7)),
        ("responses", ("input_tokens", 100, "cached_tokens", 40, "output_tokens", 7)),
        ("ollama", ("prompt_eval_count", 100, "eval_count", 7)),
    ],
)
def test_usage_is_said_in_the_words_of_the_wire(scripted: Start, wire: str, words: tuple[Any, ...]) -> None:
    text = ask(scripted([Reply("a", usage=usage(100, 7, cached=40))]), wire, stream=False).text
    for name, count in zip(words[::2], words[1::2], strict=True):
        assert f'"{name}":{count}' in text


@pytest.mark.parametrize(
    ("wire", "end"), [("messages", "message_stop"), ("responses", "response.completed"), ("ollama", '"done":true')]
)
def test_a_stream_can_lack_its_end_mark(scripted: Start, wire: str, end: str) -> None:
    server = scripted([Reply("a"), Reply("a", done=False)])
    assert end in ask(server, wire).text and end not in ask(server, wire).text


def test_a_delta_of_ones_own_is_an_event_of_the_wire(scripted: Start) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    server = scripted([Reply("a", delta(error)), Reply("a", delta({"error": "out of memory"}))])
    assert error in events(ask(server, "messages"))
    assert {"error": "out of memory"} in events(ask(server, "ollama"))


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/anthropic/v1/messages", "/compatible-mode/v1/chat/completions"]
)
def test_the_paths_of_vendors_lead_to_their_wire(scripted: Start, path: str) -> None:
    server = scripted(["fine"])
    body = question("messages" if "messages" in path else "chat")
    assert httpx.post(server.root + path, json=body).status_code == 200


# The cache


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_a_prompt_that_extends_the_one_before_is_read_from_the_cache(scripted: Start, wire: str) -> None:
    server = scripted(lambda request: Reply("fine"), vendor=Vendor())
    said = [{"role": "user", "content": "a long question " * 50}]
    ask(server, wire, *said)
    ask(server, wire, *said, {"role": "assistant", "content": "x"}, {"role": "user", "content": "more"})
    ask(server, wire, {"role": "user", "content": "another"})
    first, second, third = server.requests
    assert (first.cached_tokens, third.cached_tokens) == (0, 0)
    assert 190 < second.cached_tokens < second.prompt_tokens


def test_claude_caches_what_comes_before_a_mark_and_nothing_else(scripted: Start) -> None:
    server = scripted(lambda request: Reply("fine"), vendor=Claude())

    def block(words: str, **fields: Any) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "text", "text": words * 100} | fields]}

    mark = {"cache_control": {"type": "ephemeral"}}
    for messages in ([block("one "), block("two ", **mark)], [block("one "), block("two "), block("three ", **mark)]):
        ask(server, "messages", *messages, model="claude-opus-5-5")
    ask(server, "messages", block("one "), block("two "), model="claude-opus-5-5")
    assert [request.cached_tokens > 0 for request in server.requests] == [False, True, False]


@pytest.mark.parametrize("wire", PATHS)
def test_a_request_that_changes_what_was_said_is_found(scripted: Start, wire: str) -> None:
    server = scripted(lambda request: Reply("fine"))
    answer = {"role": "assistant", "content": "fine"}
    ask(server, wire, QUESTION)
    ask(server, wire, QUESTION, answer, QUESTION)
    assert server.prefix_breaks() == []
    ask(server, wire, QUESTION, answer | {"content": "changed"}, QUESTION, answer, QUESTION)
    (found,) = server.prefix_breaks()
    assert found.request == 2 and found.where.startswith("messages[1]") and b"changed" in found.after
