"""Runs a tool as a turn does: arguments checked first, pieces and outcome told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tui.tools.base import Outcome, Tool, ToolContext
from tui.tools.desk import Desk
from tui.tools.registry import validate
from tui.tools.sandbox import Sandbox


async def outcome_of(
    tool: Tool,
    folder: Path,
    *,
    sandbox: Sandbox | None = None,
    pieces: list[str] | None = None,
    desk: Desk | None = None,
    **arguments: Any,
) -> Outcome:
    """The outcome, which must come last and once; output goes to `pieces`. `desk`: of calls that know each other."""
    problem = validate(tool, arguments)
    assert problem is None, problem
    outcomes: list[Outcome] = []
    async for piece in tool.run(arguments, context_of(folder, sandbox, desk)):
        assert not outcomes, "something came after the outcome"
        if isinstance(piece, Outcome):
            outcomes.append(piece)
        elif pieces is not None:
            pieces.append(piece)
    assert len(outcomes) == 1
    outcomes[0].content.encode()  # it can be sent
    return outcomes[0]


async def content_of(tool: Tool, folder: Path, **arguments: Any) -> str:
    """The content of an outcome that must be good."""
    outcome = await outcome_of(tool, folder, **arguments)
    assert not outcome.is_error, outcome.content
    return outcome.content


async def error_of(tool: Tool, folder: Path, **arguments: Any) -> str:
    """The content of an outcome that must be an error: a sentence, no traceback."""
    outcome = await outcome_of(tool, folder, **arguments)
    assert outcome.is_error, outcome.content
    assert "Traceback" not in outcome.content and "Errno" not in outcome.content
    return outcome.content


def preview_of(tool: Tool, folder: Path, desk: Desk | None = None, **arguments: Any) -> str:
    return tool.preview(arguments, context_of(folder, None, desk))


def context_of(folder: Path, sandbox: Sandbox | None, desk: Desk | None) -> ToolContext:
    return ToolContext(folder, sandbox, command_timeout_s=20, desk=desk or Desk())


def desk_that_knows(*paths: Path) -> Desk:
    """A desk on which these files were read already."""
    desk = Desk()
    for path in paths:
        desk.seen.saw(path.resolve())
    return desk
