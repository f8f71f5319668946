"""The loop guard: a model that goes round in circles is told so, then stopped."""

from __future__ import annotations

import re
from collections import Counter

from tui.core.codec import dumps
from tui.core.events import StepFinished, ToolFinished
from tui.core.messages import ToolCall

TELL_AT = 3
STOP_AT = 6
_INVALID_IN_A_ROW = 10
_ANSWERS_AGAIN = 3
"""So often a reply that went round in circles, or that promised calls and made none, is asked for once more."""
# What differs from one run of the same command to the next, and means nothing.
_PASSING = re.compile(
    r"\b\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds|minutes)\b|\b0x[0-9a-f]{6,}\b|\b\d\d:\d\d:\d\d(?:\.\d+)?\b"
)


class LoopGuard:
    """Counts what comes back unchanged within one turn: calls with their results, edits undone, replies that spiral."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._stale = 0  # calls in a row that brought nothing new
        self._last_edit: dict[str, tuple[str, str]] = {}
        self._undone: Counter[str] = Counter()
        self._asked_again = 0
        self._invalid = 0  # calls in a row that were none
        self.stuck = ""
        """Why the turn has to end, in words; empty while it does not."""

    def advise(self, call: ToolCall, result: str) -> str:
        """`result` as the model gets it: with a word about it when it is not the first time.

        A check that says the same after each of many edits is work: only who does nothing new in between goes round.
        """
        key = (call.name, dumps(sorted(call.arguments.items())), _PASSING.sub("", result))
        self._seen[key] += 1
        times = self._seen[key]
        self._stale = self._stale + 1 if times > 1 else 0
        if times >= STOP_AT and self._stale >= STOP_AT - 1:
            self.stuck = f"the model made the same call {times} times with the same result"
        if times >= TELL_AT and self._stale >= TELL_AT - 1:
            return (
                f"{result}\n\n[This exact call has been made {times} times with this same result. "
                "Do something else, or answer with what you know.]"
            )
        return result + self._about_edits(call)

    def see(self, end: ToolFinished) -> None:
        """Take in how a call ended: too many in a row that no tool could take end the turn."""
        self._invalid = self._invalid + 1 if end.detail.get("invalid") else 0
        if self._invalid >= _INVALID_IN_A_ROW:
            self.stuck = f"the model made {self._invalid} calls in a row that no tool can take"

    def ask_again(self, step: StepFinished) -> str:
        """What to tell the model of a reply that cannot be used; empty for one that can, or when it was told enough."""
        reason = step.finish_reason
        if reason in ("repetition", "repetition_truncation"):
            words = "Your last reply said the same over and over, so it was cut. Go on without repeating yourself."
        elif reason == "tool_calls" and not step.message.tool_calls:
            words = "You announced a tool call, but none came. Make the call, or answer without one."
        else:
            return ""
        self._asked_again += 1
        if self._asked_again > _ANSWERS_AGAIN:
            self.stuck = f"the model's replies could not be used, {self._asked_again} in this turn ({reason})"
            return ""
        return f"[{words}]"

    def _about_edits(self, call: ToolCall) -> str:
        """A word on an edit that takes back the one before it in the same file, from the second time on."""
        path, old, new = (call.arguments.get(name) for name in ("path", "old", "new"))
        if call.name != "edit_file" or not (isinstance(path, str) and isinstance(old, str) and isinstance(new, str)):
            return ""
        is_undone = self._last_edit.get(path) == (new, old)
        self._last_edit[path] = (old, new)
        if not is_undone:
            return ""
        self._undone[path] += 1
        if self._undone[path] >= STOP_AT:
            self.stuck = f"the model's edits of {path} undid each other {self._undone[path]} times"
        if self._undone[path] < TELL_AT - 1:
            return ""
        time = f"{_ordinal(self._undone[path])} time"
        return f"\n\n[This edit takes back the one before it, for the {time}. Decide, and go on.]"


def _ordinal(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"
