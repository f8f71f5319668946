"""Money: what is unknown stays unknown."""

import pytest

from tui.core.usage import Price, Usage, cost_of

PRICE = Price(1.0, 10.0, 0.1)


@pytest.mark.parametrize(
    ("usage", "price", "expected"),
    [
        (Usage(1_000_000, 0), PRICE, 1.0),
        (Usage(1_000_000, 100_000, cached_tokens=900_000), PRICE, 0.1 + 0.09 + 1.0),
        (Usage(1_000_000, 0, cached_tokens=900_000), Price(1.0, 10.0), 1.0),
        (Usage(100, 0, cached_tokens=50, written_tokens=40), Price(1.0, 1.0, 0.1, 1.25), (10 + 5 + 50) / 1e6),
        (Usage(100, 0, written_tokens=400), Price(1.0, 1.0), 100 / 1e6),
        (Usage(10, 10), None, None),
        (Usage(None, 10), PRICE, None),
        (Usage(10, 10, cost=0.5), None, 0.5),
        (Usage(10, 0, cached_tokens=50), PRICE, 10 * 0.1 / 1e6),
    ],
)
def test_cost(usage: Usage, price: Price | None, expected: float | None) -> None:
    assert cost_of(usage, price) == (None if expected is None else pytest.approx(expected))
