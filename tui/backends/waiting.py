"""How long to wait before a request is sent again."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from tui.core.errors import BackendError

LONGEST_S = 60.0
"""A server that wishes more is not waited for in silence: the error says how long, and the user decides."""
SEARCHED_LIMIT = 20_000
"""Characters of a reply in which signs are looked for."""
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_SECONDS_IN_TEXT = re.compile(r"retry[_-]?after[\"']?\s*[:=]\s*[\"']?(\d+(?:\.\d+)?)[\"']?\s*[,}\n]", re.IGNORECASE)
"""A field of its own in the body, a bare number of seconds."""
_IN_TEXT = re.compile(
    r"(?:(?:try again|retry) in|retry[ _-]?after|retrydelay)[\s\"':=]*((?:\d+(?:\.\d+)?\s*(?:ms|s|m|h)[a-z]*\s*)+)",
    re.IGNORECASE,
)


def wait_before_retry_s(error: BackendError, retried: int) -> float | None:
    """Seconds until the next try after `retried` earlier ones; None: longer than is waited in silence."""
    if error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= LONGEST_S else None
    first_s, longest_s = {"overloaded": (2.0, LONGEST_S), "loading": (0.5, 2.0)}.get(error.kind, (0.5, 8.0))
    # Not all at once: the clients that were refused together would come back together.
    return min(first_s * 2.0 ** min(retried, 16), longest_s) * random.uniform(0.75, 1.0)  # noqa: S311


def wanted_wait_s(headers: Mapping[str, str], body: str, now: float | None = None) -> float | None:
    """The seconds that a server wishes us to wait, from wherever it says so; never negative."""
    now = time.time() if now is None else now
    found = next((seconds for seconds in _wishes(headers, body, now) if seconds is not None), None)
    return None if found is None else max(0.0, found)


def _wishes(headers: Mapping[str, str], body: str, now: float) -> Iterator[float | None]:
    milliseconds = _number(headers.get("retry-after-ms"))
    yield None if milliseconds is None else milliseconds / 1000
    yield _number(headers.get("retry-after"))
    yield _date(headers.get("retry-after"), now)
    # Of requests, tokens and so on each has its own, and all have to be there again.
    resets = [_reset(value, now) for name, value in headers.items() if _is_used_up(name, headers)]
    yield max((seconds for seconds in resets if seconds is not None), default=None)
    if found := _IN_TEXT.search(body[:SEARCHED_LIMIT]):
        yield _duration(found[1].lower())
    elif found := _SECONDS_IN_TEXT.search(body[:SEARCHED_LIMIT]):
        yield float(found[1])


def _is_used_up(name: str, headers: Mapping[str, str]) -> bool:
    """A header tells the end of a limit of which nothing remains."""
    is_reset = "ratelimit" in name and "reset" in name
    return is_reset and _number(headers.get(name.replace("reset", "remaining"))) == 0


def _reset(value: str, now: float) -> float | None:
    """`1m30s`, `20ms`, a date, seconds from now, or an epoch in seconds or milliseconds."""
    number = _number(value)
    if number is None:
        return _date(value, now) if _DURATION.match(value) is None else _duration(value)
    if number > 1e12:
        return number / 1000 - now
    return number - now if number > 1e9 else number


def _duration(text: str) -> float:
    return sum(float(number) * _UNITS_S[unit] for number, unit in _DURATION.findall(text))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None


def _date(text: str | None, now: float) -> float | None:
    """Seconds until an HTTP or RFC 3339 date."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # 5 ms, seldom needed

    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = parse(text)
        except ValueError:
            continue
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return None
