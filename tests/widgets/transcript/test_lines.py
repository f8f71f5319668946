"""Breaking text to a width."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui.widgets.transcript.lines import Breaker, Span, chop, chop_at_blanks, rows_of, truncate, wrap

WORDS = st.text(st.sampled_from("ab ,中文字。é👨‍👩‍👧\u0301 "), max_size=200)
WIDTHS = st.integers(4, 40)


@pytest.mark.parametrize("breaker", [wrap, chop, chop_at_blanks])
@given(text=WORDS, width=WIDTHS)
def test_no_row_is_wider_than_the_width(breaker: Breaker, text: str, width: int) -> None:
    assert all(cell_len(text[start:end]) <= width for start, end, _ in breaker(text, width))


@given(text=WORDS, width=WIDTHS)
def test_joined_again_the_rows_are_the_text_up_to_runs_of_spaces(text: str, width: int) -> None:
    joined = "".join(text[start:end] + joint for start, end, joint in wrap(text, width))
    assert joined.split() == text.split()


@pytest.mark.parametrize("breaker", [chop, chop_at_blanks])
@given(text=WORDS, width=WIDTHS)
def test_chopped_rows_keep_every_character(breaker: Breaker, text: str, width: int) -> None:
    assert "".join(text[start:end] + joint for start, end, joint in breaker(text, width)) == text


def test_output_is_broken_between_words_with_its_columns_kept() -> None:
    def rows(text: str, width: int) -> list[str]:
        return [text[start:end] for start, end, _ in chop_at_blanks(text, width)]

    assert rows("  one  two three", 10) == ["  one  two", "three"]
    assert rows("one twothree", 8) == ["one ", "twothree"]
    assert [end - start for start, end, _ in chop_at_blanks("x" * 25, 10)] == [10, 10, 5]


def test_words_are_kept_whole() -> None:
    text = "the quick brown fox"
    assert [text[start:end] for start, end, _ in wrap(text, 10)] == ["the quick", "brown fox"]


def test_a_word_that_is_too_long_is_broken() -> None:
    assert [end - start for start, end, _ in wrap("x" * 25, 10)] == [10, 10, 5]


def test_text_without_spaces_fills_its_rows_and_begins_none_with_a_full_stop() -> None:
    text = "a 中文字符中文字符。中文"
    rows = [text[start:end] for start, end, _ in wrap(text, 18)]
    assert rows == ["a 中文字符中文字", "符。中文"]


@given(text=st.text(max_size=60), width=st.integers(1, 20))
@example(text="⿰0", width=2)
def test_a_truncated_text_fits(text: str, width: int) -> None:
    assert cell_len(truncate(text, width)) <= width


@given(parts=st.lists(st.text(st.sampled_from("ab \n"), max_size=12), max_size=8), width=WIDTHS)
def test_rows_keep_the_styles_of_the_characters(parts: list[str], width: int) -> None:
    styles = [Style(color=f"color({index})") for index in range(len(parts))]
    spans = [Span(text, style) for text, style in zip(parts, styles, strict=True)]
    wanted = [(character, style) for span in spans for character, style in [(c, span.style) for c in span.text]]
    shown = [(c, span.style) for row, _ in rows_of(spans, width) for span in row for c in span.text]
    assert [pair for pair in shown if pair[0] not in " \n"] == [pair for pair in wanted if pair[0] not in " \n"]
