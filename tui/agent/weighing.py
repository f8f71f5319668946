"""What is found out about a tool call before it runs: its tool, whether it runs, what has to be kept before.

All of it looks at the disk, so it is done in a thread, in one go: each way into a thread and back costs a step a third
of a millisecond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tui.agent.approvals import Verdict
from tui.agent.around import before
from tui.agent.strategies.base import about_unread
from tui.core.messages import ToolCall
from tui.tools.base import CHANGING, Tool
from tui.tools.registry import validate

if TYPE_CHECKING:
    from tui.agent.calls import Answer, Workshop
    from tui.agent.keeper import Begun
    from tui.agent.project.notes import Note

T = TypeVar("T")

_OUTGROWN = "a command has made more of this folder than can be kept, so what commands change cannot be taken back"


class Weighed(NamedTuple):
    """A call that was judged."""

    tool: Tool | None
    """None: it is not a valid call."""
    verdict: Verdict
    notes: Sequence[Note] = ()
    """Of the folders that it touches, as far as they have not been given."""
    begun: Begun | None = None
    """What it may change is kept: it has to run now, within `around`. None: that is still to be done."""


async def weigh(shop: Workshop, call: ToolCall) -> Weighed:
    """Judge a call. What runs unasked, and what no hook has a say in, has begun then."""
    may_begin = not shop.hooks.has("before_tool")
    return await _in_thread(lambda: _weigh(shop, call, may_begin), lambda weighed: weighed.begun)


async def weigh_again(
    shop: Workshop, call: ToolCall, answer: Answer, asked_about: tuple[Path, ...] | None
) -> tuple[Verdict, Sequence[Note]]:
    """What holds once the user has answered. A call that they edited is checked again, by the hooks too, but not asked
    about again.

    `asked_about` are the paths of the call that they saw; None when they wrote others themselves.
    """
    if answer.decision == "no":
        return Verdict("deny", answer.reason or "the user said no"), ()
    _, verdict, notes, _ = await asyncio.to_thread(_weigh, shop, call, False)
    if verdict.action != "deny" and asked_about not in (None, verdict.places):
        return Verdict("deny", "while you were asked, a path of it came to lead elsewhere"), ()
    if asked_about is None:
        verdict, _ = await before(shop.hooks, call, verdict)
    return verdict if verdict.action == "deny" else replace(verdict, action="allow"), notes


async def begin(shop: Workshop, tool: Tool, places: Sequence[Path]) -> Begun | None:
    """Keep what an allowed call may change. It has to run then, within `around`."""
    keeper = shop.keeper
    if keeper is None or tool.effect not in CHANGING:  # without a way into a thread
        return None
    return await _in_thread(lambda: keeper.begin(tool, places), lambda begun: begun)


def _weigh(shop: Workshop, call: ToolCall, may_begin: bool) -> Weighed:
    if why := about_unread(call):
        return Weighed(None, Verdict("deny", why))
    tool = shop.toolbox.get(call.name)
    if tool is None:
        tools = ", ".join(shop.toolbox.names) or "none"
        return Weighed(None, Verdict("deny", f"There is no tool {call.name!r}. The tools are: {tools}."))
    if call.raw is not None:
        problem = f"The arguments of {call.name} must be one JSON object, but were: {call.raw[:500]}"
        return Weighed(None, Verdict("deny", problem))
    if problem_found := validate(tool, call.arguments):
        return Weighed(None, Verdict("deny", problem_found))
    verdict = shop.permissions.approvals.judge(tool, call.arguments)
    if verdict.action == "allow" and tool.effect == "run" and shop.keeper is not None and shop.keeper.has_outgrown:
        verdict = replace(verdict, action="ask", reason=_OUTGROWN)
    if verdict.action == "deny":
        return Weighed(tool, verdict)
    notes = shop.project.notes_for(verdict.places) if shop.project is not None else ()
    keeper = shop.keeper if may_begin and verdict.action == "allow" and tool.effect in CHANGING else None
    begun = keeper.begin(tool, verdict.places) if keeper is not None else None
    if begun is not None and keeper is not None and tool.effect == "run" and keeper.has_outgrown:  # that shows only now
        begun.end()
        return Weighed(tool, replace(verdict, action="ask", reason=_OUTGROWN), notes)
    return Weighed(tool, verdict, notes, begun)


async def _in_thread(work: Callable[[], T], begun_of: Callable[[T], Begun | None]) -> T:
    """What `work` gives. Cancelled meanwhile, what has begun in the thread is ended."""
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:

        def end(done: asyncio.Future[T]) -> None:
            if not done.cancelled() and done.exception() is None and (begun := begun_of(done.result())):
                loop.run_in_executor(None, begun.end)

        future.add_done_callback(end)
        raise
