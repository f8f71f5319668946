"""What a question shows and takes as text: the call, the rule, and the call as it was edited."""

from __future__ import annotations

import json

from tui.core.messages import Json
from tui.core.text import reveal
from tui.widgets.line_view import Line, diff_lines, lines_of


def rule_text(rule: Json) -> str:
    """All that a rule says, in words."""
    rest = dict(rule)
    tool, folder = rest.pop("tool", ""), rest.pop("folder", None)
    command, words, host = rest.pop("command", None), rest.pop("words", None), rest.pop("host", None)
    parts = [str(tool)]
    if command is not None:
        parts.append(f"`{command}`")
    if words is not None:
        parts.append(" ".join(str(word) for word in words))
    if host is not None:
        parts.append(str(host))
    parts += [f"{name}={value}" for name, value in rest.items() if value is not None]
    if folder is not None:
        parts.append(f"in {folder}")
    return reveal(" ".join(parts))


def without_folder(rule: Json) -> Json:
    """The rule for everywhere."""
    return {name: value for name, value in rule.items() if name != "folder"}


def preview_lines(preview: str) -> list[Line]:
    """What would happen, line by line."""
    is_diff = preview.startswith("--- ") and "\n+++ " in preview
    preview = reveal(preview)
    return diff_lines(preview) if is_diff else lines_of(preview.rstrip("\n"))


def editable(arguments: Json) -> str:
    """What the user edits: the command alone, the steps of a plan as lines, else all arguments as JSON. Cleaned."""
    if isinstance(steps := arguments.get("steps"), list):
        return "\n".join(reveal(" ".join(str(step).split())) for step in steps)
    command = arguments.get("command")
    return reveal(command if isinstance(command, str) else json.dumps(arguments, indent=2, ensure_ascii=False))


def edited(arguments: Json, text: str) -> Json:
    """The arguments as the user wants them: as they see them, unless they changed nothing. Raises ValueError."""
    if text == editable(arguments):
        return arguments
    if isinstance(arguments.get("steps"), list):
        if not (steps := [line.strip() for line in text.splitlines() if line.strip()]):
            raise ValueError("no step is left: refuse the plan instead (esc, then r)")
        return {**arguments, "steps": steps}
    if isinstance(arguments.get("command"), str):
        if not text.strip():
            raise ValueError("the command is empty")
        return {**arguments, "command": text}
    edited = json.loads(text)
    if not isinstance(edited, dict):
        raise ValueError("it must be one JSON object")
    return edited
