"""What is said while a request waits to be sent again, second by second."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui.core.events import Retrying


@dataclass(frozen=True, slots=True)
class Countdown:
    """A retry that comes at `due`, in seconds since the epoch."""

    event: Retrying
    due: float

    def left_s(self, now: float) -> int:
        """Whole seconds that are left, as they are shown: the last one is 1, then comes 0."""
        return max(0, math.ceil(self.due - now))

    def until_change_s(self, now: float) -> float | None:
        """Seconds until another one is to be shown; None when the time is over."""
        left = self.due - now
        return None if left <= 0 else left - (math.ceil(left) - 1) + 0.001

    def text(self, now: float) -> str:
        """`retrying in 12 s, try 2 of 5 (esc stops): too many requests`."""
        left, event = self.left_s(now), self.event
        when = f"retrying in {left} s" if left else "trying again"
        tries = f"try {event.attempt + 1}" + (f" of {event.limit + 1}" if event.limit is not None else "")
        return f"{when}, {tries} (esc stops): {event.error.message}"
