"""A question of the model's to the user (the tool `ask_user`): put, waited for, and the answer given back."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from tui.core.events import Event, QuestionAsked, ToolFinished, ToolStarted
from tui.core.messages import ToolCall

if TYPE_CHECKING:
    from tui.agent.calls import Workshop

_DECIDE = "Decide yourself, and say at the end what you assumed."


async def put_question(shop: Workshop, call: ToolCall) -> AsyncGenerator[Event, None]:
    """The events of a valid call; the last is its `ToolFinished`. One question is open at a time."""
    yield ToolStarted(call)
    began = time.monotonic()
    who = f"{shop.subagent} asks: " if shop.subagent else ""
    words, choices = str(call.arguments["question"]), tuple(call.arguments.get("choices", ()))
    question = QuestionAsked(uuid.uuid4().hex[:12], call.id, f"{who}{words}", choices)
    try:
        async with shop.asking:
            yield question
            answered = await shop.asker.reply(question)
    except asyncio.CancelledError:
        yield ToolFinished(call.id, True, "Interrupted.", time.monotonic() - began, {})
        raise
    yield answered
    has_answer = answered.answer is not None
    result = answered.answer if answered.answer is not None else f"{answered.reason} {_DECIDE}".strip()
    yield ToolFinished(call.id, False, result, time.monotonic() - began, {"answered": has_answer})
