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


@dataclass(frozen=True, slots=True)
class Price:
    """USD a million tokens. `cached` None: cached tokens cost as much as others."""

    input: float
    output: float
    cached: float | None = None


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
    cached_price = price.input if price.cached is None else price.cached
    fresh = usage.input_tokens - cached
    return (fresh * price.input + cached * cached_price + usage.output_tokens * price.output) / 1e6
