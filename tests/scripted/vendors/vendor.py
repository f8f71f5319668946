"""What the servers of all vendors have in common: models, keys, errors, and the checks of their wires."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tests.scripted import checks, checks_messages, checks_ollama, checks_responses
from tests.scripted.asked import Asked, Voice, Wire
from tests.scripted.checks import Complaint, Demands
from tests.scripted.connection import Received
from tests.scripted.elements import Json
from tests.scripted.reply import Response, json_response

Page = Callable[[Received], Response]


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    images: bool = True
    thinking: bool = True
    tools: bool = True
    window: int = 1_048_576
    """Tokens."""
    output: int = 131_072
    """Tokens."""


class Vendor(Voice):
    """A server as its vendor runs it. Without a subclass: any server, strict only where all servers are."""

    wires: ClassVar[tuple[Wire, ...]] = ("chat", "messages", "responses", "ollama")
    models: tuple[Model, ...] = ()
    """Any other is refused; empty: whatever name is asked for will do."""
    cache: ClassVar[Literal["automatic", "marks", "none"]] = "automatic"
    key_headers: ClassVar[tuple[str, ...]] = ("authorization", "x-api-key")
    demands = Demands()

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def model(self, body: Json) -> Model:
        return next((model for model in self.models if model.id == body.get("model")), Model(str(body.get("model"))))

    # Keys

    def key(self, request: Received) -> str | None:
        """The key that came with a request; None if none did."""
        for header in self.key_headers:
            if header in request.headers:
                return request.headers[header].removeprefix("Bearer ")
        return None

    def no_key(self, given: str | None) -> Complaint:
        message = "Incorrect API key provided." if given else "You didn't provide an API key."
        return Complaint(message, 401, {"code": "invalid_api_key"})

    # Refusals

    def refusal(self, request: Received) -> Response | None:
        """The answer to a request that this server refuses; None if it is fit to be answered."""
        for complaint in self.complaints(request):
            return self.error(complaint, request)
        return None

    def complaints(self, request: Received) -> Iterator[Complaint]:
        """What is wrong with a request: what this vendor alone minds comes last."""
        body, wire = request.body, request.wire or "chat"
        if wire not in self.wires:
            yield Complaint(f"Not Found: {request.path}", 404)
            return
        if isinstance(body, dict) and self.models and body.get("model") not in [model.id for model in self.models]:
            yield self.unknown_model(str(body.get("model")))
        yield from self.structure(body, wire)
        own = {"chat": self.chat, "messages": self.messages, "responses": self.responses, "ollama": self.ollama}[wire]
        for complaint in own(body, request):
            yield Complaint(complaint) if isinstance(complaint, str) else complaint

    def structure(self, body: Any, wire: Wire) -> Iterator[Complaint]:
        if wire == "chat":
            return checks.complaints(body, self.demands)
        return {
            "messages": checks_messages.complaints,
            "responses": checks_responses.complaints,
            "ollama": checks_ollama.complaints,
        }[wire](body)

    def unknown_model(self, id: str) -> Complaint:
        message = f"The model `{id}` does not exist or you do not have access to it."
        return Complaint(message, 404, {"code": "model_not_found"})

    def chat(self, body: Json, request: Received) -> Iterable[Complaint | str]:
        return ()

    def messages(self, body: Json, request: Received) -> Iterable[Complaint | str]:
        return ()

    def responses(self, body: Json, request: Received) -> Iterable[Complaint | str]:
        return ()

    def ollama(self, body: Json, request: Received) -> Iterable[Complaint | str]:
        return ()

    def error(self, complaint: Complaint, request: Received) -> Response:
        """In the shape of the wire."""
        if request.wire == "messages":
            return anthropic_error(complaint)
        if request.wire == "ollama":
            return json_response({"error": complaint.message}, complaint.status)
        error = {"message": complaint.message, "type": "invalid_request_error", "param": None, "code": None}
        return json_response({"error": error | complaint.fields}, complaint.status)

    # Pages

    def pages(self) -> dict[str, Page]:
        """Pages beside completions, by path."""
        return {}

    def listed(self, model: Model) -> Json:
        return {"id": model.id, "object": "model", "created": 1_700_000_000, "owned_by": self.name}

    # The server's voice

    def call_id(self, asked: Asked, position: int) -> str:
        """Unlike that of any other vendor, so that a server knows its own."""
        made_of = f"{self.name} {asked.number} {position}"
        prefix = "toolu" if asked.wire == "messages" else "call"
        return f"{prefix}_{hashlib.sha256(made_of.encode()).hexdigest()[:20]}"


class Plain(Vendor):
    """A server of no special kind, with the demands of a test."""

    def __init__(self, demands: Demands) -> None:
        super().__init__()
        self.demands = demands

    def call_id(self, asked: Asked, position: int) -> str:
        return Voice.call_id(self, asked, position)


def anthropic_error(complaint: Complaint) -> Response:
    kinds = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}
    error = {"type": kinds.get(complaint.status, "invalid_request_error"), "message": complaint.message}
    body = {"type": "error", "error": error | complaint.fields, "request_id": "req_011CTest"}
    return json_response(body, complaint.status, {"request-id": "req_011CTest"})


# What several vendors check


def is_thinking(body: Json) -> bool:
    """`thinking: {"type": ...}`, on unless it is disabled (MiMo, DeepSeek, Kimi, GLM)."""
    return (body.get("thinking") or {}).get("type") != "disabled"


def without_reasoning(body: Json, key: str = "reasoning_content") -> list[int]:
    """Places of messages with tool calls that lack their reasoning; an empty one is as good as none."""
    messages = enumerate(body.get("messages") or [])
    return [i for i, message in messages if message.get("tool_calls") and not message.get(key)]


def without_thinking(body: Json) -> list[int]:
    """Messages: places of assistant messages with tool calls that do not begin with a thinking block with text."""
    found = []
    for place, role, content in checks_messages.merged(body.get("messages") or []):
        kinds = [block.get("type") for block in content]
        begins = content and kinds[0] in ("thinking", "redacted_thinking")
        if role == "assistant" and "tool_use" in kinds and not (begins and content[0].get("thinking", "x")):
            found.append(place)
    return found


def forces_a_tool(body: Json) -> bool:
    return body.get("tool_choice") not in (None, "auto", "none")


def has_images(body: Json) -> bool:
    contents = [message.get("content") for message in body.get("messages") or []]
    parts = itertools.chain.from_iterable(content for content in contents if isinstance(content, list))
    return any(part.get("type") in ("image_url", "image") for part in parts)


def lacks_json_word(body: Json) -> bool:
    """`json_object` is asked for, but the prompt never says so."""
    wanted = (body.get("response_format") or {}).get("type") == "json_object"
    return wanted and "json" not in str(body.get("messages")).lower()


def unknown_fields(body: Json, known: str) -> list[str]:
    """Names at the top of the body that are not among those of a server that refuses all others."""
    return [name for name in body if name not in known.split()]
