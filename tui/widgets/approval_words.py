"""What a question shows and takes as text: the call, the rule, and the call as it was edited."""

from __future__ import annotations

import json
import re

from tui.core.messages import Json, ToolCall
from tui.core.text import reveal
from tui.widgets.line_view import Line, diff_lines, lines_of

_LONG_BLANK = re.compile(r"(?<=\S)[^\S\n]{9,}|[^\S\n]{41,}")
"""Blanks that could push what follows out of sight. At the beginning of a line they may be an indentation."""
_FILE_TEXTS = {"write_file": "content", "apply_patch": "patch"}
"""The argument of a tool that is text of its own."""
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n){3,}")


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
    is_shown_as_diff, preview = is_diff(preview), reveal(preview)
    if is_shown_as_diff:
        return diff_lines(_LONG_BLANK.sub(_counted, preview))
    return lines_of(with_blanks_counted(preview).rstrip("\n"))


def is_diff(preview: str) -> bool:
    return preview.startswith("--- ") and "\n+++ " in preview


def with_blanks_counted(text: str) -> str:
    """`text` with each long run of blanks or empty lines replaced by their number, which hides nothing."""
    text = _EMPTY_LINES.sub(lambda run: f"\n⟨{run[0].count(chr(10)) - 1} empty lines⟩\n", text)
    return _LONG_BLANK.sub(_counted, text)


def _counted(run: re.Match[str]) -> str:
    kinds = {" ": "spaces", "\t": "tabs"}
    kind = kinds.get(run[0][0], "blanks") if len(set(run[0])) == 1 else "blanks"
    return f" ⟨{len(run[0])} {kind}⟩ "


def editable(call: ToolCall) -> str:
    """What the user edits: the words of the call, the steps of a plan as lines, else all as JSON. Cleaned."""
    if isinstance(steps := call.arguments.get("steps"), list):
        return "\n".join(reveal(" ".join(str(step).split())) for step in steps)
    if words := _words(call):
        return reveal(call.arguments[words])
    return reveal(json.dumps(call.arguments, indent=2, ensure_ascii=False))


def _words(call: ToolCall) -> str:
    """The argument that is edited alone, as the text that it is; empty: all are edited.

    Of what goes into a file only text that is seen as it is: in JSON what cannot be seen can be kept.
    """
    if isinstance(call.arguments.get("command"), str):
        return "command"
    name = _FILE_TEXTS.get(call.name, "")
    text = call.arguments.get(name)
    return name if isinstance(text, str) and reveal(text) == text else ""


def edited(call: ToolCall, text: str) -> Json:
    """The arguments as the user wants them: as they see them, unless they changed nothing. Raises ValueError."""
    arguments = call.arguments
    if text == editable(call):
        return arguments
    if isinstance(arguments.get("steps"), list):
        if not (steps := [line.strip() for line in text.splitlines() if line.strip()]):
            raise ValueError("no step is left: refuse the plan instead (esc, then r)")
        return {**arguments, "steps": steps}
    if words := _words(call):
        if words == "command" and not text.strip():
            raise ValueError("the command is empty")
        return {**arguments, words: text}
    edited = json.loads(text)
    if not isinstance(edited, dict):
        raise ValueError("it must be one JSON object")
    return edited
