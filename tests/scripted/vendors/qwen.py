"""Alibaba Qwen on DashScope: no forced tools while thinking, models that only stream, fragments with empty ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.scripted.asked import Asked
from tests.scripted.checks import Complaint
from tests.scripted.connection import Received
from tests.scripted.elements import Element, Json, ToolCall
from tests.scripted.reply import Response, json_response
from tests.scripted.vendors.vendor import Model, Vendor, forces_a_tool, has_images, lacks_json_word

NO_FORCE = "The tool_choice parameter does not support being set to required or object in thinking mode"
NO_JSON = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
ONLY_STREAM = "parameter.enable_thinking must be set to false for non-streaming calls"


class Qwen(Vendor):
    wires = ("chat",)
    models = (
        Model("qwen3.8-max", window=991_808),
        Model("qwen3.8-flash", window=991_808),
        Model("qwen3-coder-plus", images=False, thinking=False, window=991_808),
    )
    key_headers = ("authorization",)

    def _thinks(self, body: Json) -> bool:
        is_on = body.get("enable_thinking", True) and body.get("reasoning_effort") != "none"
        return bool(is_on) and self.model(body).thinking

    def thinks(self, asked: Asked) -> bool:
        return self._thinks(asked.body)

    def unknown_model(self, id: str) -> Complaint:
        message = f"The model `{id}` does not exist or you do not have access to it."
        return Complaint(message, 404, {"code": "model_not_found"})

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if not isinstance(body.get("enable_thinking", True), bool):
            yield "parameter.enable_thinking must be a boolean"
        if self._thinks(body):
            if forces_a_tool(body):
                yield NO_FORCE
            if not body.get("stream"):
                yield ONLY_STREAM
        if lacks_json_word(body):
            yield NO_JSON
        if has_images(body) and not self.model(body).images:
            yield "Unexpected item type in content."

    def error(self, complaint: Complaint, request: Received) -> Response:
        error = {"message": complaint.message, "type": "invalid_request_error", "param": None}
        error["code"] = "invalid_parameter_error"
        return json_response({"error": error | complaint.fields, "request_id": "a1b2"}, complaint.status)

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        return [replace(element, ids="empty_later") if isinstance(element, ToolCall) else element]
