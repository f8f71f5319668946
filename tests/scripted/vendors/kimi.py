"""Moonshot Kimi: reasoning on tool calls, switches that differ from model to model, usage inside the last choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.scripted.asked import Asked, Counted
from tests.scripted.checks import Complaint
from tests.scripted.connection import Received
from tests.scripted.elements import Json
from tests.scripted.reply import Response, Usage, json_response
from tests.scripted.vendors.vendor import (
    Model,
    Vendor,
    anthropic_error,
    forces_a_tool,
    is_thinking,
    without_reasoning,
    without_thinking,
)

MISSING = "thinking is enabled but reasoning_content is missing in assistant tool call message at index {}"
NO_FORCE = "tool_choice specified is incompatible with thinking enabled"
BESIDE_ANY_OF = "when using anyOf, type should be defined in anyOf items instead of the parent schema"
ALWAYS_THINKING = ("kimi-k2.7-code", "kimi-k3", "kimi-k3.1-pro")
LEVELS = ("low", "high", "max")


class Kimi(Vendor):
    wires = ("chat", "messages")
    models = (
        Model("kimi-k3"),
        Model("kimi-k3.1-pro"),
        Model("kimi-k2.7-code", window=262_144),
        Model("kimi-k2.6", window=262_144),
    )

    def _thinks(self, body: Json) -> bool:
        return body.get("model") in ALWAYS_THINKING or is_thinking(body)

    def thinks(self, asked: Asked) -> bool:
        return self._thinks(asked.body)

    def unknown_model(self, id: str) -> Complaint:
        message = f"Not found the model {id} or Permission denied"
        return Complaint(message, 404, {"type": "resource_not_found_error"})

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        model = body["model"]
        if self._thinks(body):
            for index in without_reasoning(body):
                yield MISSING.format(index)
            if forces_a_tool(body) and not model.startswith("kimi-k3"):
                yield NO_FORCE
        if model == "kimi-k2.7-code" and not is_thinking(body):
            yield "invalid thinking: this model does not support disabling thinking"
        for tool in body.get("tools") or []:
            if _has_type_beside_any_of(tool["function"].get("parameters")):
                yield BESIDE_ANY_OF

    def messages(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if self._thinks(body):
            for index in without_thinking(body):
                yield MISSING.format(index)

    def no_key(self, given: str | None) -> Complaint:
        return Complaint("Invalid Authentication", 401, {"type": "invalid_authentication_error"})

    def error(self, complaint: Complaint, request: Received) -> Response:
        if request.wire == "messages":
            return anthropic_error(complaint)
        error = {"type": "invalid_request_error", "message": complaint.message}
        return json_response({"error": error | complaint.fields}, complaint.status)

    def listed(self, model: Model) -> Json:
        said = {"context_length": model.window, "supports_image_in": model.images, "supports_reasoning": model.thinking}
        return super().listed(model) | said

    def count(self, counted: Counted) -> Usage | None:
        fields = {"prompt_tokens": counted.prompt, "completion_tokens": counted.completion}
        fields |= {"total_tokens": counted.prompt + counted.completion, "cached_tokens": counted.cached or 0}
        return Usage(fields, "choice")

    def sign(self, asked: Asked, before: list[Json], thinking: str) -> str | None:
        return None


def _has_type_beside_any_of(schema: Any) -> bool:
    if isinstance(schema, dict):
        if "anyOf" in schema and "type" in schema:
            return True
        return any(_has_type_beside_any_of(value) for value in schema.values())
    return isinstance(schema, list) and any(map(_has_type_beside_any_of, schema))
