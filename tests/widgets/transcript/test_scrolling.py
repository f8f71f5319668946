"""Keeping the place: following the end, reading above it, other widths."""

from __future__ import annotations

from textual import events as textual_events

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

LONG = "\n\n".join(f"Paragraph {n}: " + "some words " * (n % 40) for n in range(200))


async def test_the_end_stays_in_view_while_an_answer_grows() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("?"), step_started()])
        for n in range(50):
            app.show(said(f"line {n}\n\n"))
            assert f"line {n}" in app.text()
        assert app.transcript.following


async def test_scrolled_up_nothing_moves_until_the_end_is_reached_again() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered(LONG))
        app.transcript.focus()
        await pilot.press("pageup")
        before = app.lines()
        assert not app.transcript.following
        app.show(answered(LONG, turn=2))
        assert app.lines() == before
        await pilot.press("end")
        assert app.transcript.following
        assert "Paragraph 199" in app.text()


async def test_keys_and_wheel_scroll() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered(LONG))
        app.transcript.focus()
        end = app.transcript.scroll_y
        await pilot.press("up", "up")
        assert app.transcript.scroll_y == end - 2
        await pilot.press("down")
        assert app.transcript.scroll_y == end - 1
        app.transcript.post_message(textual_events.MouseScrollUp(app.transcript, 5, 5, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.transcript.scroll_y < end - 1
        await pilot.press("home")
        assert app.transcript.scroll_y == 0
        assert "▌ Go on." in app.text()


async def test_a_page_keeps_two_lines_in_view() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered(LONG))
        app.transcript.focus()
        await pilot.press("home")
        last = app.lines()[-2:]
        await pilot.press("pagedown")
        assert app.lines()[:2] == last


async def test_scrolling_up_through_what_was_never_drawn_shows_every_line_once() -> None:
    """Heights are estimates until a block is seen; what is above must not push what is read."""
    app = Stage()
    async with app.run_test(size=(60, 20)):
        app.show(answered(LONG))
        seen: list[str] = app.lines()
        while app.transcript.scroll_y > 0:
            app.transcript.scroll_up()
            seen.insert(0, app.lines()[0])
        down = app.lines()
        while not app.transcript.following:
            app.transcript.scroll_down()
            down.append(app.lines()[-1])
        assert seen == down
        assert sum(line.startswith(" Paragraph") for line in seen) == 200


async def test_another_width_keeps_what_is_read_at_the_top() -> None:
    app = Stage()
    async with app.run_test(size=(100, 24)) as pilot:
        app.show(answered(LONG))
        app.transcript.focus()
        app.transcript.scroll_to(y=300)
        top = app.transcript.source_at(0)
        assert top.startswith("Paragraph")
        for width in (50, 70, 30, 100):
            await pilot.resize_terminal(width, 24)
            assert app.transcript.source_at(0) == top


async def test_following_survives_another_size() -> None:
    app = Stage()
    async with app.run_test(size=(100, 24)) as pilot:
        app.show(answered(LONG))
        for size in ((40, 10), (120, 40), (100, 24)):
            await pilot.resize_terminal(*size)
            assert app.transcript.following
            assert app.lines()[-1].startswith(" ") and "some words" in app.text()


async def test_a_width_that_comes_back_draws_to_the_same_height() -> None:
    app = Stage()
    async with app.run_test(size=(100, 24)) as pilot:
        app.show(answered(LONG))
        app.transcript.scroll_home()
        while not app.transcript.following:
            app.transcript.scroll_page_down()
            app.finish_frames()
        height = app.transcript.virtual_size.height
        await pilot.resize_terminal(60, 24)
        await pilot.resize_terminal(100, 24)
        assert app.transcript.virtual_size.height == height


async def test_unfolding_keeps_the_line_that_was_clicked_in_its_place() -> None:
    read = call("c1", path="a.py")
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered(LONG))
        app.show([asked("?", 2), step_started(turn=2), step_finished(read, turn=2), finished("c1", "row\n" * 500)])
        app.show(said("\n\n".join("abcdefgh"), step=2, turn=2))
        row = next(y for y, line in enumerate(app.lines()) if "read_file" in line)
        await pilot.click(offset=(4, row))
        assert "read_file" in app.lines()[row]
        assert app.lines()[row + 1] == "   │ row"
        assert not app.transcript.following
        await pilot.click(offset=(4, row))
        assert app.transcript.following


async def test_output_of_a_tool_above_does_not_move_what_is_read() -> None:
    run = call("c1", "run_command", command="make")
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show([asked("?"), step_started(), step_finished(run), record(events.ToolStarted(run))])
        app.show(said(LONG))
        app.transcript.focus()
        await pilot.press("pageup")
        before = app.lines()
        app.show([record(events.ToolOutput("c1", "line\n" * 5))])
        assert app.lines() == before
