"""What can be clicked, and the same by keys."""

from __future__ import annotations

import pytest

from tests.widgets.transcript.stage import (
    Stage,
    answered,
    asked,
    call,
    finished,
    record,
    said,
    step_finished,
    step_started,
)
from tui.core import events
from tui.core.events import Record


def place_of(app: Stage, text: str) -> tuple[int, int]:
    """A cell of the first place where this text stands."""
    row = next(y for y, line in enumerate(app.lines()) if text in line)
    return app.lines()[row].index(text) + 1, row


@pytest.mark.parametrize(
    ("source", "text", "url"),
    [
        ("[the manual](https://example.org/a?b=1)", "the manual", "https://example.org/a?b=1"),
        ("<mailto:a@example.org>", "mailto:", "mailto:a@example.org"),
        ("[file](file:///srv/x)", "file", "file:///srv/x"),
        ("See https://example.org/bare, please.", "https://", "https://example.org/bare"),
        ("**[bold](http://example.org)**", "bold", "http://example.org"),
    ],
)
async def test_a_click_on_a_link_opens_it(source: str, text: str, url: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered(source))
        await pilot.click(offset=place_of(app, text))
        await pilot.pause()
        assert app.links == [url]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "vscode://x", "data:text/html,x", "ssh://host", "//host/x", "x"]
)
async def test_nothing_else_is_opened(url: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered(f"[the manual]({url})"))
        await pilot.click(offset=place_of(app, "the manual"))
        await pilot.pause()
        assert app.links == []


async def test_the_address_of_the_link_under_the_mouse_is_known() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered("[the manual](https://example.org/a)"))
        await pilot.hover(offset=place_of(app, "the manual"))
        assert app.transcript.hovered_link == "https://example.org/a"
        await pilot.hover(offset=(70, 10))
        assert app.transcript.hovered_link is None


def reasoned() -> list[Record]:
    return [asked("?"), step_started(), record(events.ReasoningDelta("Deep\nthoughts.")), *said("Answer.")]


async def test_reasoning_unfolds_and_folds_by_clicks() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(reasoned())
        folded = app.lines()
        x, y = place_of(app, "Thought")
        await pilot.click(offset=(x, y))
        assert "▾ Thought · 2 words\n   Deep\n   thoughts.\n\n Answer." in app.text()
        await pilot.click(offset=(x + 2, y))  # in the same place it would be a double click
        assert app.lines() == folded


async def test_output_unfolds_by_a_click_and_the_step_opens_by_one_on_its_figures() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show([asked("?"), step_started(), step_finished(call(path="a.py")), finished(result="one\ntwo\n")])
        await pilot.click(offset=place_of(app, "2 lines"))
        await pilot.pause()
        assert app.opened == [(1, 1)]
        assert "one" not in app.text()
        await pilot.click(offset=place_of(app, "read_file"))
        assert "   │ one\n   │ two" in app.text()


async def test_keys_go_from_fold_to_fold_and_open_them() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show([*reasoned(), step_finished(call(path="a.py")), finished(result="one\ntwo\n")])
        app.transcript.focus()
        await pilot.press("enter")
        assert "   │ one" in app.text()
        await pilot.press("o")
        assert app.opened == [(1, 1)]
        await pilot.press("p", "enter")
        assert "Deep" in app.text()
        await pilot.press("n", "enter")
        assert "   │ one" not in app.text()


async def test_what_the_keys_are_on_can_be_seen() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(reasoned())
        region = app.transcript.outer_size.region
        before = app.transcript.render_lines(region)
        app.transcript.focus()
        await pilot.press("p")
        after = app.transcript.render_lines(region)
        assert [y for y in range(24) if before[y] != after[y]] == [place_of(app, "Thought")[1]]


async def test_the_source_of_what_the_keys_are_on_is_copied() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(reasoned())
        app.transcript.focus()
        await pilot.press("p", "y")
        assert app.clipboard == "Deep\nthoughts."
