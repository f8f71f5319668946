"""Whether a backend works, point by point: what `backends test` prints and the welcome screen shows."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from msgspec import Struct

from tui.backends.backend import Backend
from tui.backends.spec import ModelInfo, Reply, Request, Sent, ToolSpec
from tui.core.errors import BackendError, MimoError
from tui.core.events import Retrying
from tui.core.messages import user
from tui.core.text import clean_line
from tui.settings.names import did_you_mean

_TOOL = ToolSpec(
    "report_colour",
    "Report a colour.",
    {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "green", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    },
)
_NO_LIST = ("model_not_found", "bad_request", "protocol", "permission")
"""Errors of a server that answers, but lists no models."""


class CheckResult(Struct, frozen=True):
    """One point: `detail` says what was found, or what went wrong and what to do."""

    name: str
    ok: bool
    detail: str


async def check(backend: Backend) -> list[CheckResult]:
    """Reach it (`server`), get a small `answer`, have a tool called (`tools`). Ends at the first point that fails;
    it is called `key` if it is that which is missing or refused.

    Costs three small requests. Never raises a MimoError.
    """
    return [result async for result in checks(backend)]


async def checks(backend: Backend) -> AsyncIterator[CheckResult]:
    """The results of `check`, each as soon as it is there."""
    for name, point in (("server", _server), ("answer", _answer), ("tools", _tools)):
        try:
            result = CheckResult(name, True, await point(backend))
        except MimoError as error:
            name = "key" if error.kind in ("credential", "auth") else name
            stop = "" if error.message.endswith((".", "!", "?", "…")) else "."  # a server's own words may have one
            result = CheckResult(name, False, f"{error.message}{stop} {error.hint}".removesuffix(" "))
        yield result
        if not result.ok:
            return


async def _server(backend: Backend) -> str:
    """That it is reached, accepts the key and knows the model."""
    spec = backend.spec
    it = "the built-in server" if spec.embedded else clean_line(spec.base_url)
    try:
        models = await backend.list_models()
    except BackendError as error:
        if error.kind not in _NO_LIST:
            raise
        return f"{it} answers; it lists no models"
    if spec.model is None:
        raise MimoError("no model is chosen", f"It has: {_some(models)}. Set `model`, or use --model.")
    ids = [model.id for model in models]
    if not ids or spec.model in ids:
        return f"{it} answers, with {len(ids)} model{'' if len(ids) == 1 else 's'}"
    if len(ids) == 1 and spec.local:  # a server that was started with one model takes any name
        return f"{it} answers, with the model {clean_line(ids[0])}"
    # No failure yet: lists are not always complete, and the next point tells.
    return f"{it} answers, but {spec.model} is not in its list{clean_line(did_you_mean(spec.model, ids))}"


async def _answer(backend: Backend) -> str:
    began = time.monotonic()
    reply, first_s = await _ask(backend, Request("", (user("Answer with one word: ready"),)))
    total_s = time.monotonic() - began
    said = clean_line(reply.message.text, 60)
    if not said and not reply.message.tool_calls and reply.finish_reason != "length":
        raise MimoError(f"the answer is empty (it ended with {clean_line(reply.finish_reason)})")
    return f"{said!r} after {first_s if first_s is not None else total_s:.1f} s, whole after {total_s:.1f} s"


async def _tools(backend: Backend) -> str:
    """That a tool is called, in the way that this model is asked for it."""
    question = (user("Report the colour of grass with the tool."),)
    if await backend.tool_strategy() == "constrained":
        reply, _ = await _ask(backend, Request("Answer in JSON.", question, schema=_TOOL.parameters))
        try:
            json.loads(reply.message.text)
        except ValueError as error:
            said = clean_line(reply.message.text, 60)
            raise MimoError(f"the answer is not JSON, though it was constrained to it: {said!r}") from error
        return "constrained answers work; tool calls are made of them"
    reply, _ = await _ask(backend, Request("", question, tools=(_TOOL,)))
    if not reply.message.tool_calls:
        raise MimoError("the tool was not called", 'For a model that cannot call tools set `strategy = "constrained"`.')
    return f"called {clean_line(reply.message.tool_calls[0].name)}"


async def _ask(backend: Backend, request: Request) -> tuple[Reply, float | None]:
    """The reply, and the seconds until its first piece."""
    began, first_s = time.monotonic(), None
    async with aclosing(backend.ask(request)) as answer:
        async for piece in answer:
            if isinstance(piece, Reply):
                return piece, first_s
            if first_s is None and not isinstance(piece, Sent | Retrying):
                first_s = time.monotonic() - began
    raise AssertionError("an answer without a reply and without an error")


def _some(models: list[ModelInfo]) -> str:
    ids = [clean_line(model.id) for model in models]
    return ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "") if ids else "none"
