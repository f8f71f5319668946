"""What a pasted text may be: paths and nothing else, in the ways in which terminals write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tui.widgets.pasted import readings


@pytest.mark.parametrize(
    "text,found",
    [
        ("/a/b.png", [["/a/b.png"]]),
        ("'/a/my b.png' ", [["/a/my b.png"]]),
        ('"/a/it\'s.png"', [["/a/it's.png"]]),
        ("/a/my b.png", [["/a/my b.png"], ["/a/my", "b.png"]]),
        (r"/a/my\ b.png /c.png", [[r"/a/my\ b.png /c.png"], ["/a/my b.png", "/c.png"]]),
        ("file:///a/my%20b.png\nfile:///c.jpg", [["/a/my b.png", "/c.jpg"]]),
        ("~/shot.png", [["~/shot.png"]]),
        ("shot.PNG", [["shot.PNG"]]),
    ],
)
def test_paths_are_read_as_terminals_and_people_write_them(text: str, found: list[list[str]]) -> None:
    assert readings(text) == found


@pytest.mark.parametrize("text", ["", "hello", "see shot.png please", "/a " * 5000, "/a\n" * 30])
def test_what_is_more_than_paths_is_only_text(text: str) -> None:
    assert readings(text) == []


@given(some.text())
def test_any_text_can_be_pasted(text: str) -> None:
    for reading in readings(text) + readings(text, is_meant=True):
        assert all(isinstance(path, str) for path in reading)
