"""Google Gemini's compatible endpoint: signed calls, a subset of schemas, errors in an array, calls without index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.scripted.asked import Asked
from tests.scripted.checks import Complaint
from tests.scripted.connection import Received
from tests.scripted.elements import Element, Interleaved, Json, ToolCall
from tests.scripted.reply import Response, json_response
from tests.scripted.vendors.vendor import Model, Vendor, unknown_fields

FIELDS = (
    "model messages stream stream_options max_tokens max_completion_tokens temperature top_p stop seed n "
    "presence_penalty frequency_penalty tools tool_choice response_format reasoning_effort extra_body "
    "parallel_tool_calls user"
)
DUMMIES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
MISSING = "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
MISSING += "correctly. Function call `{}`, position {}."
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}


class Gemini(Vendor):
    wires = ("chat",)
    models = (Model("gemini-3.8-flash", output=65_536), Model("gemini-3.1-pro-preview", output=65_536))
    key_headers = ("authorization",)

    def __init__(self) -> None:
        super().__init__()
        self._signed: dict[str, str] = {}
        """The signature that went out with a call, by its id."""

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"models/{id} is not found for API version v1main", 404)

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        for name in unknown_fields(body, FIELDS):
            yield f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
        for i, message in enumerate(body["messages"]):
            if message.get("tool_calls"):
                yield from self._of_signature(i, message["tool_calls"])
        for tool in body.get("tools") or []:
            yield from _of_schema(tool["function"].get("parameters") or {}, tool["function"]["name"])

    def _of_signature(self, place: int, calls: list[Json]) -> Iterator[str]:
        """The first call of each step carries one: its own, or a documented dummy for another vendor's call."""
        first = calls[0]
        given = ((first.get("extra_content") or {}).get("google") or {}).get("thought_signature")
        own = self._signed.get(first["id"])
        if not given:
            yield MISSING.format(f"default_api:{first['function']['name']}", place)
        elif given != own and (own or given not in DUMMIES):
            yield "Thought signature is not valid."

    def no_key(self, given: str | None) -> Complaint:
        return Complaint("API key not valid. Please pass a valid API key.", 400)

    def error(self, complaint: Complaint, request: Received) -> Response:
        error = {"code": complaint.status, "message": complaint.message, "status": STATUS[complaint.status]}
        return json_response([{"error": error}], complaint.status)

    def listed(self, model: Model) -> Json:
        return {"id": f"models/{model.id}", "object": "model", "owned_by": "google", "display_name": model.id}

    # Its voice

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        if isinstance(element, ToolCall):
            return [self._without_index(element, asked, call)]
        if isinstance(element, Interleaved):
            return [self._without_index(one, asked, call + i) for i, one in enumerate(element.calls)]
        return [] if "reasoning_content" in getattr(element, "keys", ()) else [element]

    def _without_index(self, call: ToolCall, asked: Asked, position: int) -> ToolCall:
        """Whole, without an index, and the first of a step with its signature."""
        extra, id = None, call.id or self.call_id(asked, position)
        if position == 0:
            self._signed[id] = f"CrQD{id[-12:]}"
            extra = {"google": {"thought_signature": self._signed[id]}}
        return replace(call, id=id, index="none", pieces=1, extra=extra)

    def finish(self, finish: str | None, asked: Asked) -> str | None:
        return "stop" if finish == "tool_calls" else finish


def _of_schema(schema: Any, place: str) -> Iterator[str]:
    """Enums are strings, arrays say what they hold, and only known properties are required."""
    if not isinstance(schema, dict):
        return
    if any(not isinstance(value, str) for value in schema.get("enum", [])):
        yield f"Invalid value at '{place}.enum' (TYPE_STRING)"
    if schema.get("type") == "array" and not schema.get("items"):
        yield f"{place}.items: missing field."
    for name in schema.get("required", []):
        if name not in schema.get("properties", {}):
            yield f"{place}.required: property is not defined: {name}"
    if isinstance(schema.get("type"), list):
        yield f"Proto field is not repeating, cannot start list at '{place}.type'"
    for name, inner in (schema.get("properties") or {}).items():
        yield from _of_schema(inner, f"{place}.{name}")
    yield from _of_schema(schema.get("items"), f"{place}.items")
    for inner in schema.get("anyOf", []):
        yield from _of_schema(inner, f"{place}.anyOf")
