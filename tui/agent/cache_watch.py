"""Looks after the server's prompt cache: cached input costs a hundredth of fresh, so a lost prefix is worth a word."""

from __future__ import annotations

import time

from tui.core.events import StepFinished
from tui.core.messages import Origin
from tui.core.usage import Price

_WORTH_TOKENS = 4096
"""Less than this is not worth a word, and many servers cache only from some size on."""
_KEPT_S = 240.0
"""How long a server surely keeps a prefix; vendors say 5 minutes and more."""
_NEVER = 3
"""So many misses in a row of a server that has not had a hit yet: a cache may take a moment to be there."""
_MISS = 0.5
"""Of what was sent before: less than this from the cache is a miss."""


class CacheWatch:
    """Sees the steps of a session in order, and says what they tell of the server's cache."""

    def __init__(self) -> None:
        self._origin: Origin | None = None
        self._tokens = 0  # that the server has read: the last request and its reply
        self._at = 0.0
        self._caches: set[Origin] = set()  # servers that have said that something came from their cache
        self._is_new_prefix = True
        self._is_told = False  # that the cache misses; once is enough while it does
        self._misses = 0  # in a row

    def prefix_changed(self) -> None:
        """What follows begins otherwise than what the server has read: it was made shorter, or the tools are others."""
        self._is_new_prefix = True

    def before(self, origin: Origin, price: Price | None) -> str:
        """What going on with another backend costs, in words; empty when it is the same or there is little to read."""
        last, self._is_new_prefix = self._origin, self._is_new_prefix or origin != self._origin
        if last is None or last == origin or self._tokens < _WORTH_TOKENS:
            return ""
        cost = "" if price is None else f", about ${self._tokens * price.input / 1e6:.4f}"
        return (
            f"{origin.backend} has not read this conversation yet: about {self._tokens:,} tokens are sent anew{cost}."
        )

    def after(self, step: StepFinished, price: Price | None) -> str:
        """A word when the cache should have held the beginning of this request, and did not; else empty.

        Where cached tokens have a price of their own, a server which never has any is worth a word too.
        """
        usage, origin = step.usage, step.message.origin
        if origin is None or usage.input_tokens is None:
            return ""
        began = step.timings.started
        should = self._tokens if origin == self._origin and not self._is_new_prefix else 0
        words, is_cheaper = "", price is not None and price.cached is not None
        if usage.cached_tokens:
            self._caches.add(origin)
        is_miss = (usage.cached_tokens or 0) < should * _MISS
        if should >= _WORTH_TOKENS and began - self._at < _KEPT_S and is_miss:
            self._misses += 1
            never_hits = is_cheaper and usage.cached_tokens == 0 and self._misses >= _NEVER
            if not self._is_told and (origin in self._caches or never_hits):
                words = (
                    f"The server's cache should have held about {should:,} tokens of this request, and held "
                    f"{usage.cached_tokens or 0:,}: the rest was paid for as new."
                )
                self._is_told = True
        elif should:
            self._is_told, self._misses = False, 0
        self._origin, self._at, self._is_new_prefix = origin, time.time(), False
        self._tokens = usage.input_tokens + (usage.output_tokens or 0)
        return words
