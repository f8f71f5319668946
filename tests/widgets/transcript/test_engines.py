"""The parser and the lexers come later: plain text until then, nothing slow at the start, no key that waits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.widgets.transcript.stage import Stage, answered
from tui.widgets.transcript import engines

TEXT = "Some **bold** words.\n\n```ocaml\nlet x = 1\n```\n"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What would be loaded in a thread, for the test to do when it wants; nothing is ready before."""
    waiting: list[Callable[[], None]] = []
    monkeypatch.setattr(engines, "_parser", None)
    monkeypatch.setattr(engines, "_lexers", {})
    monkeypatch.setattr(engines, "_loading", set())

    class Thread:
        def __init__(self, target: Callable[[], None], **_: object) -> None:
            self.start = lambda: waiting.append(target)

    monkeypatch.setattr(engines.threading, "Thread", Thread)
    return waiting


async def test_text_is_shown_plainly_until_the_parser_is_there(loads: list[Callable[[], None]]) -> None:
    app = Stage(warm=False)
    async with app.run_test(size=(60, 20)) as pilot:
        app.show(answered(TEXT))
        assert "Some **bold** words." in app.text()
        while loads:
            loads.pop()()
        await pilot.pause()
        assert "Some bold words." in app.text()


async def test_code_is_coloured_when_its_lexer_is_there(loads: list[Callable[[], None]]) -> None:
    def code_styles() -> int:
        app.finish_frames()
        line = next(line for line in app.transcript.view.lines if line.text == "let x = 1")
        return len({segment.style for segment in line.strip if segment.text.strip()})

    app = Stage(warm=False)
    async with app.run_test(size=(60, 20)) as pilot:
        app.show(answered(TEXT))
        assert code_styles() == 1
        while loads:
            loads.pop()()
        await pilot.pause()
        assert code_styles() > 1


async def test_each_language_is_loaded_once(loads: list[Callable[[], None]]) -> None:
    app = Stage(warm=False)
    async with app.run_test(size=(60, 20)):
        app.show(answered(TEXT * 5))
        assert len(loads) == 2  # the parser and OCaml


def test_a_language_that_nobody_knows_is_plain() -> None:
    engines.warm(("no-such-language",))
    assert engines.lexer("no-such-language") is None


def test_the_package_loads_neither_parser_nor_highlighter() -> None:
    code = (
        "import sys, tui.widgets.transcript as t; "
        "print([name for name in sys.modules if name.split('.')[0] in ('markdown_it', 'pygments')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
