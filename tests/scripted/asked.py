"""What of a request shapes the rendering of its reply, and how the server of a vendor speaks."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Literal

from tests.scripted.elements import Element, Json, Words
from tests.scripted.reply import Usage

Wire = Literal["chat", "messages", "responses", "ollama"]


class Voice:
    """How a server says what a test wrote; vendors speak otherwise. Keeps what it must recognise later."""

    def __init__(self) -> None:
        self.signatures: dict[str, tuple[str, str]] = {}
        """Of each thinking block that was given: its signature, and the model and the text that it was made for."""

    def thinks(self, asked: Asked) -> bool:
        """Whether the request wants reasoning; without, that of the reply is left out."""
        return True

    def call_id(self, asked: Asked, position: int) -> str:
        prefix = "toolu" if asked.wire == "messages" else "call"
        return f"{prefix}_{asked.number}_{position}"

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        """Chat Completions: the element as this server would send it; `call` is how many calls came before."""
        return [element]

    def finish(self, finish: str | None, asked: Asked) -> str | None:
        """Chat Completions: the finish reason as this server says it."""
        return finish

    def count(self, counted: Counted) -> Usage | None:
        """Chat Completions: the usage as this server says it; None: as OpenAI does."""
        return None

    def sign(self, asked: Asked, before: list[Json], thinking: str) -> str | None:
        """Messages: the signature of a thinking block that follows the blocks `before` in this answer."""
        signature = signature_of(asked.model, asked.prefix + [("assistant", block) for block in before], thinking)
        self.signatures[signature] = (asked.model, thinking)
        return signature

    def shown(self, asked: Asked, thinking: str) -> str:
        """Messages: what of the thinking is sent; by default Claude sends the signature alone."""
        return thinking

    def noted(self, asked: Asked) -> Json:
        """Messages: what the answer says besides, such as what was changed in the request."""
        return {}

    def encrypt(self, asked: Asked, reasoning: str) -> str | None:
        """Responses: the encrypted content of a reasoning item; None: the server sends its text in the clear."""
        return "gAAA" + base64.b64encode(f"{asked.model}|{reasoning}".encode()).decode()

    def gave(self, asked: Asked, answer: list[Json]) -> None:
        """The whole answer has been made: blocks (Messages), items (Responses) or one message (the others)."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of one answer; `prompt` is all of the input, of which `cached` was read and `written` put in the cache."""

    prompt: int
    completion: int
    cached: int | None = None
    written: int = 0
    reasoning: int | None = None

    @classmethod
    def of(cls, usage: Usage, written: int) -> Counted:
        """From usage as a test wrote it, in whatever vendor's style."""
        fields = usage.fields or {}
        details = fields.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens", fields.get("cached_tokens", fields.get("prompt_cache_hit_tokens")))
        reasoning = (fields.get("completion_tokens_details") or {}).get("reasoning_tokens")
        return cls(fields.get("prompt_tokens", 0), fields.get("completion_tokens", 0), cached, written, reasoning)


@dataclass(frozen=True, slots=True)
class Asked:
    number: int
    """How many replies this server gave before; makes ids of tool calls unique."""
    model: str = "scripted"
    stream: bool = True
    include_usage: bool = True
    prompt_tokens: int = 1
    cached_tokens: int | None = None
    """Of the prompt; None: the server does not say."""
    written_tokens: int = 0
    wire: Wire = "chat"
    body: Json = field(default_factory=dict)
    prefix: list[tuple[str, Json]] = field(default_factory=list)
    """Messages: all that stands before the answer, as `wires.messages.prefix` has it."""
    voice: Voice = field(default_factory=Voice)


def signature_of(model: str, prefix: list[tuple[str, Json]], thinking: str) -> str:
    """A signature that holds for one model, one exact prefix and one text."""
    from tests.scripted.reply import encode

    made_of = encode([model, prefix, thinking]).encode()
    return "Eq" + base64.b64encode(hashlib.sha256(made_of).digest()).decode()


def is_reasoning(element: Element) -> bool:
    return isinstance(element, Words) and "content" not in element.keys


def counted(reply_usage: Usage | None, elements: list[Element], asked: Asked) -> Counted:
    """What a wire other than Chat Completions reports: as written by the test, else one token a piece of text."""
    if reply_usage is not None:
        return Counted.of(reply_usage, 0)
    words = [element for element in elements if isinstance(element, Words)]
    thoughts = sum(len(element.pieces) for element in words if is_reasoning(element))
    total = max(1, sum(len(element.pieces) for element in words))
    return Counted(asked.prompt_tokens, total, asked.cached_tokens, asked.written_tokens, thoughts or None)
