"""Whether a backend works, point by point: what `backends test` prints and the welcome screen shows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Literal

from msgspec import Struct

from tui.backends.backend import Backend
from tui.backends.spec import ModelInfo, Reply, Request, ToolSpec
from tui.core.errors import BackendError, MimoError
from tui.core.events import CUT, ReasoningDelta, TextDelta, ToolCallDelta
from tui.core.messages import Json, Reasoning, user
from tui.core.text import clean_line
from tui.core.usage import Price
from tui.settings.learned import Learned, keep_learned
from tui.settings.names import did_you_mean

_COLOURS = ["red", "green", "blue"]
_TOOL = ToolSpec(
    "report_colour",
    "Report a colour.",
    {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": _COLOURS}},
        "required": ["colour"],
        "additionalProperties": False,
    },
)
_QUESTION = "Report the colour of grass with the tool."
_JSON_QUESTION = 'Answer with exactly this JSON and nothing else: {"tool": "report_colour", "colour": "green"}'
_NATIVE_TRIES = 2
"""What is remembered of a model is not to come from one answer in which it chose to talk."""
_LEARNED: dict[str, Json] = {
    "constrained": {"native_tools": False},
    "text": {"native_tools": False, "response_format": "none"},
}
"""The rules that lead to a strategy."""
_REFUSED = ("bad_request", "protocol", "server")
"""Errors of a server that does not take a schema."""
_NO_LIST = ("model_not_found", "bad_request", "protocol", "permission")
"""Errors of a server that answers, but lists no models."""


class CheckResult(Struct, frozen=True):
    """One point: `detail` says what was found, or what went wrong and what to do."""

    name: str
    ok: bool
    detail: str
    message: str = ""
    """What went wrong alone, for a screen that knows better what to do."""


async def check(backend: Backend) -> list[CheckResult]:
    """Reach it (`server`), know its `model`, get a small `answer`, see it think (`thinking`), have a tool called
    (`tools`). Ends at the first point that fails; it is called `key` if it is that which is missing or refused.

    Costs a few small requests. Never raises a MimoError.
    """
    return [result async for result in checks(backend)]


async def checks(backend: Backend) -> AsyncIterator[CheckResult]:
    """The results of `check`, each as soon as it is there."""
    trial = _Trial(backend)
    for name, point in trial.points():
        try:
            result = CheckResult(name, True, await point())
        except MimoError as error:
            name = "key" if error.kind in ("credential", "auth") else name
            stop = "" if error.message.endswith((".", "!", "?", "…")) else "."  # a server's own words may have one
            detail = f"{error.message}{stop} {error.hint}".removesuffix(" ")
            result = CheckResult(name, False, detail, error.message)
        yield result
        if not result.ok:
            return


class _Answer(Struct, frozen=True):
    """A reply, how long its first piece and all of it took, and in how many pieces it came."""

    reply: Reply
    first_s: float
    total_s: float
    pieces: int


class _Trial:
    """What one check finds out, point after point."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._models: list[ModelInfo] | None = None
        """None: the server does not list any."""
        self._answer: Reply | None = None

    def points(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("server", self._server),
            ("model", self._model),
            ("answer", self._small_answer),
            ("thinking", self._thinking),
            ("tools", self._tools),
        ]

    async def _server(self) -> str:
        """That it is reached and accepts the key."""
        spec = self._backend.spec
        it = "the built-in server" if spec.embedded else clean_line(spec.base_url)
        try:
            self._models = await self._backend.list_models()
        except BackendError as error:
            if error.kind not in _NO_LIST:
                raise
            return f"{it} answers; it lists no models"
        accepts = "" if spec.credential == "none" else " and accepts the key"
        return f"{it} answers{accepts}; it has {_count(len(self._models), 'model')}"

    async def _model(self) -> str:
        """That one is chosen, and what is known of it."""
        models = self._models or []
        if self._backend.spec.model is None:
            raise MimoError("no model is chosen", f"It has: {_some(models)}. Set `model`, or use --model.")
        await self._backend.discover()
        spec, ids = self._backend.spec, [model.id for model in models]
        name = clean_line(spec.model or "")
        if ids and spec.model not in ids:
            if len(ids) == 1 and spec.local:  # a server that was started with one model takes any name
                name = clean_line(ids[0])
            else:  # no failure yet: lists are not always complete, and the next point tells
                return f"{name} is not in its list{clean_line(did_you_mean(name, ids))}"
        window = f"{spec.context_window:,} tokens" if spec.context_window else "its window is not known"
        sees = {True: "sees images", False: "sees no images", None: "whether it sees images is not known"}
        return f"{name}: {window}; {sees[spec.rules.images]}; {price_text(spec.price)}"

    async def _small_answer(self) -> str:
        answer = await self._ask(Request("", (user("Count from one to five, in words."),)))
        reply = self._answer = answer.reply
        said = clean_line(reply.message.text, 60)
        if not said and not reply.message.tool_calls and reply.finish_reason not in CUT:
            raise MimoError(f"the answer is empty (it ended with {clean_line(reply.finish_reason)})")
        pieces = "whole, not in pieces," if answer.pieces == 1 else f"in {answer.pieces} pieces"
        return f"{said!r} {pieces} after {answer.first_s:.1f} s, all of it after {answer.total_s:.1f} s"

    async def _thinking(self) -> str:
        """What is asked for, and whether reasoning came. That none came is no failure: many models do not show it."""
        spec = self._backend.spec
        levels = spec.rules.thinking
        came = self._answer and _reasoning_of(self._answer)
        if spec.thinking == "off":
            return f"is off; all the same it thought: {came}" if came else "is off, and no reasoning came"
        asked = f"asked for `{spec.thinking}`"
        if spec.thinking is None or spec.thinking not in levels:
            if came:
                return f"it thinks unasked: {came}"
            level = next((name for name in ("low", *levels) if name in levels and name != "off"), None)
            if level is None:
                return "not tried: how it is switched on is not known here"
            asked = f"asked for `{level}`"
            question = Request("", (user("Is 91 a prime number? Answer yes or no."),), body=levels[level])
            try:
                came = _reasoning_of((await self._ask(question)).reply)
            except BackendError as error:
                if error.kind != "bad_request":
                    raise
                return f"{asked}: refused, so leave `thinking` unset. {clean_line(error.message)}"
        return f"{asked}: {came}" if came else f"{asked}: no reasoning came; the model has none, or keeps it to itself"

    async def _tools(self) -> str:
        """That a tool is called, in the way that this model is asked for it, and why in that."""
        strategy, why = await self._backend.tool_strategy_and_why()
        reason = f"strategy `{strategy}`: {why}"
        if strategy == "native":
            return await self._native(reason)
        said = await (self._constrained() if strategy == "constrained" else self._in_words())
        if _object_in(said, is_alone=strategy == "constrained") is None:
            asked = "constrained to it" if strategy == "constrained" else "asked for"
            raise MimoError(f"the answer is not JSON, though it was {asked}: {clean_line(said, 60)!r} ({reason})")
        kind = "constrained answers" if strategy == "constrained" else "answers in JSON"
        return f"{kind} work; tool calls are made of them ({reason})"

    async def _native(self, reason: str) -> str:
        """Asked for in the server's own way; a model that does not call twice is asked in the other ways."""
        for _ in range(_NATIVE_TRIES):
            reply = (await self._ask(Request("", (user(_QUESTION),), tools=(_TOOL,)))).reply
            if reply.message.tool_calls:
                return f"called {clean_line(reply.message.tool_calls[0].name)} ({reason})"
            if _TOOL.name in reply.message.text:
                return f"the call came as text, which is read all the same ({reason})"
            if reply.finish_reason in CUT:
                raise MimoError(f"the answer ended at its limit before a tool was called ({reason})")
        works = await self._other_way()
        if works is None:
            raise MimoError(
                f"the tool was not called ({reason})", "An answer by a schema and one in words brought no call either."
            )
        spec = self._backend.spec
        kind = "constrained answers work" if works == "constrained" else "answers in JSON, asked for in words, work"
        is_set = [name for name in _LEARNED[works] if spec.sources.get(name, "").startswith("you")]
        if spec.strategy != "auto" or is_set:
            raise MimoError(f"the tool was not called ({reason})", f'{kind}: set `strategy = "{works}"`.')
        await asyncio.to_thread(self._remember, works)
        name = clean_line(spec.name)
        return (
            f"the tool was not called natively, but {kind}: from now on this model is asked so (strategy `{works}`). "
            f"`mimo-tui backends show {name} --forget` takes it back"
        )

    async def _other_way(self) -> Literal["constrained", "text"] | None:
        """The strategy that brings what a call can be made of."""
        if self._takes_schemas():
            try:
                answer = _object_in(await self._constrained(), is_alone=True)
            except BackendError as error:
                if error.kind not in _REFUSED:
                    raise
                answer = None
            # The server may have refused the schema by now, and the answer have come without one.
            if self._takes_schemas() and answer is not None and answer.get("colour") in _COLOURS:
                return "constrained"
        answer = _object_in(await self._in_words())
        return "text" if answer is not None and answer.get("tool") == _TOOL.name else None

    def _takes_schemas(self) -> bool:
        return self._backend.spec.rules.response_format != "none"

    async def _constrained(self) -> str:
        question = Request("Answer in JSON.", (user(_QUESTION),), schema=_TOOL.parameters)
        return (await self._ask(question)).reply.message.text

    async def _in_words(self) -> str:
        return (await self._ask(Request("", (user(_JSON_QUESTION),)))).reply.message.text

    def _remember(self, works: Literal["constrained", "text"]) -> None:
        """Keep for this server and model how it is asked. Blocking. Raises MimoError when it cannot be written."""
        spec, today = self._backend.spec, time.strftime("%Y-%m-%d")
        for rule, value in _LEARNED[works].items():
            because = f"when it was tested, tools were not called natively, and `{works}` worked"
            keep_learned(Learned(spec.base_url, spec.model or "", rule, value, because, today))

    async def _ask(self, request: Request) -> _Answer:
        began, first_s, pieces = time.monotonic(), None, 0
        async with aclosing(self._backend.ask(request)) as answer:
            async for piece in answer:
                if isinstance(piece, Reply):
                    total_s = time.monotonic() - began
                    return _Answer(piece, total_s if first_s is None else first_s, total_s, max(pieces, 1))
                if isinstance(piece, TextDelta | ReasoningDelta | ToolCallDelta):
                    pieces += 1
                    first_s = time.monotonic() - began if first_s is None else first_s
        raise AssertionError("an answer without a reply and without an error")


def _object_in(text: str, *, is_alone: bool = False) -> Json | None:
    """The JSON object of an answer; words around it do no harm unless it is to be `is_alone`."""
    try:
        value = json.loads(text if is_alone else text[text.find("{") : text.rfind("}") + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def price_text(price: Price | None) -> str:
    """For people; an unknown price is never shown as nothing."""
    if price is None:
        return "its price is not known"
    if not price.input and not price.output:
        return "costs nothing"
    cached = "" if price.cached is None else f", {price.cached:g} cached"
    written = "" if price.written is None else f", {price.written:g} put into the cache"
    return f"USD {price.input:g} in, {price.output:g} out{cached}{written} a million tokens"


def _reasoning_of(reply: Reply) -> str:
    """What came of it; empty for nothing."""
    blocks = [block for block in reply.message.blocks if isinstance(block, Reasoning)]
    if words := sum(len(block.text.split()) for block in blocks):
        return f"{_count(words, 'word')} of reasoning came"
    if tokens := reply.usage.reasoning_tokens:
        return f"{_count(tokens, 'token')} of reasoning, which are not shown"
    return "reasoning came, sealed" if any(block.signature or block.data for block in blocks) else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _some(models: list[ModelInfo]) -> str:
    ids = [clean_line(model.id) for model in models]
    return ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "") if ids else "none"
