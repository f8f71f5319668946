"""Tokens, time and money of a step. What is not known is None, never zero."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; None where it did not say."""

    input_tokens: int | None = None
    """All of the prompt, cached tokens included."""
    output_tokens: int | None = None
    """All that was made, reasoning included."""
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    """USD, where the server itself names the cost of the request."""
    written_tokens: int | None = None
    """Of the prompt, what was put into the server's cache, where it charges for that (Claude)."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD a million tokens. `cached` None: cached tokens cost as much as others; `written`: so do those put there."""

    input: float
    output: float
    cached: float | None = None
    written: float | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """When a step's request began (seconds since the epoch) and how long it took, in seconds."""

    started: float
    first_token_s: float | None
    """Until the first text, reasoning or tool call; None if nothing came."""
    total_s: float


def cost_of(usage: Usage, price: Price | None) -> float | None:
    """What a step cost in USD: the server's own figure, else tokens times price; None when either is unknown."""
    if usage.cost is not None:
        return usage.cost
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    written = min(usage.written_tokens or 0, usage.input_tokens - cached)
    fresh = usage.input_tokens - cached - written
    spent = fresh * price.input + usage.output_tokens * price.output
    spent += cached * (price.input if price.cached is None else price.cached)
    spent += written * (price.input if price.written is None else price.written)
    return spent / 1e6
