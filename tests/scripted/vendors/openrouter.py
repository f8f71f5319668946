"""OpenRouter: comments in the stream, `reasoning_details` that go back as they came, errors that wrap another's."""

from __future__ import annotations

from collections.abc import Iterator

from tests.scripted.asked import Asked, Counted, is_reasoning
from tests.scripted.checks import Complaint
from tests.scripted.connection import Received
from tests.scripted.elements import Delta, Element, Json, Words, comment
from tests.scripted.reply import Response, Usage, encode, json_response
from tests.scripted.vendors.vendor import Model, Vendor, has_images

CHANGED = "messages.{}.content.0: `thinking` blocks in the latest assistant message cannot be modified."


class OpenRouter(Vendor):
    wires = ("chat",)
    models = (Model("xiaomi/mimo-v2.6-pro"), Model("anthropic/claude-sonnet-5.5"), Model("text/only", images=False))
    key_headers = ("authorization",)

    def __init__(self) -> None:
        super().__init__()
        self._details: dict[str, list[Json]] = {}
        """The details that went out with a call, by its id."""

    def thinks(self, asked: Asked) -> bool:
        wish = asked.body.get("reasoning") or {}
        return wish.get("enabled", True) and wish.get("effort") != "none" and not wish.get("exclude")

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"{id} is not a valid model ID")

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if has_images(body) and not self.model(body).images:
            yield Complaint("No endpoints found that support image input", 404)
        if body.get("tools") and not self.model(body).tools:
            yield Complaint("No endpoints found that support tool use", 404)
        for i, message in enumerate(body["messages"]):
            for call in (message.get("tool_calls") or [])[:1]:
                given = self._details.get(call["id"])
                if given is not None and message.get("reasoning_details") != given:
                    raw = encode({"type": "error", "error": {"message": CHANGED.format(i)}})
                    yield Complaint("Provider returned error", 400, {"metadata": {"raw": raw, "provider_name": "X"}})

    def no_key(self, given: str | None) -> Complaint:
        return Complaint("User not found." if given else "No auth credentials found", 401)

    def error(self, complaint: Complaint, request: Received) -> Response:
        error = {"code": complaint.status, "message": complaint.message} | complaint.fields
        return json_response({"error": error, "user_id": "user_2"}, complaint.status)

    def listed(self, model: Model) -> Json:
        inputs = ["text", "image"] if model.images else ["text"]
        return {
            "id": model.id,
            "name": model.id,
            "created": 1_700_000_000,
            "context_length": model.window,
            "top_provider": {"max_completion_tokens": model.output, "context_length": model.window},
            "pricing": {"prompt": "0.000000435", "completion": "0.00000087", "input_cache_read": "0.0000000036"},
            "supported_parameters": ["tools", "reasoning", "max_tokens"] if model.tools else ["max_tokens"],
            "architecture": {"input_modalities": inputs, "output_modalities": ["text"]},
        }

    # Its voice

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        if not isinstance(element, Words) or not is_reasoning(element):
            return [element]
        thoughts = "".join(element.pieces)
        kept: Json = {"type": "reasoning.text", "text": thoughts, "signature": f"sig-{asked.number}"}
        kept |= {"id": f"rd-{asked.number}", "format": "anthropic-claude-v1", "index": 0}
        return [comment("OPENROUTER PROCESSING"), Delta({"reasoning": thoughts, "reasoning_details": [kept]})]

    def gave(self, asked: Asked, answer: list[Json]) -> None:
        message = answer[0]
        for call in (message.get("tool_calls") or [])[:1]:
            if "reasoning_details" in message:
                self._details[call["id"]] = message["reasoning_details"]

    def count(self, counted: Counted) -> Usage | None:
        fields: Json = {"prompt_tokens": counted.prompt, "completion_tokens": counted.completion, "cost": 0.0001}
        fields |= {"total_tokens": counted.prompt + counted.completion}
        return Usage(fields | {"prompt_tokens_details": {"cached_tokens": counted.cached or 0}}, "last")
