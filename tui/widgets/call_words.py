"""What a tool call is about, on one line."""

from __future__ import annotations

import json
import re

from tui.core.messages import Json
from tui.core.text import clean_line, reveal_line

_TELLING = ("command", "pattern", "glob", "query", "url", "question", "path", "name", "text")
"""Arguments that say most of a call, the first that is there."""

_FILES = re.compile(r"(?m)^(?:\*\*\* (?:Update|Add|Delete) File: *|\+\+\+ b/)(.+)$")
_FILES_SHOWN = 3


def call_words(name: str, arguments: Json, raw: str | None = None) -> str:
    """Cleaned for the terminal; `arguments` may be whatever the model wrote."""
    if raw is not None:
        return reveal_line(raw)
    if name == "todo" and isinstance(items := arguments.get("items"), list):
        return plan_words(items)
    if name == "present_plan" and isinstance(steps := arguments.get("steps"), list):
        count, summary = f"{len(steps)} step{'s' * (len(steps) != 1)}", arguments.get("summary")
        return reveal_line(f"{count}: {summary}" if isinstance(summary, str) and summary.strip() else count)
    if name == "apply_patch" and isinstance(patch := arguments.get("patch"), str):
        if files := _FILES.findall(patch):
            more = f" and {len(files) - _FILES_SHOWN} more" if len(files) > _FILES_SHOWN else ""
            return reveal_line(", ".join(files[:_FILES_SHOWN]) + more)
        return reveal_line(patch)
    if name == "delegate" and isinstance(task := arguments.get("task"), str):
        return reveal_line(f"{arguments.get('agent') or 'explore'}: {task}")
    if isinstance(number := arguments.get("id"), int):
        text = arguments.get("text")
        return reveal_line(f"{number}: {text}" if isinstance(text, str) else str(number))
    for key in _TELLING:
        if isinstance(arguments.get(key), str):
            return reveal_line(arguments[key])
    return reveal_line(json.dumps(arguments, ensure_ascii=False)) if arguments else ""


def plan_words(items: list[object]) -> str:
    """`2 of 5 done`."""
    states = [item.get("state") for item in items if isinstance(item, dict)]
    return f"{states.count('done')} of {len(items)} done"


def is_denial(detail: Json, result: str) -> bool:
    """Whether a rule, a hook or the user did not let a call run. One that no tool can take has failed."""
    return detail.get("refused") is True and result.startswith("Not allowed")


def presented_lines(name: str, arguments: Json) -> list[str]:
    """The steps of a plan that the user is asked about, as `plan_lines`; none for other calls."""
    steps = arguments.get("steps") if name == "present_plan" else None
    return plan_lines([{"text": step} for step in steps] if isinstance(steps, list) else None)


def plan_lines(plan: object) -> list[str]:
    """The points of a plan, each on a line behind its mark; `plan` is the `todo` of a tool's detail."""
    marks = {"done": "✓", "active": "▸"}
    if not isinstance(plan, list):
        return []
    return [
        f"{marks.get(str(item.get('state')), '○')} {clean_line(str(item.get('text', '')))}"
        for item in plan
        if isinstance(item, dict)
    ]
