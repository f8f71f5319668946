"""Xiaomi MiMo: reasoning on every tool call while thinking, `text` always set, errors that hide in `param`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.scripted.asked import Asked
from tests.scripted.checks import Complaint, Demands
from tests.scripted.connection import Received
from tests.scripted.elements import Element, Json, ToolCall
from tests.scripted.reply import Response, encode, json_response
from tests.scripted.vendors.vendor import (
    Model,
    Vendor,
    has_images,
    is_thinking,
    without_reasoning,
    without_thinking,
)

MISSING = "The reasoning_content in the thinking mode must be passed back to the API."
MISSING_BLOCK = "The content[].thinking in the thinking mode must be passed back to the API."
RETIRED = ("mimo-v2-pro", "mimo-v2-flash", "mimo-v2-omni", "mimo-v2.5-pro", "mimo-v2.5")


class Mimo(Vendor):
    wires = ("chat", "messages", "responses")
    models = (
        Model("mimo-v2.6-pro"),
        Model("mimo-v2.6-flash"),
        Model("mimo-v2.6-pro-ultraspeed", images=False),
        Model("mimo-v2.6-tts", tools=False),
    )
    key_headers = ("api-key", "authorization", "x-api-key")
    demands = Demands(refuses_null_content=True)

    def thinks(self, asked: Asked) -> bool:
        return is_thinking(asked.body) and (asked.body.get("reasoning") or {}).get("effort") != "none"

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"Unsupported model {id}" if id in RETIRED else f"Not supported model {id}")

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        yield from self._images(body)
        for message in body["messages"]:
            if message["role"] == "tool" and not isinstance(message.get("content"), str):
                yield "`text` is not set"
        if is_thinking(body) and without_reasoning(body):
            yield MISSING
        limit = body.get("max_completion_tokens")
        if limit is not None and not 1 <= limit <= self.model(body).output:
            yield f"max_completion_tokens must be in [1, {self.model(body).output}]"

    def messages(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        yield from self._images(body)
        if is_thinking(body) and without_thinking(body):
            yield MISSING_BLOCK

    def _images(self, body: Json) -> Iterator[Complaint]:
        if has_images(body) and not self.model(body).images:
            yield Complaint(f"Model {body['model']} does not support image input", 404)

    def no_key(self, given: str | None) -> Complaint:
        return Complaint("Invalid API Key", 401)

    def error(self, complaint: Complaint, request: Received) -> Response:
        """The real words are in `param`, and where a stream was asked for, the body begins like one."""
        status = complaint.status
        message = {400: "Param Incorrect", 401: "Invalid API Key", 404: "Not Found"}.get(status, "Error")
        body = encode({"error": {"code": str(status), "message": message, "param": complaint.message, "type": ""}})
        wants_stream = isinstance(request.body, dict) and request.body.get("stream")
        return json_response(f"data:{body}" if wants_stream else body, status)

    # Its voice: every key in each delta, on Messages no signatures, on Responses the reasoning in the clear

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        return [replace(element, null_keys=True) if isinstance(element, ToolCall) else element]

    def sign(self, asked: Asked, before: list[Json], thinking: str) -> str | None:
        return None

    def encrypt(self, asked: Asked, reasoning: str) -> str | None:
        return None
