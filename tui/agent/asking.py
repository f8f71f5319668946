"""Questions to the user: one of the model's (the tool `ask_user`), and what they are asked about a call."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.agent.approvals import Verdict
from tui.core.events import ApprovalAsked, Event, QuestionAsked, ToolFinished, ToolStarted
from tui.core.messages import ToolCall
from tui.tools.base import Tool
from tui.tools.changes import ChangingTool

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


async def approval_question(shop: Workshop, tool: Tool, call: ToolCall, verdict: Verdict) -> ApprovalAsked:
    """What the user is asked about a call.

    Raises ToolError, OSError, ValueError for a change of files that cannot be made: nobody is to be asked about that.
    """
    preview = await asyncio.to_thread(_preview, shop, tool, call, verdict)
    reason = f"{shop.subagent} asks: {verdict.reason}" if shop.subagent else verdict.reason
    return ApprovalAsked(uuid.uuid4().hex[:12], call, reason, preview, verdict.rule)


def _preview(shop: Workshop, tool: Tool, call: ToolCall, verdict: Verdict) -> str:
    if isinstance(tool, ChangingTool) and verdict.rule is not None:
        # Without a rule it is the place that is asked about: what is there is not told before.
        return tool.plan(call.arguments, replace(shop.context, places=verdict.places)).diff(shop.context.folder)
    return tool.preview(call.arguments, shop.context)
