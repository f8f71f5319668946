"""How long to wait before a request is sent again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.backends.waiting import wait_before_retry_s, wanted_wait_s
from tui.core.errors import BackendError

NOW = 1_764_072_000.0  # 2025-11-25 12:00:00 UTC


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after": "2.5"}, "", 2.5),
        ({"retry-after": "0"}, "", 0),
        ({"retry-after": "Tue, 25 Nov 2025 12:00:30 GMT"}, "", 30),
        ({"retry-after": "Tue, 25 Nov 2025 11:00:00 GMT"}, "", 0),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-5"}, "", None),
        ({}, '{"retryDelay": "17s"}', 17),
        ({}, "Please try again in 12.3s.", 12.3),
        ({}, "Please try again in 6m0s.", 360),
        ({}, "Please try again in 20ms.", 0.02),
        ({}, "Please retry after 5 seconds", 5),
        ({}, "Please retry in 17.493s.", 17.493),
        ({}, "Try again in 2 minutes", 120),
        ({}, '{"error": {"message": "slow down", "retry_after": 7.5}}', 7.5),
        ({}, '{"retry_after":"9"}', 9),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "20ms"}, "", 0.02),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1h2m3.5s"}, "", 3723.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "whenever"}, "", None),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "5s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "40s",
            },
            "",
            40,
        ),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30.5s"}, "", 90.5),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "90s"}, "", None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int((NOW + 8) * 1000))}, "", 8),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW + 9))}, "", 9),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4"}, "", 4),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2025-11-25T12:00:12Z",
            },
            "",
            12,
        ),
        ({}, "", None),
    ],
)
def test_the_servers_wish_is_found_wherever_it_says_it(
    headers: dict[str, str], body: str, seconds: float | None
) -> None:
    assert wanted_wait_s(headers, body, NOW) == (None if seconds is None else pytest.approx(seconds, abs=0.01))


@given(st.text(), st.text(), st.text())
def test_any_wish_whatever_is_a_number_of_seconds_or_none(after: str, reset: str, body: str) -> None:
    headers = {"retry-after": after, "x-ratelimit-reset": reset, "x-ratelimit-remaining": "0"}
    for text in (body, f"try again in {body}"):
        seconds = wanted_wait_s(headers, text, NOW)
        assert seconds is None or 0 <= seconds < 1e15


@given(
    st.from_regex(
        r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d{1,3}:\d\d:\d\d ([A-Z]{1,4}|[+-]\d{4,6})", fullmatch=True
    )
)
def test_any_date_whatever_is_one_too(date: str) -> None:
    seconds = wanted_wait_s({"retry-after": date}, "", NOW)
    assert seconds is None or seconds >= 0


def test_without_a_wish_the_waits_double_up_to_a_limit() -> None:
    error = BackendError("server", "x", retryable=True)
    for retried, seconds in enumerate([0.5, 1, 2, 4, 8, 8]):
        wait_s = wait_before_retry_s(error, retried)
        assert wait_s is not None and 0.75 * seconds <= wait_s <= seconds


def test_an_overloaded_server_is_given_more_time() -> None:
    wait_s = wait_before_retry_s(BackendError("overloaded", "x", retryable=True), 6)
    assert wait_s is not None and wait_s >= 24
    first_s = wait_before_retry_s(BackendError("overloaded", "x", retryable=True), 0)
    assert first_s is not None and first_s >= 1.5


def test_a_wish_is_followed_unless_it_is_longer_than_a_minute() -> None:
    assert wait_before_retry_s(BackendError("rate_limited", "x", retry_after_s=59), 0) == 59
    assert wait_before_retry_s(BackendError("rate_limited", "x", retry_after_s=61), 0) is None
