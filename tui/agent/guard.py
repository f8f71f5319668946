"""The loop guard: a model that goes round in circles is told so, then stopped."""

from __future__ import annotations

import re
from collections import Counter

from tui.core.codec import dumps
from tui.core.events import CUT, StepFinished, ToolFinished
from tui.core.messages import ToolCall

TELL_AT = 3
STOP_AT = 6
_INVALID_IN_A_ROW = 10
_ANSWERS_AGAIN = 3
"""So often a reply that went round in circles, that promised calls and made none, or whose calls were cut, is asked for
once more."""
_TELL_OF_SILENCE_AT, _MOST_SILENT_READS = 10, 100
"""Reads in a row of a command in the background that still runs and says nothing. Each waits, up to 40 s."""
# What differs from one run of the same command to the next, and means nothing.
_PASSING = re.compile(
    r"\b\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds|minutes)\b|\b0x[0-9a-f]{6,}\b|\b\d\d:\d\d:\d\d(?:\.\d+)?\b"
)


class LoopGuard:
    """Counts what comes back unchanged within one turn: calls and results, files as they were, lost replies."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._in_step: set[tuple[str, str, str]] = set()  # what was counted of this step: it knew of none of them
        self._stale = 0  # calls in a row that brought nothing new
        self._silent = 0  # reads in a row of a command that goes on in silence
        self._returns = 0  # changes in a row that only made files what they were before
        self._asked_again = 0
        self._invalid = 0  # calls in a row that were none
        self._cut = 0  # replies in a row whose calls were cut
        self.stuck = ""
        """Why the turn has to end, in words; empty while it does not."""

    def advise(self, call: ToolCall, end: ToolFinished) -> str:
        """The result of a call as the model gets it: with a word about it when it is not the first time.

        A check that says the same after each of many edits is work: only who does nothing new in between goes round.
        """
        self._count_invalid(end)
        result, about_files = end.result, self._about_files(end)
        key = (call.name, dumps(sorted(call.arguments.items())), _PASSING.sub("", result))
        if key in self._in_step:
            return result + about_files
        self._in_step.add(key)
        self._seen[key] += 1
        times = self._seen[key]
        if times > 1 and _still_runs(call, end):
            return result + self._about_silence()
        self._silent = 0
        self._stale = self._stale + 1 if times > 1 else 0
        if times >= STOP_AT and self._stale >= STOP_AT - 1:
            self.stuck = f"the model made the same call {times} times with the same result"
        if times >= TELL_AT and self._stale >= TELL_AT - 1:
            return (
                f"{result}\n\n[This exact call has been made {times} times with this same result. "
                "Do something else, or answer with what you know.]"
            )
        return result + about_files

    def see(self, step: StepFinished) -> None:
        """Take in a finished step: calls that are cut again and again end the turn."""
        self._in_step.clear()
        self._cut = self._cut + 1 if step.message.tool_calls and step.finish_reason in CUT else 0
        if self._cut > _ANSWERS_AGAIN:
            self.stuck = f"the model's calls were cut {self._cut} times in a row, as it can write no more at once"

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

    def _count_invalid(self, end: ToolFinished) -> None:
        """Too many calls in a row that no tool could take end the turn."""
        self._invalid = self._invalid + 1 if end.detail.get("invalid") else 0
        if self._invalid >= _INVALID_IN_A_ROW:
            self.stuck = f"the model made {self._invalid} calls in a row that no tool can take"

    def _about_silence(self) -> str:
        """A word on a command that is read again and again while it runs on and says nothing."""
        self._silent += 1
        if self._silent >= _MOST_SILENT_READS:
            self.stuck = f"a command in the background was read {self._silent} times and said nothing new"
        if self._silent < _TELL_OF_SILENCE_AT:
            return ""
        return f"\n\n[It has said nothing new {self._silent} times. If it hangs, stop it with stop_command.]"

    def _about_files(self, end: ToolFinished) -> str:
        """A word on changes that only make files what they were before in this turn, from the second on."""
        changed, came_back = end.detail.get("changed", ()), end.detail.get("came_back", ())
        if not changed:
            return ""
        self._returns = self._returns + 1 if len(came_back) == len(changed) else 0
        names = ", ".join(came_back[:3])
        if self._returns >= STOP_AT:
            self.stuck = f"the model's changes undid each other {self._returns} times ({names})"
        if self._returns < TELL_AT - 1:
            return ""
        return (
            f"\n\n[This change made {names} what it was before in this turn, for the {_ordinal(self._returns)} time in "
            "a row. Decide, and go on.]"
        )


def _still_runs(call: ToolCall, end: ToolFinished) -> bool:
    """Whether a call only waited for a command in the background, which goes on."""
    background = end.detail.get("background")
    return call.name == "read_command" and isinstance(background, dict) and background.get("state") == "running"


def _ordinal(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"
