"""What is drawn, and what is not: counted, not timed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.widgets.transcript.stage import Stage, answered, asked, said, step_started
from tui.widgets.transcript import engines
from tui.widgets.transcript.piece_leaf import PieceLeaf
from tui.widgets.transcript.stack import Leaf, Pen

SECTION = "## A section\n\n" + "a **model** writes `text` " * 8 + "\n\n- one\n- two\n\n```python\nx = 1\n```\n\n"


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The source of each piece of an answer that is drawn, each time."""
    drawn: list[str] = []
    draw = PieceLeaf.draw

    def counted(leaf: PieceLeaf, pen: Pen) -> Any:
        drawn.append(leaf.source)
        return draw(leaf, pen)

    monkeypatch.setattr(PieceLeaf, "draw", counted)
    return drawn


async def test_a_delta_draws_nothing_by_itself(draws: list[str]) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("?"), step_started()])
        for record in said(SECTION):
            app.transcript.show(record)
        assert draws == []


async def test_a_long_session_draws_only_what_is_seen(draws: list[str]) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show(record for turn in range(1, 401) for record in answered(SECTION * 3, turn))
        assert len(draws) < 30
        app.transcript.scroll_home()
        app.finish_frames()
        assert len(draws) < 60


async def test_a_growing_answer_draws_again_only_what_grows(draws: list[str]) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("?"), step_started(), *said(SECTION * 20)])
        draws.clear()
        for record in said("And a last paragraph that grows."):
            app.show([record])
        assert len(draws) == 5
        assert all(source.strip().startswith("And") for source in draws)


@pytest.mark.parametrize("text", [SECTION, "- an item of a list\n", "| a | b |\n", "x = 1\n", "> quote\n", "word "])
async def test_the_work_for_a_character_is_the_same_in_a_long_answer(text: str, draws: list[str]) -> None:
    start = {"| a | b |\n": "| a | b |\n|---|---|\n", "x = 1\n": "```\n"}.get(text, "")

    async def work(characters: int) -> float:
        app = Stage()
        async with app.run_test(size=(80, 24)):
            draws.clear()
            app.show([asked("?"), step_started(), *said(start)])
            for record in said(text * (characters // len(text)), 100):
                app.show([record])
            return sum(map(len, draws)) / characters

    assert await work(24_000) < 1.5 * await work(4_000)


async def test_only_lines_that_changed_are_painted() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show([asked("?"), step_started(), *said("One.\n\nTwo")])
        await pilot.pause()
        app.transcript._exchange_repaint_regions()
        app.show(said(" words"))
        assert [region.height for region in app.transcript._exchange_repaint_regions()] == [1]


async def test_lines_that_did_not_change_keep_their_strips() -> None:
    app = Stage()
    async with app.run_test(size=(40, 24)):
        app.show([asked("?"), step_started(), *said("word " * 30)])
        before = list(app.transcript.view.lines)
        app.show(said("more words"))
        after = app.transcript.view.lines
        assert [old is new for old, new in zip(before, after, strict=False)].count(False) == 1


async def test_what_was_seen_long_ago_gives_its_memory_back() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show(answered(SECTION * 300))
        while app.transcript.scroll_y:
            app.transcript.scroll_page_up()
        answer = app.transcript.view.stack.blocks[1]
        leaves: list[Leaf] = answer.leaves()  # type: ignore[attr-defined]
        assert sum(leaf.height for leaf in leaves) > 3000
        assert sum(len(leaf.lines) for leaf in leaves) < 1500


async def test_highlighting_goes_on_from_piece_to_piece_of_a_code_block() -> None:
    """A string over several pieces is a string in all of them, also when only its end is ever seen."""
    engines.warm()
    code = '```python\nx = """\n' + "inside\n" * 200 + '"""\ny = 1\n```\n'
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show(answered(code))
        palette = app.transcript.view.pen.palette
        line = next(line for line in app.transcript.view.lines if "inside" in (line.text or ""))
        assert {segment.style for segment in line.strip if "inside" in segment.text} == {palette.string}
