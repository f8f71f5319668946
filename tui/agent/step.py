"""One step's request: what the backend sends becomes events, and whatever ends it, a step that began is finished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from tui.agent.answering import Answering
from tui.agent.spiral import Spiral
from tui.backends.spec import Reply, Request, Sent
from tui.core import requests
from tui.core.errors import MimoError
from tui.core.events import Event, ReasoningDelta, RuleLearned, StepFinished, StepStarted, TextDelta
from tui.core.messages import Json, Message
from tui.core.partial import Partial
from tui.core.usage import Timings, Usage, cost_of


async def run_step(answering: Answering, request: Request, last_body: Json) -> AsyncIterator[Event]:
    """Ask once. Ends with `StepFinished`; when it is cancelled or the backend fails, the error comes after that.

    `last_body` is the body of the session's request before this one: `StepStarted` holds the change.
    """
    backend, partial, began = answering.backend, Partial(), time.time()
    spec, spiral = backend.spec, Spiral()
    first_token_s: float | None = None
    started, learned = False, None

    def finished(message: Message, usage: Usage, reason: str) -> StepFinished:
        timings = Timings(began, first_token_s, time.time() - began)
        return StepFinished(message, usage, reason, timings, cost_of(usage, spec.price))

    try:
        async with aclosing(answering.strategy.ask(backend, request)) as answer:
            async for item in answer:
                if isinstance(item, Reply):
                    yield finished(item.message, item.usage, item.finish_reason)
                    return
                if isinstance(item, Sent):
                    change = requests.change(last_body, item.body)
                    last_body = item.body
                    if learned is not None:
                        yield replace(learned, request=change)
                        learned = None
                    elif not started:
                        started = True
                        yield StepStarted(spec.origin, item.url, change, dict(item.headers), spec.context_window)
                    continue
                if isinstance(item, RuleLearned):
                    learned = item  # told with the request that it leads to, which comes next
                    continue
                if isinstance(item, TextDelta | ReasoningDelta):
                    partial.add(item)
                    if request.tools or isinstance(item, ReasoningDelta):  # in a chat the user reads along, and decides
                        spiral.add(item.text, is_reasoning=isinstance(item, ReasoningDelta))
                if first_token_s is None and item.type.endswith("_delta"):
                    first_token_s = time.time() - began
                yield item
                if spiral.found:
                    yield finished(partial.message(spec.origin, spec.rules.reasoning_key), Usage(), "repetition")
                    return
    except (asyncio.CancelledError, MimoError) as error:
        if learned is not None and isinstance(error, MimoError):
            yield learned  # what only the asker can act on
        if started:
            reason = "error" if isinstance(error, MimoError) else "interrupted"
            yield finished(partial.message(spec.origin, spec.rules.reasoning_key), Usage(), reason)
        raise
