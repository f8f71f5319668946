"""Room in the model's window: it is made before a request, after a refusal, or when a reply filled it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from tui.backends.spec import Request
from tui.core.events import Compacted, Event, MessageAdded, StepFinished
from tui.core.messages import Context, Message
from tui.sessions.history import History

if TYPE_CHECKING:
    from tui.agent.loop import Agent


def request_of(agent: Agent, history: History) -> Request:
    """What is sent as things are."""
    return Request(agent.answering.system, history.messages, agent.workshop.toolbox.specs())


async def make(agent: Agent, history: History, *, is_forced: bool = False) -> AsyncIterator[Event]:
    """Make the conversation shorter where it has to be; what a summary leaves out is told to the model again."""
    async for event in agent.compactor.make_room(agent.answering, request_of(agent, history), is_forced=is_forced):
        yield event
        if isinstance(event, Compacted) and event.summary and (blocks := await _lost(agent, history)):
            yield MessageAdded(Message("user", blocks))


async def _lost(agent: Agent, history: History) -> tuple[Context, ...]:
    """What the model was told and a summary has left out: the date and the state of the folder, and the plan."""
    shop, blocks = agent.workshop, tuple[Context, ...]()
    if (project := shop.project) is not None and shop.toolbox.names:
        blocks = await asyncio.to_thread(
            project.blocks,
            "",
            history.messages,
            is_agent=True,
            is_planning=shop.permissions.policy == "plan" and not shop.subagent,
            window=agent.answering.backend.spec.context_window,
        )
    if plan := shop.context.desk.todo_text():
        before = "\n\n" if blocks else ""
        blocks = (*blocks, Context(f"{before}[Your plan, as it stands:]\n{plan}"))
    return blocks


async def go_on_with_less(agent: Agent, history: History, step: StepFinished) -> AsyncIterator[Event]:
    """The window was full before the reply had its end: make room, and have the model go on."""
    is_shorter = False
    async for event in make(agent, history, is_forced=True):
        is_shorter = is_shorter or isinstance(event, Compacted)
        yield event
    if not is_shorter:
        agent.guard.stuck = "the model's window is full, and the conversation cannot be made shorter"
    elif not step.message.tool_calls:
        words = "[Your last reply was cut, as your window was full. There is room again: go on where it ended.]"
        yield MessageAdded(Message("user", (Context(words),)))
