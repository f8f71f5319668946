"""Cutting a growing markdown text into blocks."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tui.widgets.transcript.piece import Piece
from tui.widgets.transcript.splitter import Splitter

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
LINES = """\
text here
more text
# heading
## heading ##
---
***
===
- item
- - nested
* star
1. one
2. two
7) seven
  indented
    four
      six
> quote
> - item in quote
>
```
```py
````
~~~
| a | b |
|---|---|
|:-:|--:|
a | b
--|--
| 1 | 2 | 3 |
  - sub
    - deep
   para in item
- [ ] task
10. ten
* * *
<div>
word\\
**bold
|
#nothead""".splitlines()
DOCUMENTS = st.lists(st.sampled_from([*LINES, "", ""]), max_size=12).map(lambda lines: "\n".join([*lines, ""]))


def pieces_of(text: str, cut: int = 10**9) -> list[Piece]:
    splitter = Splitter()
    pieces: list[Piece] = []
    for start in range(0, len(text), cut):
        splitter.feed(text[start : start + cut])
        pieces += splitter.take()
    growing = splitter.growing()
    return [*pieces, growing] if growing is not None else pieces


def sources(text: str, cut: int = 10**9) -> list[str]:
    return [piece.source for piece in pieces_of(text, cut)]


@given(st.one_of(DOCUMENTS, st.text()), st.integers(1, 9))
def test_the_pieces_are_the_text_and_the_same_in_any_cutting(text: str, cut: int) -> None:
    assert "".join(sources(text)) == text
    assert sources(text, cut) == sources(text)


@given(DOCUMENTS)
def test_the_parser_finds_in_the_blocks_what_it_finds_in_the_whole(text: str) -> None:
    """Two constructs are left out of the lines above: whose they are depends on lazy lines, and models do not write
    them (an indented fence or quote after a lazy line)."""
    assert "".join(PARSER.render(source) for source in sources(text)) == PARSER.render(text)


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_finished_never_changes(text: str, later: str) -> None:
    splitter = Splitter()
    splitter.feed(text)
    finished = [piece.source for piece in splitter.take()]
    assert sources(text + later)[: len(finished)] == finished


@pytest.mark.parametrize(
    "text",
    [
        "```python\n" + "x = 1\n" * 5000,
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 5000,
        "- item\n" * 5000,
        "1. item\n\n" * 5000,
        "- top\n" + "  - inner\n" * 5000,
        "> quote\n" * 5000,
        "a line of a paragraph\n" * 5000,
        "    indented code\n" * 5000,
        "word " * 20000,
        "x" * 100_000,
        "```\n" + "x" * 100_000,
    ],
)
def test_nothing_that_grows_without_end_makes_an_endless_piece(text: str) -> None:
    pieces = pieces_of(text, 700)
    assert "".join(piece.source for piece in pieces) == text
    assert max(len(piece.source) for piece in pieces) < 7000
    assert max(piece.source.count("\n") for piece in pieces) <= 400


def test_a_long_numbered_list_goes_on_counting() -> None:
    pieces = pieces_of("".join(f"1. item {number}\n" for number in range(100)))
    assert [piece.item for piece in pieces] == [None, 41, 81]


def test_a_paragraph_is_finished_as_soon_as_the_next_one_begins() -> None:
    splitter = Splitter()
    splitter.feed("one\n\nT")
    assert [piece.source for piece in splitter.take()] == ["one\n\n"]


def test_an_open_list_is_not_finished_by_a_blank_line() -> None:
    splitter = Splitter()
    splitter.feed("- one\n\n  still one\n\n")
    assert splitter.take() == []


def test_each_line_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    take_line = Splitter._take_line
    monkeypatch.setattr(Splitter, "_take_line", lambda self, line: (looked.append(line), take_line(self, line))[1])
    randomly = random.Random(1)
    text = "\n".join(randomly.choice(LINES) for _ in range(2000)) + "\n"
    pieces_of(text, 11)
    assert len(looked) == 2000
