"""The excerpt that a model gets of a command's output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.tools.output import EXCERPT_CHARACTERS, Excerpt, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n", "plain\n"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("10%\r100%\r\nnext\r\n", "100%\nnext\n"),
        ("bar\r   \rdone\n", "done\n"),
        ("half\r", "half"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B\x1b[?25l\n", "red x\n"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        ("a\0b", "ab"),
    ],
)
def test_text_is_as_a_terminal_would_show_it(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.lists(st.text(alphabet="ab\n\r", max_size=50), max_size=20))
def test_any_cutting_gives_the_same_excerpt(pieces: list[str]) -> None:
    whole, cut = Excerpt(), Excerpt()
    whole.add("".join(pieces))
    for piece in pieces:
        cut.add(piece)
    assert whole.text() == cut.text() == plain("".join(pieces))


@pytest.mark.parametrize("lines", [3000, 30_000, 1_000_000])
def test_a_long_text_is_its_first_and_last_lines(lines: int) -> None:
    excerpt = Excerpt()
    for start in range(0, lines, 1000):
        excerpt.add("".join(f"line {n}\n" for n in range(start, start + 1000)))
    text = excerpt.text().split("\n")
    assert text[:2] == ["line 0", "line 1"] and text[-2:] == [f"line {lines - 1}", ""]
    assert all(line.startswith(("line ", "[… ")) for line in text[:-1])
    assert len("\n".join(text)) < EXCERPT_CHARACTERS + 300


def test_a_long_line_is_cut_too() -> None:
    excerpt = Excerpt()
    excerpt.add("x" * 1_000_000)
    assert len(excerpt.text()) < EXCERPT_CHARACTERS + 300
