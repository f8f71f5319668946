"""Selecting with the mouse, and what a copy takes."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.widgets.transcript.stage import Stage, answered, asked, call, finished, step_finished, step_started

TEXT = """\
# Title

A paragraph that is so long that it has to be broken into several rows of the screen.

- one
- two

```python
def f():
    return 1
```
"""


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> str:
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    return pilot.app.screen.get_selected_text() or ""


def row_of(app: Stage, text: str) -> int:
    return next(y for y, line in enumerate(app.lines()) if text in line)


async def test_a_copy_of_many_blocks_is_their_text_without_decoration_or_soft_breaks() -> None:
    app = Stage()
    async with app.run_test(size=(50, 30)) as pilot:
        app.show(answered(TEXT))
        copied = await drag(pilot, (0, row_of(app, "Go on.")), (40, row_of(app, "return 1")))
        assert copied == (
            "Go on.\n\nTitle\n\n"
            "A paragraph that is so long that it has to be broken into several rows of the screen.\n\n"
            "• one\n• two\n\n"
            "def f():\n    return 1"
        )


async def test_part_of_a_line_is_copied_to_the_character() -> None:
    app = Stage()
    async with app.run_test(size=(50, 30)) as pilot:
        app.show(answered("Some 中文 words here."))
        row = row_of(app, "Some")
        assert await drag(pilot, (6, row), (15, row)) == "中文 words"
        assert await drag(pilot, (15, row), (6, row)) == "中文 words"


async def test_what_is_selected_is_highlighted_and_a_click_ends_it() -> None:
    app = Stage()
    async with app.run_test(size=(50, 30)) as pilot:
        app.show(answered("Some words here."))
        row = row_of(app, "Some")
        region = app.transcript.outer_size.region
        plain = app.transcript.render_lines(region)[row]
        await drag(pilot, (6, row), (10, row))
        chosen = app.screen.get_component_rich_style("screen--selection").bgcolor
        highlighted = [
            s.text for s in app.transcript.render_lines(region)[row] if s.style and s.style.bgcolor == chosen
        ]
        assert highlighted == ["words"]
        await pilot.click(offset=(30, row))
        assert app.transcript.render_lines(region)[row] == plain


async def test_a_selection_stays_on_its_words_while_blocks_above_are_drawn() -> None:
    app = Stage()
    async with app.run_test(size=(40, 20)) as pilot:
        app.show(answered("\n\n".join("words " * (n % 30 + 1) for n in range(100)) + "\n\nChosen words."))
        row = row_of(app, "Chosen")
        await drag(pilot, (1, row), (6, row))
        for _ in range(5):
            app.transcript.scroll_page_up()
        assert app.screen.get_selected_text() == "Chosen"


async def test_a_selection_may_reach_beyond_the_screen() -> None:
    app = Stage()
    async with app.run_test(size=(40, 20)) as pilot:
        app.show(answered("\n\n".join(f"line {n}" for n in range(100))))
        app.transcript.scroll_home()
        await pilot.mouse_down(offset=(1, row_of(app, "line 0")))
        await pilot.hover(offset=(3, 10))
        app.transcript.scroll_end()
        await pilot.hover(offset=(7, row_of(app, "line 99")))
        await pilot.mouse_up(offset=(7, row_of(app, "line 99")))
        assert app.screen.get_selected_text() == "\n\n".join(f"line {n}" for n in range(100))


async def test_a_drag_over_something_that_folds_does_not_fold_it() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        app.show([asked("?"), step_started(), step_finished(call(path="a.py")), finished(result="a\nb\n")])
        row = row_of(app, "read_file")
        before = app.lines()
        assert await drag(pilot, (3, row), (11, row)) == "read_file"
        assert app.lines() == before


async def test_two_clicks_take_a_word_and_three_the_block() -> None:
    app = Stage()
    async with app.run_test(size=(50, 20)) as pilot:
        app.show(answered("See src/main.py now, and what is said there about it and more."))
        row = row_of(app, "See")
        await pilot.click(offset=(8, row), times=2)
        assert app.screen.get_selected_text() == "src/main.py"
        await pilot.click(offset=(8, row), times=3)
        assert app.screen.get_selected_text() == "See src/main.py now, and what is said there about it and more."


async def test_a_copy_of_all_of_a_huge_session_ends() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        for turn in range(1, 200):
            app.show(answered(TEXT * 3, turn))
        app.transcript.text_select_all()
        text = app.screen.get_selected_text() or ""
        assert text.count("A paragraph that is so long") == 199 * 3


async def test_the_source_of_a_block_is_given_as_it_came() -> None:
    app = Stage()
    async with app.run_test(size=(50, 30)) as pilot:
        app.show(answered(TEXT))
        assert app.transcript.source_at(row_of(app, "Title")) == "# Title"
        assert app.transcript.source_at(row_of(app, "one")) == "- one\n- two"
        assert app.transcript.source_at(row_of(app, "return 1")) == "```python\ndef f():\n    return 1\n```"
        assert app.transcript.source_at(row_of(app, "Go on.")) == "Go on."
        await pilot.pause()


async def test_the_source_of_a_long_code_block_is_whole() -> None:
    code = "```\n" + "".join(f"x = {n}\n" for n in range(300)) + "```"
    app = Stage()
    async with app.run_test(size=(50, 30)):
        app.show(answered(code))
        assert app.transcript.source_at(10) == code
