"""The loop: ask the model, yield what comes, run the tools that it asked for, put the results in, again.

Chat mode is this loop with an empty toolbox. No screen, HTTP or database in here: it is given all it needs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field, replace

from tui.agent import room
from tui.agent.answering import Answering
from tui.agent.cache_watch import CacheWatch
from tui.agent.calls import Workshop, groups, refused, run_call, side_by_side
from tui.agent.compaction import Compactor, cut_result
from tui.agent.guard import LoopGuard
from tui.agent.limits import Limits
from tui.agent.step import run_step
from tui.core.errors import MimoError
from tui.core.events import (
    CUT,
    Compacted,
    Event,
    Happened,
    MessageAdded,
    Nested,
    Notice,
    StepFinished,
    ToolFinished,
    TurnFinished,
)
from tui.core.messages import Context, Message
from tui.sessions.history import History


@dataclass(frozen=True, slots=True)
class Agent:
    """Who works on a turn: the model, its tools, and what it may use."""

    answering: Answering
    workshop: Workshop
    limits: Limits = field(default_factory=Limits)
    compactor: Compactor = field(default_factory=Compactor)
    guard: LoopGuard = field(default_factory=LoopGuard)
    cache: CacheWatch = field(default_factory=CacheWatch)


async def run_turn(agent: Agent, history: History) -> AsyncGenerator[Happened, None]:
    """The steps of one turn, until the model asks for no more tools or a limit is met.

    `history` ends with what the user said, and grows with the turn. Raises what the backend raises, and
    `CancelledError` when the task that reads it is cancelled; a step that had begun is finished first, with what came.
    """
    async for event in _steps(agent, history):
        if isinstance(event, Nested):  # of a subagent's own conversation; its limits have counted it
            yield event
            continue
        history.add(event)
        if isinstance(event, StepFinished | Compacted):
            agent.limits.count(event)
        if isinstance(event, Compacted):
            agent.cache.prefix_changed()
        yield event


async def _steps(agent: Agent, history: History) -> AsyncIterator[Happened]:
    while not (limit := agent.limits.claim()):
        async for event in room.make(agent, history):
            yield event
        spec, step = agent.answering.backend.spec, None
        if words := agent.cache.before(spec.origin, spec.price):
            yield Notice(words)
        request = room.request_of(agent, history)
        try:
            async for event in run_step(agent.answering, request, history.body):
                step = event if isinstance(event, StepFinished) else step
                yield event
        except MimoError as error:
            if step is None:
                agent.limits.release()
            is_hopeless = True
            async for event in another_way(agent, history, error):
                is_hopeless = False
                yield event
            if is_hopeless:
                raise
            continue
        assert step is not None  # run_step ends with it, or raises
        agent.compactor.count(request, step)
        agent.guard.see(step)
        for words in remarks(step, agent):
            yield Notice(words)
        if words := agent.guard.ask_again(step):
            yield MessageAdded(Message("user", (Context(words),)))
        elif step.message.tool_calls:
            async for happened in run_calls(agent, step):
                yield happened
        elif step.finish_reason not in ("pause", "window_full"):  # `pause`: a tool of the server's own takes long
            yield TurnFinished("limit", agent.guard.stuck) if agent.guard.stuck else TurnFinished("done")
            return
        if step.finish_reason == "window_full" and not agent.guard.stuck:
            async for event in room.go_on_with_less(agent, history, step):
                yield event
        if agent.guard.stuck:
            yield TurnFinished("limit", agent.limits.told(agent.guard.stuck))
            return
    yield TurnFinished("limit", agent.limits.told(limit))


async def another_way(agent: Agent, history: History, error: MimoError) -> AsyncIterator[Event]:
    """What is done so that the same can be asked again after `error`; nothing when there is no way."""
    if words := await agent.answering.go_on_after(error):
        yield Notice(words)
    elif error.kind == "context_overflow":
        async for event in room.make(agent, history, is_forced=True):
            yield event
    elif error.kind == "too_large" and (
        folding := agent.compactor.fold(agent.answering, room.request_of(agent, history))
    ):
        yield folding


async def run_calls(agent: Agent, step: StepFinished) -> AsyncIterator[Happened]:
    """Run the calls of a finished step: in order, those that only read side by side. One that was cut is not run."""
    calls = step.message.tool_calls
    if step.finish_reason in CUT:
        limit = "at the output limit" if step.finish_reason == "length" else "because your window was full"
        for call in calls:
            yield refused(call, f"This call was cut {limit}, so it was not run. Make it again, shorter.")
        return
    shop, by_id = agent.workshop, {call.id: call for call in calls}
    for group in groups(shop, calls):
        async for event in side_by_side([run_call(shop, call) for call in group]):
            if isinstance(event, ToolFinished):
                event = replace(event, result=cut_result(event.result, agent.answering.backend.spec))
                event = replace(event, result=agent.guard.advise(by_id[event.call_id], event))
            yield event


def remarks(step: StepFinished, agent: Agent) -> Iterator[str]:
    """What the user should know about a finished step that no event says."""
    reason, limits = step.finish_reason, agent.limits
    if reason == "length":
        yield "The answer was cut: the output limit is reached."
    elif reason == "window_full":
        yield "The answer was cut: the model's window is full."
    elif reason == "content_filter":
        yield "The answer was cut by the server's content filter."
    elif reason.startswith("repetition"):
        yield "The model said the same over and over, so the reply was cut."
    elif not step.message.text and not step.message.tool_calls and reason != "pause":
        yield f"The model answered with nothing (finish reason: {reason})."
    if limits.steps == 1 and limits.has_budget and step.cost is None:
        yield "The price of this model is not known, so the budget cannot be kept."
    if words := agent.cache.after(step, agent.answering.backend.spec.price):
        yield words
