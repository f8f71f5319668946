"""What was done, in our own words: where the model cannot be asked to say it, and when a limit ends a turn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tui.core.compaction import earlier_summary, is_opening
from tui.core.messages import Message, ToolCall

_WORDS_CHARACTERS, _ASKED_CHARACTERS = 600, 200
_MOST_FILES = 12
_TASK, _ASKED, _DONE, _SAID = "Task", "Asked since", "Done since", "Said last"
_KEPT = (_TASK, "Decisions", "Files", "Open points")
"""What a model's summary has, see `compaction`: a failure after it must not lose that."""
_KEPT_CHARACTERS, _SINCE_CHARACTERS = 1500, 1000
"""Of each of those, and of each that is added to it: so it does not grow however often there is no new summary."""
_HEADING = re.compile(
    rf"^[\s#*\d.]*(?P<name>{'|'.join((*_KEPT, _ASKED, _DONE, 'Done so far', _SAID))})\b[*\s]*(?::[*\s]*(?P<rest>.*)|$)",
    re.IGNORECASE,
)


def digest(messages: Sequence[Message]) -> str:
    """A summary of a conversation without a model: what the user wanted, what was called, what was said last.

    What an earlier summary says is kept, bounded, with what was done since.
    """
    earlier = earlier_summary(messages)
    since = [message for message in messages if not is_opening(message)]
    asked = [message.words.strip() for message in since if message.role == "user" and message.words.strip()]
    said = [message.text.strip()[:_WORDS_CHARACTERS] for message in since if message.role == "assistant"]
    done = done_so_far(call for message in messages for call in message.tool_calls)
    last = next(filter(None, reversed(said)), "")
    if earlier:
        return _added_to(_sections(earlier), asked[-1] if asked else "", done, last)
    parts = [(_TASK, asked[-1][:_WORDS_CHARACTERS] if asked else ""), ("Done so far", done), (_SAID, last)]
    return _written(parts) or "Nothing was said yet."


def _added_to(earlier: dict[str, str], asked: str, done: str, said: str) -> str:
    """The earlier summary, with what came since at the end of it; of that the newest part stays."""
    parts = [(name, _beginning(earlier.get(name, ""))) for name in _KEPT]
    for name, more in ((_ASKED, asked[:_ASKED_CHARACTERS]), (_DONE, done)):
        parts.append((name, _end("\n".join(filter(None, (earlier.get(name, ""), more))))))
    parts.append((_SAID, said or earlier.get(_SAID, "")[:_WORDS_CHARACTERS]))
    return _written(parts)


def _sections(summary: str) -> dict[str, str]:
    """What a summary says under each heading; what stands before the first counts as the task."""
    names = {name.lower(): name for name in (*_KEPT, _ASKED, _DONE, _SAID)} | {"done so far": _DONE}
    lines: dict[str, list[str]] = {}
    name = _TASK
    for line in summary.splitlines():
        if heading := _HEADING.match(line):
            name, line = names[heading["name"].lower()], heading["rest"] or ""
        lines.setdefault(name, []).append(line)
    return {name: "\n".join(found).strip() for name, found in lines.items()}


def _written(parts: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"## {name}\n{text}" for name, text in parts if text)


def _beginning(text: str) -> str:
    return text if len(text) <= _KEPT_CHARACTERS else f"{text[:_KEPT_CHARACTERS].rstrip()} [...]"


def _end(text: str) -> str:
    return text if len(text) <= _SINCE_CHARACTERS else f"[...] {text[-_SINCE_CHARACTERS:].lstrip()}"


def done_so_far(calls: Iterable[ToolCall]) -> str:
    """The calls by tool, and the files that were changed; empty without any."""
    counts: Counter[str] = Counter()
    files: dict[str, None] = {}
    for call in calls:
        counts[call.name] += 1
        path = call.arguments.get("path")
        if call.name in ("edit_file", "write_file") and isinstance(path, str):
            files[path] = None
    if not counts:
        return ""
    listed = ", ".join(f"{name} {count}x" for name, count in counts.most_common())
    changed = list(files)
    if not changed:
        return f"calls: {listed}"
    more = f" and {len(changed) - _MOST_FILES} more" if len(changed) > _MOST_FILES else ""
    return f"calls: {listed}; changed: {', '.join(changed[:_MOST_FILES])}{more}"
