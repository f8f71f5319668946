"""The time that a turn may take, without what it waits for its user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TimeLimit:
    """Calls `expired` once the seconds are over (None: never). It belongs to the event loop."""

    def __init__(self, seconds: float | None, expired: Callable[[], object]) -> None:
        self._left_s, self._expired = seconds, expired
        self._timer: asyncio.TimerHandle | None = None
        self._holders = 0

    def start(self) -> None:
        if self._left_s is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._left_s, self._expired)

    def stop(self) -> None:
        """Keep what is left, for another start."""
        if self._timer is not None:
            self._left_s = max(0.0, self._timer.when() - asyncio.get_running_loop().time())
            self._timer.cancel()
            self._timer = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Time does not pass meanwhile."""
        self._holders += 1
        self.stop()
        try:
            yield
        finally:
            self._holders -= 1
            if self._holders == 0:
                self.start()
