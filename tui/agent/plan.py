"""A plan that the model presents under the policy `plan`: the user accepts, edits or refuses it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from tui.core.events import ApprovalAsked, ApprovalGiven, Event, ToolFinished, ToolStarted
from tui.core.messages import Json, ToolCall
from tui.tools.base import Tool
from tui.tools.desk import Task

if TYPE_CHECKING:
    from tui.agent.calls import Workshop

_NOBODY = "Nobody is here to accept the plan, and nothing can be changed. End now: give the plan as your answer."
_REASON = "a plan: accepted, it is worked on at once"


async def present(shop: Workshop, tool: Tool, call: ToolCall) -> AsyncGenerator[Event, None]:
    """Ask about the plan of a valid call; the last event is its `ToolFinished`.

    An accepted plan becomes the `todo`, and the policy is again what it was before `plan`.
    """
    if not shop.is_attended:
        yield ToolStarted(call)
        yield ToolFinished(call.id, False, _NOBODY, 0.0, {"plan": call.arguments})
        return
    preview = await asyncio.to_thread(tool.preview, call.arguments, shop.context)
    question = ApprovalAsked(uuid.uuid4().hex[:12], call, _REASON, preview, None)
    async with shop.asking:
        yield question
        answer = await shop.asker.ask(question)
    yield ApprovalGiven(question.id, answer.decision, answer.reason)
    if answer.decision == "no":
        why = f": {answer.reason}" if answer.reason else ""
        yield _end(call, f"The user does not accept this plan{why}. Present a better one, or ask what they want.", True)
        return
    steps = _steps(answer.arguments if answer.arguments is not None else call.arguments)
    if not steps:
        yield _end(call, "The user took all steps out of the plan: nothing is to be done.", True)
        return
    shop.context.desk.plan = tuple(Task(step) for step in steps)
    policy = shop.permissions.end_planning()
    words = f"The user accepts the plan. The policy is `{policy}` now. Work on it, and keep the todo up to date."
    if steps != _steps(call.arguments):
        words += "\nThe user changed it. It is now:\n" + "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1))
    yield ToolStarted(call)
    yield _end(call, words, False, {"todo": [task._asdict() for task in shop.context.desk.plan]})


def _steps(arguments: Json) -> list[str]:
    steps = arguments.get("steps")
    return [str(step).strip() for step in steps if str(step).strip()] if isinstance(steps, list) else []


def _end(call: ToolCall, words: str, is_error: bool, detail: Json | None = None) -> ToolFinished:
    return ToolFinished(call.id, is_error, words, 0.0, detail or {"refused": True})
