"""OpenAI's Responses takes items as it gave them, in order, and refuses what it cannot pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.scripted import Reply, ScriptedServer, reasoning, tool_call
from tests.scripted.test_wires import QUESTION, ask, events
from tests.scripted.vendors import DeepSeek, Mimo, OpenAI, Vendor

Start = Callable[..., ScriptedServer]
Body = dict[str, Any]

MODEL = "gpt-6.1-terra"
CALL = {"type": "function_call", "call_id": "c1", "name": "ls", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "a.py"}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a.py"}]}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOL = {"type": "function", "name": "ls", "parameters": SCHEMA, "strict": False}
PART = {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}

GOOD: list[tuple[list[Body], Body]] = [
    ([QUESTION, CALL, OUTPUT], {"tools": [TOOL], "store": False, "include": ["reasoning.encrypted_content"]}),
    ([PART, CALL, CALL | {"call_id": "c2"}, OUTPUT, OUTPUT | {"call_id": "c2"}, SAID, PART], {}),
    ([QUESTION], {"instructions": "be brief", "reasoning": {"effort": "high", "summary": "auto"}}),
]
BAD: list[tuple[list[Body], Body, str]] = [
    ([QUESTION], {"max_tokens": 99}, "Unknown parameter: 'max_tokens'."),
    ([QUESTION], {"max_output_tokens": 1}, "max_output_tokens"),
    ([QUESTION], {"temperature": 0.1}, "temperature"),
    ([QUESTION], {"previous_response_id": "resp_1"}, "not found"),
    (
        [QUESTION],
        {"tools": [{"type": "function", "function": {"name": "ls"}}]},
        "Missing required parameter: 'tools[0].name'",
    ),
    ([QUESTION], {"tools": [TOOL | {"strict": True}]}, "additionalProperties"),
    ([QUESTION], {"tools": [{key: TOOL[key] for key in ("type", "name", "parameters")}]}, "additionalProperties"),
    ([QUESTION, CALL], {}, "No tool output found for function call c1."),
    ([QUESTION, CALL, PART, OUTPUT], {}, "No tool output found for function call c1."),
    ([QUESTION, OUTPUT], {}, "No tool call found for function call output with call_id c1."),
    ([QUESTION, CALL, OUTPUT, OUTPUT], {}, "No tool call found"),
    ([QUESTION, CALL | {"id": "call_1"}, OUTPUT], {}, "Expected an ID that begins with 'fc'"),
    ([QUESTION, CALL | {"arguments": {}}, OUTPUT], {}, "arguments"),
    ([{"role": "user", "content": [{"type": "text", "text": "hi"}]}], {}, "Invalid value: 'text'"),
    ([QUESTION, {"role": "assistant", "content": [{"type": "input_text", "text": "a"}]}, PART], {}, "input_text"),
    ([QUESTION, {"type": "reasoning", "id": "rs_9", "summary": []}, CALL, OUTPUT], {}, "Item with id 'rs_9' not found"),
    (
        [QUESTION, {"type": "reasoning", "summary": [], "encrypted_content": "gAAAx"}, CALL, OUTPUT],
        {},
        "could not be verified",
    ),
    ([QUESTION, SAID], {}, "must not end"),
]


@pytest.mark.parametrize(("items", "fields"), GOOD)
def test_what_responses_takes_is_answered(scripted: Start, items: list[Body], fields: Body) -> None:
    response = ask(scripted(["fine"], vendor=OpenAI()), "responses", *items, model=MODEL, **fields)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(("items", "fields", "words"), BAD)
def test_what_responses_refuses_is_refused(scripted: Start, items: list[Body], fields: Body, words: str) -> None:
    response = ask(scripted(vendor=OpenAI()), "responses", *items, model=MODEL, **fields)
    assert response.status_code in (400, 404) and words in response.json()["error"]["message"], response.text


def test_reasoning_goes_back_encrypted_and_before_what_it_led_to(scripted: Start) -> None:
    server = scripted([Reply(reasoning("hm"), tool_call("ls")), "fine", "fine"], vendor=OpenAI())
    found = events(ask(server, "responses", model=MODEL))
    thoughts, call = (event["item"] for event in found if event["type"] == "response.output_item.done")
    output = OUTPUT | {"call_id": call["call_id"]}

    def refusal(*items: Body, model: str = MODEL) -> str:
        response = ask(server, "responses", QUESTION, *items, model=model)
        return "" if response.status_code == 200 else str(response.json()["error"]["message"])

    assert refusal(thoughts, call, output) == ""
    without_ids = [{key: item[key] for key in item if key != "id"} for item in (thoughts, call)]
    assert refusal(*without_ids, output) == ""
    assert "without its required 'reasoning' item" in refusal(call, output)
    assert "without its required following item" in refusal(thoughts, PART)
    assert "could not be verified" in refusal(thoughts, call, output, model="gpt-6.1-sol")
    assert "not found" in refusal({key: thoughts[key] for key in ("type", "id", "summary")}, call, output)


@pytest.mark.parametrize("kind", [Mimo, DeepSeek])
def test_stateless_servers_send_reasoning_in_the_clear(scripted: Start, kind: type[Vendor]) -> None:
    server = scripted([Reply(reasoning("hm"), "fine")], vendor=kind())
    found = events(ask(server, "responses", model=kind.models[0].id))
    assert "response.reasoning_text.delta" in [event["type"] for event in found]
    thoughts = next(event["item"] for event in found if event["type"] == "response.output_item.done")
    assert thoughts["content"] == [{"type": "reasoning_text", "text": "hm"}] and "encrypted_content" not in thoughts
