"""What was done, in our own words: where the model cannot be asked to say it, and when a limit ends a turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tui.core.messages import Message, ToolCall

_WORDS_CHARACTERS = 600
_MOST_FILES = 12


def digest(messages: Sequence[Message]) -> str:
    """A summary of a conversation without a model: what the user wanted, what was called, what was said last."""
    asked = [message.words.strip() for message in messages if message.role == "user" and message.words.strip()]
    said = [message.text.strip() for message in messages if message.role == "assistant" and message.text.strip()]
    parts = []
    if asked:
        parts.append(f"## Task\n{asked[-1][:_WORDS_CHARACTERS]}")
    if done := done_so_far(call for message in messages for call in message.tool_calls):
        parts.append(f"## Done so far\n{done}")
    if said:
        parts.append(f"## Said last\n{said[-1][:_WORDS_CHARACTERS]}")
    return "\n".join(parts) or "Nothing was said yet."


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
