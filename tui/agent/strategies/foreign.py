"""Tools as other programs call them, which models were trained on: what is ours for them, and their arguments."""

from __future__ import annotations

import re
from typing import Any

from tui.core.messages import Json

TOOLS = {
    "Read": "read_file",
    "read": "read_file",
    "view": "read_file",
    "Write": "write_file",
    "write": "write_file",
    "write_to_file": "write_file",
    "Edit": "edit_file",
    "edit": "edit_file",
    "Bash": "run_command",
    "bash": "run_command",
    "shell": "run_command",
    "execute_command": "run_command",
    "run_shell_command": "run_command",
    "Grep": "search_files",
    "grep": "search_files",
    "Glob": "search_files",
    "glob": "search_files",
    "LS": "list_files",
    "ls": "list_files",
    "TodoWrite": "todo",
    "todowrite": "todo",
    "WebFetch": "fetch_url",
    "webfetch": "fetch_url",
    "Task": "delegate",
    "task": "delegate",
}
"""Claude Code's, Codex's, Cline's, Gemini's and OpenCode's names."""
_NEEDLESS = ("output_mode", "head_limit", "-n", "type", "ignore", "line_count", "requires_approval")
"""Parameters that ours do without."""
_THEIR_AGENTS = ("general-purpose", "general", "Explore", "explore", "Plan")
"""Subagents that come with other programs: here the usual one does their work."""
_STATES = {
    "pending": "pending",
    "active": "active",
    "in_progress": "active",
    "done": "done",
    "completed": "done",
    " ": "pending",
    ">": "active",
    "x": "done",
}
"""Of a task, in words and as its mark."""
_TASK_LINE = re.compile(r"\s*(?:[-*]\s+)?\[(?P<mark>[ x>])\]\s*(?P<text>.*)", re.DOTALL)
_SECONDS_LIMIT = 3600
_SHELLS = re.compile(r"(?:/(?:usr/)?bin/)?(?:ba|z)?sh")


def translated(name: str, arguments: Json) -> Json:
    """The arguments of a call by such a name as our tool has them. What cannot be said there stays as it is.

    Texts are taken over whole or not at all: a call that stands in a file is known again by them.
    """
    if name not in TOOLS:
        return arguments
    ours = {key: value for key, value in arguments.items() if key not in _NEEDLESS and value is not False}
    if name in ("Glob", "glob") and "pattern" in ours:
        ours["glob"] = ours.pop("pattern")
    if TOOLS[name] == "run_command":
        return _command(ours)
    if TOOLS[name] == "fetch_url":
        return {key: value for key, value in ours.items() if key not in ("prompt", "format", "timeout")}
    if TOOLS[name] == "delegate":
        return _delegated(ours)
    around = [ours.pop(key) for key in ("-A", "-B", "-C") if isinstance(ours.get(key), int)]
    return ours | ({"context": max(around)} if around else {})


def tasks(items: list[Any]) -> list[Any]:
    """The points of a plan as our tool has them: from words alone, and from what other programs have."""
    return [_task(item) for item in items]


def _task(item: Any) -> Any:
    if isinstance(item, str):
        line = _TASK_LINE.fullmatch(item)
        return {"text": line["text"], "state": _STATES[line["mark"]]} if line else {"text": item, "state": "pending"}
    if not isinstance(item, dict):
        return item
    text, state = item.get("text", item.get("content")), item.get("state", item.get("status", "pending"))
    return {"text": text, "state": _STATES.get(str(state), state)}


def _delegated(arguments: Json) -> Json:
    """The task of a subagent without its title, and whose name it is unless that is one of theirs."""
    names = {"prompt": "task", "subagent_type": "agent"}
    ours = {names.get(key, key): value for key, value in arguments.items() if key != "description"}
    if ours.get("agent") in _THEIR_AGENTS:
        del ours["agent"]
    return ours


def _command(arguments: Json) -> Json:
    """A command in one text instead of a shell and its arguments, and seconds instead of milliseconds."""
    ours: dict[str, Any] = dict(arguments)
    match ours.get("command"):
        case [str(shell), "-c" | "-lc", str(command)] if _SHELLS.fullmatch(shell):
            ours["command"] = command
    milliseconds = ours.pop("timeout_ms", None)
    if milliseconds is None and isinstance(given := ours.get("timeout"), int) and given > _SECONDS_LIMIT:
        milliseconds = given
    if isinstance(milliseconds, int):
        ours["timeout"] = min(max(1, milliseconds // 1000), _SECONDS_LIMIT)
    if ours.get("workdir") in ("", "."):
        del ours["workdir"]
    return ours
