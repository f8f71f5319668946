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
}
"""Claude Code's, Codex's, Cline's, Gemini's and OpenCode's names."""
_NEEDLESS = ("output_mode", "head_limit", "-n", "type", "ignore", "line_count", "requires_approval")
"""Parameters that ours do without."""
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
    around = [ours.pop(key) for key in ("-A", "-B", "-C") if isinstance(ours.get(key), int)]
    return ours | ({"context": max(around)} if around else {})


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
