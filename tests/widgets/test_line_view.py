"""Lines are shown whole, in any width, and only those that are seen are drawn."""

from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.strip import Strip

from tui.widgets.line_view import Kind, Line, LineView, cuts, diff_lines, lines_of


class LinesApp(App[None]):
    def __init__(self, lines: list[Line]) -> None:
        super().__init__()
        self.view = LineView(lines)

    def compose(self) -> ComposeResult:
        yield self.view

    def shown(self) -> list[str]:
        return [self.view.render_line(y).text.rstrip() for y in range(self.view.size.height)]


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("text", ["", "a", "ab cd", "word " * 40, "名前" * 30, "a名b前" * 20, "e\u0301" * 50, "x" * 99])
@pytest.mark.parametrize("width", [1, 2, 7, 40])
async def test_a_long_line_is_broken_and_nothing_of_it_lost(text: str, kind: str, width: int) -> None:
    places = cuts(text, width, kind == "text")
    rows = [text[start:end] for start, end in itertools.pairwise(places)]
    assert "".join(rows) == text
    assert all(cell_len(row.rstrip()) <= max(width, 2) for row in rows)
    assert len(rows) >= 1


async def test_prose_is_broken_between_words_and_json_anywhere() -> None:
    app = LinesApp([Line("one two three"), Line("one two three", "json"), Line("")])
    async with app.run_test(size=(8, 10)):
        assert app.shown()[:6] == ["one two", "three", "one two", "three", "", ""]
        assert app.view.virtual_size.height == 5


@pytest.mark.parametrize("kind", ["text", "json"])
async def test_nothing_is_under_the_scrollbar_from_the_first_frame_on(kind: Kind) -> None:
    text = "".join(f"{number:04}" for number in range(200))
    app = LinesApp([Line(text, kind)])
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        width = app.view.scrollable_content_region.width
        assert width == 39
        assert all(len(row) == width for row in app.shown())
        assert text.startswith("".join(app.shown()))


async def test_nothing_is_under_the_scrollbar_when_longer_lines_are_shown() -> None:
    text = "".join(f"{number:04}" for number in range(200))
    app = LinesApp([Line("short")])
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.show([Line(text, "json")])
        await pilot.pause()
        assert text.startswith("".join(app.shown()))
        assert {len(row) for row in app.shown()} == {39}


async def test_a_megabyte_is_shown_by_drawing_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    original = LineView.render_line

    def render_line(view: LineView, y: int) -> Strip:
        drawn.append(y)
        return original(view, y)

    monkeypatch.setattr(LineView, "render_line", render_line)
    app = LinesApp([Line(f"{number} {'x' * 200}", "json") for number in range(5000)])
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert app.shown()[-3].startswith("4999 ")
        await pilot.press("home")
        await pilot.pause()
        assert app.shown()[0].startswith("0 ")
    assert len(drawn) < 300


async def test_another_width_breaks_lines_anew() -> None:
    app = LinesApp([Line("x" * 30)])
    async with app.run_test(size=(10, 10)) as pilot:
        assert app.view.virtual_size.height == 3
        await pilot.resize_terminal(20, 10)
        await pilot.pause()
        assert app.view.virtual_size.height == 2


def test_a_diff_can_be_told_apart_line_by_line() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n"
    assert [line.kind for line in diff_lines(diff)] == ["muted", "muted", "hunk", "removed", "added", "text"]


def test_untrusted_text_is_cleaned() -> None:
    assert lines_of("a\x1b[31m\tb\n\u202ec") == [Line("a␛[31m  b"), Line("\\u202ec")]


async def test_it_is_as_high_as_its_lines_where_the_height_is_automatic() -> None:
    app = LinesApp([Line("one two three"), Line("four")])
    app.view.styles.height = "auto"
    async with app.run_test(size=(8, 10)):
        assert app.view.size.height == 3
