"""The sanitising door: whatever goes in, nothing that a terminal obeys comes out."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tui.core.text import clean, clean_line, reveal, reveal_line

anything = st.text(st.characters())
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def is_harmful(char: str) -> bool:
    return (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t") or char in OVERRIDES


@given(anything | st.text(st.sampled_from("\x1b\x9b\x07\r\n\t[]m;0\x7f\x85\ud800\udc00a" + OVERRIDES)))
def test_no_control_override_or_surrogate_comes_out(text: str) -> None:
    assert not any(map(is_harmful, clean(text)))
    clean(text).encode()


@given(anything)
def test_plain_text_comes_out_as_it_was(text: str) -> None:
    plain = "".join(char for char in text if not is_harmful(char))
    assert clean(plain) == plain


@given(anything, anything)
def test_it_may_be_cut_anywhere(a: str, b: str) -> None:
    assert clean(a + b) == clean(a) + clean(b)


@given(anything)
def test_cleaning_again_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_what_was_there_can_still_be_seen() -> None:
    assert clean("\x1b[31mred\x07 \u202egpj.exe") == "␛[31mred␇ \\u202egpj.exe"


@given(anything, st.integers(2, 50))
def test_a_line_is_one_line_of_at_most_the_limit(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line and "\t" not in line


@given(anything)
def test_what_is_revealed_can_be_seen(text: str) -> None:
    shown = reveal(text)
    assert not any(map(is_harmful, shown))
    assert all(char in "\n\t" or unicodedata.category(char) not in ("Cf", "Co", "Cn") for char in shown)


def test_letters_that_look_like_nothing_are_revealed() -> None:
    assert reveal("cat a\u200b.txt \U000e0041 漢字 é") == "cat a\\u200b.txt \\U000e0041 漢字 é"


def test_a_command_on_one_line_shows_its_ends_of_lines_and_invisible_letters() -> None:
    assert reveal_line("ls\n\n  touch  a\u200bb\n") == "ls⏎touch a\\u200bb"
    assert reveal_line("x" * 300, 20) == "x" * 19 + "…"
