"""What happens around a tool call: the user's hooks, and the notes of folders that it touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.agent.approvals import Verdict
from tui.agent.hooks import Hooks, Said
from tui.agent.project.notes import Note
from tui.agent.project.project import Project
from tui.core.events import ToolFinished
from tui.core.messages import ToolCall


async def before(hooks: Hooks, call: ToolCall, verdict: Verdict) -> tuple[Verdict, Sequence[str]]:
    """The verdict on a valid call as the hooks leave it, never a milder one; and what failed, for the user."""
    if verdict.action == "deny" or not hooks.has("before_tool"):
        return verdict, ()
    said = await hooks.tell("before_tool", {"tool": call.name, "arguments": call.arguments}, call.name)
    return _stricter(verdict, said), said.problems


async def after(
    hooks: Hooks, project: Project | None, call: ToolCall, notes: Sequence[Note], end: ToolFinished
) -> tuple[ToolFinished, Sequence[str]]:
    """The end of a call with what hooks say of it and with new notes of the folders that it touched; what failed."""
    parts, detail = [end.result], end.detail
    problems: Sequence[str] = ()
    if hooks.has("after_tool"):
        given = {"tool": call.name, "arguments": call.arguments, "result": end.result, "is_error": end.is_error}
        said = await hooks.tell("after_tool", given, call.name)
        problems = said.problems
        parts += [f"[A hook of the user's says: {said.message}]"] if said.message else []
    if project is not None and (new := project.give(notes)):
        parts += [f"[Notes that the project keeps in {note.name}:\n{note.text}]" for note in new]
        detail = {**detail, "notes": [note.name for note in new]}
    return (replace(end, result="\n".join(parts), detail=detail) if len(parts) > 1 else end), problems


def _stricter(verdict: Verdict, said: Said) -> Verdict:
    if said.decision == "deny":
        return replace(verdict, action="deny", reason=said.message or "a hook of the user's says no")
    if said.decision == "ask":
        reason = said.message or "a hook of the user's wants it asked about"
        if verdict.action == "ask":
            return replace(verdict, reason=f"{verdict.reason}; {reason}")
        return replace(verdict, action="ask", reason=reason, rule=None)
    return verdict
