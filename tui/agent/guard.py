"""The loop guard: a model that makes the same call again and again is told so, then stopped."""

from __future__ import annotations

from collections import Counter

from tui.core.codec import dumps
from tui.core.messages import ToolCall

TELL_AT = 3
STOP_AT = 6


class LoopGuard:
    """Counts identical calls with identical results within one turn."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self.is_stuck = False
        """Whether a call had the same result for the sixth time."""

    def advise(self, call: ToolCall, result: str) -> str:
        """`result` as the model gets it: from the third time on with a word about it."""
        key = (call.name, dumps(sorted(call.arguments.items())), result)
        self._seen[key] += 1
        times = self._seen[key]
        self.is_stuck = self.is_stuck or times >= STOP_AT
        if times < TELL_AT:
            return result
        return (
            f"{result}\n\n[This exact call has been made {times} times with this same result. "
            "Do something else, or answer with what you know.]"
        )
