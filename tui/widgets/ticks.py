"""The moments at which what changes by itself is drawn: the same for all widgets, so that one frame serves them all."""

from __future__ import annotations

import time

PERIOD_S = 1 / 12


def until_tick_s() -> float:
    """Seconds until the next of 12 moments a second."""
    return PERIOD_S - time.monotonic() % PERIOD_S
