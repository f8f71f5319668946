"""DeepSeek: reasoning on tool calls and never empty, no forced tools while thinking, the word json in JSON mode."""

from __future__ import annotations

from collections.abc import Iterator

from tests.scripted.asked import Asked, Counted, is_reasoning
from tests.scripted.checks import Complaint
from tests.scripted.connection import Received
from tests.scripted.elements import Delta, Element, Json
from tests.scripted.reply import Response, Usage, json_response
from tests.scripted.vendors.vendor import (
    Model,
    Vendor,
    anthropic_error,
    forces_a_tool,
    has_images,
    is_thinking,
    lacks_json_word,
    without_reasoning,
    without_thinking,
)

MISSING = "The `reasoning_content` in the thinking mode must be passed back to the API."
MISSING_BLOCK = "The `content[].thinking` in the thinking mode must be passed back to the API."
NO_FORCE = "Thinking mode does not support this tool_choice"
NO_JSON = "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'."


class DeepSeek(Vendor):
    wires = ("chat", "messages", "responses")
    models = (
        Model("deepseek-flash", window=1_000_000, output=393_216),
        Model("deepseek-v4-pro", images=False, window=1_000_000, output=393_216),
    )

    def thinks(self, asked: Asked) -> bool:
        return is_thinking(asked.body) and (asked.body.get("reasoning") or {}).get("effort") != "none"

    def unknown_model(self, id: str) -> Complaint:
        return Complaint("Model Not Exist")

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if has_images(body) and not self.model(body).images:
            yield "unknown variant `image_url`, expected `text`"
        if is_thinking(body):
            if without_reasoning(body):
                yield MISSING
            if forces_a_tool(body):
                yield NO_FORCE
        if lacks_json_word(body):
            yield NO_JSON

    def messages(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if not is_thinking(body):
            return
        if without_thinking(body):
            yield MISSING_BLOCK
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            yield NO_FORCE

    def responses(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        """It keeps nothing."""
        if body.get("previous_response_id"):
            yield "previous_response_id is not supported"

    def no_key(self, given: str | None) -> Complaint:
        return Complaint("Authentication Fails, Your api key is invalid", 401, {"type": "authentication_error"})

    def error(self, complaint: Complaint, request: Received) -> Response:
        if request.wire == "messages":
            return anthropic_error(complaint)
        error = {"message": complaint.message, "type": "invalid_request_error", "param": None}
        return json_response({"error": error | {"code": "invalid_request_error"} | complaint.fields}, complaint.status)

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        return [Delta({"content": None, "reasoning_content": ""}), element] if is_reasoning(element) else [element]

    def count(self, counted: Counted) -> Usage | None:
        cached = counted.cached or 0
        fields = {"prompt_tokens": counted.prompt, "completion_tokens": counted.completion}
        fields |= {"total_tokens": counted.prompt + counted.completion}
        fields |= {"prompt_cache_hit_tokens": cached, "prompt_cache_miss_tokens": counted.prompt - cached}
        return Usage(fields, "last")

    def sign(self, asked: Asked, before: list[Json], thinking: str) -> str | None:
        return None

    def encrypt(self, asked: Asked, reasoning: str) -> str | None:
        return None
