"""Mistral: ids of nine characters, an assistant between a tool and the user, thinking as parts of the content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise

from tests.scripted.asked import Asked, is_reasoning
from tests.scripted.checks import Complaint
from tests.scripted.connection import Received
from tests.scripted.elements import Delta, Element, Json, Words
from tests.scripted.reply import Response, json_response
from tests.scripted.vendors.vendor import Model, Vendor, unknown_fields

FIELDS = (
    "model messages stream stream_options max_tokens temperature top_p stop random_seed tools tool_choice "
    "parallel_tool_calls response_format presence_penalty frequency_penalty n prediction prompt_mode reasoning_effort "
    "safe_prompt metadata"
)
OF_MESSAGES = {"role", "content", "name", "tool_calls", "tool_call_id", "prefix"}
NINE = re.compile(r"[a-zA-Z0-9]{9}\Z")


class Mistral(Vendor):
    wires = ("chat",)
    models = (Model("mistral-medium-3-5", window=262_144), Model("magistral-medium-latest", window=131_072))
    key_headers = ("authorization",)

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"Invalid model: {id}", 400, {"type": "invalid_model", "code": "1500"})

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        for name in unknown_fields(body, FIELDS):
            yield Complaint(f"body.{name}: Extra inputs are not permitted", 422)
        for before, after in pairwise(body["messages"]):
            if (before["role"], after["role"]) == ("tool", "user"):
                yield "Unexpected role 'user' after role 'tool'"
        for i, message in enumerate(body["messages"]):
            for name in message.keys() - OF_MESSAGES:
                yield Complaint(f"body.messages.{i}.{name}: Extra inputs are not permitted", 422)
            for call in message.get("tool_calls") or []:
                if not NINE.match(call["id"]):
                    yield f"Tool call id was {call['id']} but must be a-z, A-Z, 0-9, with a length of 9."
            if message["role"] == "assistant" and isinstance(message.get("content"), list):
                yield from _of_parts(i, message["content"])

    def error(self, complaint: Complaint, request: Received) -> Response:
        if complaint.status == 422:
            place, _, words = complaint.message.partition(": ")
            detail = {"type": "extra_forbidden", "loc": place.split("."), "msg": words}
            return json_response({"detail": [detail]}, 422)
        error = {"object": "error", "message": complaint.message, "type": "invalid_request_error", "param": None}
        return json_response(error | {"code": None} | complaint.fields, complaint.status)

    # Its voice

    def call_id(self, asked: Asked, position: int) -> str:
        return hashlib.sha256(f"mistral {asked.number} {position}".encode()).hexdigest()[:9]

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        if not isinstance(element, Words) or not is_reasoning(element):
            return [element]
        parts = [{"type": "thinking", "thinking": [{"type": "text", "text": piece}]} for piece in element.pieces]
        return [Delta({"content": [part]}) for part in parts]


def _of_parts(i: int, parts: list[Json]) -> Iterator[str]:
    for part in parts:
        inner = part.get("thinking")
        is_good = part.get("type") == "text" or (
            part.get("type") == "thinking" and isinstance(inner, list) and all("text" in piece for piece in inner)
        )
        if not is_good:
            yield f"body.messages.{i}.content: a part must be a `text` or a `thinking` with parts of text"
