"""One tool call, from the model's words to its result: checked, judged, asked about, run.

Whatever is wrong with a call is a result that goes back to the model, never an exception.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.agent.approvals import Verdict
from tui.agent.around import after, before
from tui.agent.asking import approval_question, put_question
from tui.agent.hooks import Hooks
from tui.agent.permissions import Permissions
from tui.agent.plan import present
from tui.agent.project.project import Project
from tui.agent.weighing import begin, weigh, weigh_again
from tui.core.codec import dumps
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Decision,
    Happened,
    Nested,
    Notice,
    QuestionAnswered,
    QuestionAsked,
    ToolFinished,
    ToolOutput,
    ToolStarted,
)
from tui.core.messages import Json, ToolCall
from tui.tools.ask_user import AskUser
from tui.tools.base import Outcome, Tool, ToolContext
from tui.tools.errors import ToolError, explain
from tui.tools.kept_outputs import RESULT_CHARACTERS
from tui.tools.present_plan import PresentPlan
from tui.tools.registry import Toolbox

if TYPE_CHECKING:
    from tui.agent.keeper import Begun, Keeper

_TOLD_CHARACTERS = 1000
"""Of a long text that the user wrote into a call: the model can read the rest where it is now."""
_KEPT_CHARACTERS = 4000
"""Of the output of a tool that was interrupted, for the model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The user's word about a question: `arguments` of the edited call, `rules` for `always` (none: as asked)."""

    decision: Decision
    reason: str = ""
    arguments: Json | None = None
    rules: tuple[Json, ...] = ()


class Asker(Protocol):
    """Who answers questions: a screen, or nobody."""

    @property
    def can_answer(self) -> bool:
        """Whether there is somebody: else nothing is offered that nobody has asked for."""
        ...

    async def ask(self, question: ApprovalAsked) -> Answer: ...
    async def reply(self, question: QuestionAsked) -> QuestionAnswered:
        """What the user says to a question of the model's."""
        ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that a tool call needs: the tools, where they work, and who allows them."""

    toolbox: Toolbox
    context: ToolContext
    permissions: Permissions
    asker: Asker
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a question is open: one at a time."""
    keeper: Keeper | None = None
    """Keeps what is changed, so that it can be taken back; None where there is nowhere to keep it."""
    subagent: str = ""
    """Whose calls these are, when it is not the user's own agent's."""
    hooks: Hooks = field(default_factory=Hooks)
    is_attended: bool = True
    """Somebody is there who can accept a plan."""
    project: Project | None = None
    """Whose folders may have notes of their own; None: nobody looks."""


def groups(shop: Workshop, calls: Sequence[ToolCall]) -> Iterator[list[ToolCall]]:
    """The calls in order, with those together that may run side by side: neighbours that only read."""
    for reads, run in groupby(calls, lambda call: (tool := shop.toolbox.get(call.name)) and tool.effect == "read"):
        if reads:
            yield list(run)
        else:
            yield from ([call] for call in run)


async def side_by_side(runs: Sequence[AsyncGenerator[Happened, None]]) -> AsyncGenerator[Happened, None]:
    """The events of several calls as they come. Leaving it ends all of them."""
    if len(runs) == 1:  # the usual case, without a task of its own
        async with aclosing(runs[0]) as events:
            async for event in events:
                yield event
        return
    came: asyncio.Queue[Happened | None] = asyncio.Queue()

    async def read(run: AsyncGenerator[Happened, None]) -> None:
        try:
            async with aclosing(run) as events:
                async for event in events:
                    came.put_nowait(event)
        finally:
            came.put_nowait(None)

    tasks = [asyncio.create_task(read(run)) for run in runs]
    try:
        left = len(tasks)
        while left:
            if (happened := await came.get()) is None:
                left -= 1
            else:
                yield happened
        for task in tasks:
            task.result()
    except (asyncio.CancelledError, GeneratorExit) as end:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        while isinstance(end, asyncio.CancelledError) and not came.empty():
            if (said := came.get_nowait()) is not None:
                yield said  # what each of them said of its end
        raise


async def run_call(shop: Workshop, call: ToolCall) -> AsyncGenerator[Happened, None]:
    """Events of one call; the last is always its `ToolFinished`, except when cancelled while waiting for an answer."""
    note = ""
    tool, verdict, notes, begun = await weigh(shop, call)
    if tool is None:
        yield refused(call, verdict.reason, invalid=True)
        return
    if tool.name == PresentPlan.name and shop.permissions.policy == "plan" and not shop.subagent:
        async for happened in present(shop, tool, call):
            yield happened
        return
    verdict, problems = await before(shop.hooks, call, verdict)
    for problem in problems:
        yield Notice(problem)
    if verdict.action == "ask":
        try:
            question = await approval_question(shop, tool, call, verdict)
        except (ToolError, OSError, ValueError) as error:
            yield ToolStarted(call)
            yield ToolFinished(call.id, True, explain(error), 0.0, {})
            return
        async with shop.asking:
            yield question
            answer = await shop.asker.ask(question)
        yield ApprovalGiven(question.id, answer.decision, answer.reason)
        if answer.decision == "always" and question.rule is not None:
            for rule in answer.rules or (question.rule,):
                for problem in await shop.permissions.remember(rule):
                    yield Notice(problem)
        asked_about: tuple[Path, ...] | None = verdict.places
        if answer.arguments is not None and answer.arguments != call.arguments:
            asked_about = None
            call = replace(call, arguments=answer.arguments)
            note = f"[The user changed the arguments to {_told(call.arguments)} before this ran.]\n"
        verdict, notes = await weigh_again(shop, call, answer, asked_about)
    if verdict.action != "allow":
        yield refused(call, f"Not allowed: {verdict.reason.rstrip('.')}.")
        return
    begun = begun or await begin(shop, tool, verdict.places)
    async for event in _kept(shop, replace(shop.context, places=verdict.places), tool, call, begun):
        if isinstance(event, ToolFinished):
            event = replace(event, result=note + event.result)
            if not _is_cancelled():
                event, problems = await after(shop.hooks, shop.project, call, notes, event)
                for problem in problems:
                    yield Notice(problem)
        yield event


def _told(arguments: Json) -> str:
    """Arguments that the user wrote, for the model; of a long text as much as it needs to know it again."""
    short = {
        name: f"{value[:_TOLD_CHARACTERS]}… ({len(value):,} characters)"
        if isinstance(value, str) and len(value) > 2 * _TOLD_CHARACTERS
        else value
        for name, value in arguments.items()
    }
    return dumps(short)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _kept(
    shop: Workshop, context: ToolContext, tool: Tool, call: ToolCall, begun: Begun | None
) -> AsyncGenerator[Happened, None]:
    """Run it; what it changes is kept where that has `begun`."""
    if tool.name == AskUser.name:
        return put_question(shop, call)
    if begun is None:
        return _run_and_offer(shop, context, tool, call)
    return begun.around(_run_and_offer(shop, replace(context, when_changed=begun.end), tool, call))


async def _run_and_offer(
    shop: Workshop, context: ToolContext, tool: Tool, call: ToolCall
) -> AsyncGenerator[Happened, None]:
    """Run it. A command that failed because of the sandbox is run once more, outside of it, if the user says so."""
    failed: ToolFinished | None = None
    async with aclosing(_run(context, tool, call)) as events:
        async for event in events:
            if isinstance(event, ToolFinished) and event.detail.get("sandbox_blocked") and shop.asker.can_answer:
                failed = event
            else:
                yield event
    if failed is None:
        return
    seems = f"its output and exit code look as if {failed.detail['sandbox_blocked']}"  # the command may print anything
    why = f"{seems}. Run it once outside the sandbox, with all of your rights?"
    question = await approval_question(shop, tool, call, Verdict("ask", why))
    verdict, changed = Verdict("allow"), ""
    try:
        async with shop.asking:
            yield question
            answer = await shop.asker.ask(question)
        yield ApprovalGiven(question.id, answer.decision, answer.reason)
        if answer.decision != "no" and answer.arguments is not None and answer.arguments != call.arguments:
            call = replace(call, arguments=answer.arguments)
            changed = f", changed to {_told(call.arguments)}"
            verdict, _ = await weigh_again(shop, call, answer, None)
    except asyncio.CancelledError:
        yield failed
        raise
    if answer.decision == "no":
        because = f": {answer.reason}" if answer.reason else "."
        yield replace(failed, result=f"{failed.result}\n[The user does not let it run outside the sandbox{because}]")
        return
    if verdict.action != "allow":
        why = verdict.reason.rstrip(".")
        yield replace(failed, result=f"{failed.result}\n[It was not run outside the sandbox{changed}: {why}.]")
        return
    note = f"[It failed in the sandbox, so the user let it run once outside of it{changed}. This came:]\n"
    async with aclosing(_run(context.outside_the_sandbox(), tool, call)) as events:
        async for event in events:
            yield replace(event, result=note + event.result) if isinstance(event, ToolFinished) else event


async def _run(context: ToolContext, tool: Tool, call: ToolCall) -> AsyncGenerator[Happened, None]:
    yield ToolStarted(call)
    began = time.monotonic()
    outcome, came = Outcome("The tool ended without a result.", is_error=True), ""
    try:
        async with aclosing(tool.run(call.arguments, context)) as running:
            async for piece in running:
                if isinstance(piece, str):
                    came = (came + piece)[-_KEPT_CHARACTERS:]
                    yield ToolOutput(call.id, piece)
                elif isinstance(piece, Nested):
                    yield replace(piece, call_id=call.id)
                else:
                    outcome = piece
    except asyncio.CancelledError:
        result = f"{came}\n[interrupted]" if came else "Interrupted."
        yield ToolFinished(call.id, True, result, time.monotonic() - began, {})
        raise
    total_s, content = time.monotonic() - began, outcome.content
    if len(content) > RESULT_CHARACTERS:
        content = await asyncio.to_thread(context.desk.outputs.shortened, content)
    if news := context.desk.take_news():
        content = f"{content}\n[{news}]"
    yield ToolFinished(call.id, outcome.is_error, content, total_s, outcome.detail, outcome.images)


def refused(call: ToolCall, why: str, **more: bool) -> ToolFinished:
    """The result of a call that was not run; `invalid`: because no tool could take it."""
    return ToolFinished(call.id, True, why, 0.0, {"refused": True, **more})
