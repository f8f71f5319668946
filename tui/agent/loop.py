"""The loop: ask the model, yield what comes, run the tools that it asked for, put the results in, again.

Chat mode is this loop with an empty toolbox. No screen, HTTP or database in here: it is given all it needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

from tui.agent.answering import Answering
from tui.agent.calls import Workshop, groups, refused, run_call, side_by_side
from tui.agent.guard import LoopGuard
from tui.agent.limits import Limits
from tui.agent.step import run_step
from tui.backends.spec import Request
from tui.core import requests
from tui.core.errors import MimoError
from tui.core.events import Event, Notice, RuleLearned, StepFinished, StepStarted, ToolFinished, TurnFinished
from tui.core.messages import Json, Message, ToolResult


@dataclass(frozen=True, slots=True)
class Agent:
    """Who works on a turn: the model, its tools, and what it may use."""

    answering: Answering
    workshop: Workshop
    limits: Limits


async def run_turn(agent: Agent, history: Sequence[Message], message: Message, last_body: Json) -> AsyncIterator[Event]:
    """The steps of one turn: answers to the user's `message`, until the model asks for no more tools or a limit is met.

    `last_body` is the body of the session's last request. Raises what the backend raises, and `CancelledError` when the
    task that reads it is cancelled; a step that had begun is finished first, with what came of it.
    """
    messages, guard = [*history, message], LoopGuard()
    while not (limit := agent.limits.reached()):
        step: StepFinished | None = None
        request = Request(agent.answering.system, tuple(messages), agent.workshop.toolbox.specs())
        try:
            async for event in run_step(agent.answering, request, last_body):
                if isinstance(event, StepStarted | RuleLearned):
                    last_body = requests.apply(last_body, event.request)
                elif isinstance(event, StepFinished):
                    step = event
                yield event
        except MimoError as error:
            if (words := await agent.answering.go_on_after(error)) is None:
                raise
            yield Notice(words)
            continue
        assert step is not None  # run_step ends with it, or raises
        agent.limits.count(step)
        for words in remarks(step, agent.limits):
            yield Notice(words)
        if step.finish_reason == "pause":  # a tool of the server's own takes long: it wants to be asked again
            messages.append(step.message)
            continue
        if not step.message.tool_calls:
            yield TurnFinished("done")
            return
        messages.append(step.message)
        results: dict[str, ToolResult] = {}
        async for event in run_calls(agent.workshop, step, guard):
            if isinstance(event, ToolFinished):
                results[event.call_id] = ToolResult(event.call_id, event.result, event.is_error)
            yield event
        messages.append(Message("tool", tuple(results[call.id] for call in step.message.tool_calls)))
        if guard.is_stuck:
            yield TurnFinished("limit", "the model made the same call again and again")
            return
    yield TurnFinished("limit", limit)


async def run_calls(shop: Workshop, step: StepFinished, guard: LoopGuard) -> AsyncIterator[Event]:
    """Run the calls of a finished step: in order, those that only read side by side. One that was cut is not run."""
    calls = step.message.tool_calls
    if step.finish_reason == "length":
        for call in calls:
            yield refused(call, "This call was cut at the output limit, so it was not run. Make it again, shorter.")
        return
    by_id = {call.id: call for call in calls}
    for group in groups(shop, calls):
        async for event in side_by_side([run_call(shop, call) for call in group]):
            if isinstance(event, ToolFinished):
                event = replace(event, result=guard.advise(by_id[event.call_id], event.result))
            yield event


def remarks(step: StepFinished, limits: Limits) -> Iterator[str]:
    """What the user should know about a finished step that no event says."""
    if step.finish_reason == "length":
        yield "The answer was cut: the output limit is reached."
    elif step.finish_reason == "content_filter":
        yield "The answer was cut by the server's content filter."
    elif not step.message.text and not step.message.tool_calls and step.finish_reason != "pause":
        yield f"The model answered with nothing (finish reason: {step.finish_reason})."
    if limits.steps == 1 and limits.budget is not None and step.cost is None:
        yield "The price of this model is not known, so the budget cannot be kept."
