"""What every server of OpenAI Responses refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.scripted.checks import TOOL_NAME, Complaint, is_json_object
from tests.scripted.elements import Json

PARTS = {
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text",),
    "developer": ("input_text",),
    "assistant": ("output_text", "refusal"),
}
ITEMS = ("message", "reasoning", "function_call", "function_call_output", "web_search_call", "custom_tool_call")


def complaints(body: Any) -> Iterator[Complaint]:
    if not isinstance(body, dict):
        yield Complaint("We could not parse the JSON body of your request: an object is expected.")
        return
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield Complaint("you must provide a model parameter")
    said = body.get("input")
    if not said or not isinstance(said, str | list):
        yield Complaint("Missing required parameter: 'input'.", fields={"param": "input"})
    elif isinstance(said, list):
        yield from _of_items(said)
    yield from _of_tools(body.get("tools"))


def _bad(place: str, message: str) -> Complaint:
    return Complaint(message, fields={"param": place})


def kind_of(item: Json) -> str:
    """An item without a type is a message."""
    return str(item.get("type") or ("message" if "role" in item else ""))


def _of_items(items: list[Any]) -> Iterator[Complaint]:
    calls: dict[str, int] = {}
    for i, item in enumerate(items):
        kind, place = kind_of(item), f"input[{i}]"
        if kind not in ITEMS:
            yield Complaint(
                f"Invalid value: '{kind}'. Supported values are: {', '.join(ITEMS)}.", fields={"param": place}
            )
        elif kind == "message":
            yield from _of_message(place, item)
        elif kind == "function_call":
            yield from _of_call(place, item)
            if item.get("call_id") in calls:
                yield _bad(place, f"Duplicate call_id '{item.get('call_id')}'.")
            calls[str(item.get("call_id"))] = 0
        elif kind == "function_call_output":
            id = str(item.get("call_id"))
            if calls.get(id) != 0:
                yield Complaint(
                    f"No tool call found for function call output with call_id {id}.", fields={"param": place}
                )
            calls[id] = 1
            if not isinstance(item.get("output"), str | list):
                yield _bad(place, f"Missing required parameter: '{place}.output'.")
        if kind == "message" and item.get("role") != "assistant":  # words may follow a call in one answer
            yield from _unanswered(calls)
    yield from _unanswered(calls)
    last = items[-1]
    if kind_of(last) == "message" and last.get("role") == "assistant":
        yield Complaint("The input must not end with a message of the assistant.")


def _unanswered(calls: dict[str, int]) -> Iterator[Complaint]:
    for id, answers in calls.items():
        if not answers:
            yield Complaint(f"No tool output found for function call {id}.", fields={"param": "input"})


def _of_message(place: str, item: Json) -> Iterator[Complaint]:
    role, content = item.get("role"), item.get("content")
    if role not in PARTS:
        yield _bad(place, f"Invalid value: '{role}'. Supported values are: {', '.join(PARTS)}.")
    elif not content:
        yield _bad(place, f"Missing required parameter: '{place}.content'.")
    elif isinstance(content, list):
        for part in content:
            if part.get("type") not in PARTS[role]:
                words = f"Invalid value: '{part.get('type')}'. Supported values are: {', '.join(PARTS[role])}."
                yield Complaint(words, fields={"param": f"{place}.content"})


def _of_call(place: str, item: Json) -> Iterator[Complaint]:
    if not isinstance(item.get("call_id"), str) or not 0 < len(item["call_id"]) <= 64:
        yield _bad(place, f"Invalid '{place}.call_id': string of 1 to 64 characters expected.")
    if not TOOL_NAME.match(str(item.get("name"))):
        yield _bad(place, f"Invalid '{place}.name': string does not match pattern.")
    if not is_json_object(item.get("arguments")):
        yield _bad(place, f"Invalid '{place}.arguments': a string that holds a JSON object.")


def _of_tools(tools: Any) -> Iterator[Complaint]:
    names = [tool.get("name") for tool in tools or []]
    if len(set(names)) != len(names):
        yield Complaint("Tool names must be unique.", fields={"param": "tools"})
    for i, tool in enumerate(tools or []):
        if tool.get("type") == "function" and "name" not in tool:
            yield Complaint(f"Missing required parameter: 'tools[{i}].name'.", fields={"param": f"tools[{i}].name"})
        elif not TOOL_NAME.match(str(tool.get("name"))):
            yield Complaint(f"Invalid 'tools[{i}].name': string does not match pattern.", fields={"param": "tools"})
        schema = tool.get("parameters") or {}
        if schema.get("type") != "object" or {"anyOf", "oneOf", "allOf"} & schema.keys():
            words = f"Invalid schema for function '{tool.get('name')}': schema must have type 'object' and not have"
            yield Complaint(f"{words} 'oneOf'/'anyOf'/'allOf' at the top level.", fields={"param": "tools"})
