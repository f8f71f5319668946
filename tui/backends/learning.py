"""What a refused request teaches: from the server's words to the one rule that is to be changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from typing import Any

from msgspec import Struct, structs

from tui.backends.lessons import (
    FAILED_FINDERS,
    FINDERS,
    FOR_THIS_CONVERSATION,
    MISSING_REASONING,
    NOT_FOUND_FINDERS,
    Finder,
)
from tui.backends.limits_told import limits_told
from tui.backends.refusal import Refusal, read_refusal
from tui.backends.spec import BackendSpec, Request
from tui.core.codec import dumps
from tui.core.errors import BackendError, BackendErrorKind
from tui.core.messages import Block, Json, Reasoning
from tui.core.usage import Usage

LIMIT = 8
"""Lessons for one request: a client was seen that repeated a refused one 500 times."""
_NOT_SENT_AGAIN = ("native_tools", "context_window")
"""With these only who asks can go on: by another strategy, with a shorter conversation."""
_LIMITS = ("context_window", "max_output")
_LONG_CHARACTERS = 1_000_000
"""A conversation of this size may be refused for its length in other words."""
_WELL_ABOVE = 1.1
"""Of a window: servers and their errors do not count quite alike."""
_REFUSALS = ("bad_request", "reasoning_replay", "context_overflow", "model_not_found")
_FINDERS: dict[BackendErrorKind, tuple[Finder, ...]] = {
    "bad_request": (limits_told, *FINDERS),
    "reasoning_replay": FINDERS,
    "context_overflow": (limits_told,),
    "model_not_found": NOT_FOUND_FINDERS,
    "server": FAILED_FINDERS,
}


class Lesson(Struct, frozen=True):
    """The rule that the server wants otherwise, or a limit of the model. `because` is its own words, shortened."""

    rule: str
    value: Any
    because: str
    is_final: bool = False
    """The request is not sent again."""
    is_for_conversation: bool = False
    """It holds for what has been said so far, and is no fact about the server."""


def taught(spec: BackendSpec, new: Lesson) -> BackendSpec:
    """The spec with what was learned."""
    sources = spec.sources | {new.rule: "learned"}
    if new.rule in _LIMITS:
        return structs.replace(spec, **{new.rule: new.value}, sources=sources)
    return structs.replace(spec, rules=structs.replace(spec.rules, **{new.rule: new.value}), sources=sources)


def has_outgrown(spec: BackendSpec, usage: Usage) -> bool:
    """Whether a server took well more than the window that an error of it told once."""
    window, tokens = spec.context_window, (usage.input_tokens or 0) + (usage.output_tokens or 0)
    is_learned = spec.sources.get("context_window") == "learned"
    return is_learned and window is not None and tokens > window * _WELL_ABOVE


def without_reasoning(request: Request, refused: Container[str] | None = None) -> Request:
    """The request without the reasoning that was refused, by its `mark_of`; without any when it is not said which."""

    def stays(block: Block) -> bool:
        return not isinstance(block, Reasoning) or (refused is not None and mark_of(block) not in refused)

    messages = [
        replace(message, blocks=tuple(block for block in message.blocks if stays(block)))
        for message in request.messages
    ]
    return structs.replace(request, messages=tuple(messages))


def marks_of(request: Request) -> set[str]:
    return {mark_of(block) for message in request.messages for block in message.blocks if isinstance(block, Reasoning)}


def mark_of(block: Reasoning) -> str:
    return dumps([block.text, block.signature, block.data])


class Lessons:
    """What one request teaches while it is on its way. `body` is what to send now.

    A lesson that did not help is forgotten: `proven` gives those that did.
    """

    def __init__(self, request: Request, spec: BackendSpec, encode: Callable[[Request, BackendSpec], Json]) -> None:
        self.spec = spec
        self.body = encode(request, spec)
        self._request = request
        self._encode = encode
        self._count = 0
        self._tried: set[tuple[str, str]] = set()
        self._unproven: list[Lesson] = []
        self._proven: list[Lesson] = []
        self._refused: BackendError | None = None
        """What the last lesson was learned of."""
        self._kept_by_user = ""

    def learn(self, error: BackendError) -> Lesson | None:
        """The rule to change before the request is sent once more; None when nothing known explains the refusal.

        Never the same value twice, nothing that the user has set, and nothing that would not change the request.
        """
        self._settle(error)
        if self._count >= LIMIT or not (finders := _FINDERS.get(error.kind)):
            return None
        refusal = read_refusal(error.raw)
        for finder, rule, value in _found(finders, refusal, self.body, self.spec):
            if (rule, dumps(value)) in self._tried or (_value_of(self.spec, rule) == value and rule != "native_tools"):
                continue
            new = Lesson(rule, value, error.message, rule in _NOT_SENT_AGAIN, finder in FOR_THIS_CONVERSATION)
            if self._is_for_the_user(rule) or not self._take(new):
                continue
            self._refused = error
            return new
        return None

    def proven(self) -> list[Lesson]:
        """The lessons that helped and were not given out yet."""
        proven, self._proven = self._proven, []
        return proven

    def accepted(self) -> list[Lesson]:
        """The server took the request: all that was learned is true."""
        self._settle(None)
        return self.proven()

    def explained(self, error: BackendError) -> BackendError:
        """The error that ends the request, with what was tried and why nothing else was."""
        hints, raw, kind = [error.hint], error.raw, error.kind
        if self._kept_by_user:
            hints.append(
                f"It was not tried otherwise, because your settings for {self.spec.name} say {self._kept_by_user}."
            )
        if self._unproven and self._refused is not None and self._refused.kind == kind:
            last = self._unproven[-1]
            hints.append(f"It was sent again with {last.rule} = {dumps(last.value)}, and refused again.")
            raw = f"{error.raw}\n\nBefore that it was refused with:\n{self._refused.raw}"
        if kind == "reasoning_replay" and self._has_all_reasoning(error):
            kind = "context_overflow"
            hints.append("All reasoning was sent along, so the conversation is probably too long for this server.")
        hint = " ".join(filter(None, hints))
        return BackendError(
            kind,
            error.message,
            hint,
            retryable=error.retryable,
            retry_after_s=error.retry_after_s,
            raw=raw,
            learned=error.learned,
        ).with_traceback(error.__traceback__)

    def _take(self, new: Lesson) -> bool:
        """Change the rule, if that changes anything."""
        request, spec = self._request, self.spec
        if new.is_for_conversation:
            request = without_reasoning(request)
        else:
            spec = taught(spec, new)
        body = self.body if new.is_final else self._encode(request, spec)
        if not new.is_final and body == self.body:
            return False
        self._request, self.spec, self.body = request, spec, body
        self._tried.add((new.rule, dumps(new.value)))
        self._count += 1
        (self._proven if new.is_final else self._unproven).append(new)
        return True

    def _settle(self, error: BackendError | None) -> None:
        """Another refusal than the last one, or none: what was learned of the last one was right."""
        if self._refused is None or (error is not None and error.kind not in _REFUSALS):
            return
        if error is None or error.message != self._refused.message:
            self._proven += self._unproven
            self._unproven = []

    def _is_for_the_user(self, rule: str) -> bool:
        if rule == "native_tools" and self.spec.strategy != "auto":
            self._kept_by_user = f"`strategy = {dumps(self.spec.strategy)}`"
            return True
        if rule in self.spec.set_by_user:
            where = rule if rule in _LIMITS else f"rules.{rule}"
            self._kept_by_user = f"`{where} = {dumps(_value_of(self.spec, rule))}`"
            return True
        return False

    def _has_all_reasoning(self, error: BackendError) -> bool:
        """Some gateways say that reasoning is missing when a prompt nears their ceiling (seen at 861,000 tokens)."""
        if not read_refusal(error.raw).says(*MISSING_REASONING):
            return False
        messages = self.body.get("messages")
        calling = [part for part in messages if part.get("tool_calls")] if isinstance(messages, list) else []
        is_whole = all(part.get(self.spec.rules.reasoning_key) for part in calling)
        return bool(calling) and is_whole and len(json.dumps(messages)) >= _LONG_CHARACTERS


def _found(
    finders: tuple[Finder, ...], refusal: Refusal, body: Json, spec: BackendSpec
) -> Iterator[tuple[Finder, str, Any]]:
    for finder in finders:
        for rule, value in finder(refusal, body, spec):
            yield finder, rule, value


def _value_of(spec: BackendSpec, rule: str) -> Any:
    return getattr(spec if rule in _LIMITS else spec.rules, rule)
