"""Terminals of any size: nothing breaks, and on small ones the prompt and what matters stay in sight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import configure, opened
from tests.scripted import Reply, ScriptedServer, tool_call

pytestmark = pytest.mark.slow

Model = Callable[..., ScriptedServer]
SMALL = [(40, 10), (20, 5), (1, 1)]
WRITE = tool_call("write_file", {"path": "new.txt", "content": "".join(f"line {n}\n" for n in range(50))})


@pytest.mark.parametrize("size", SMALL)
async def test_a_turn_with_a_question_goes_through(folder: Path, model: Model, size: tuple[int, int]) -> None:
    model(Reply(WRITE), "It is written.")
    async with opened(folder, size, mode="agent") as it:
        await it.say("write it")
        await it.until_armed()
        await it.press("y")
        await it.until(lambda: (folder / "new.txt").exists(), "it is written")
        await it.until_done()
        await it.press("ctrl+t", "ctrl+t", "shift+tab")


@pytest.mark.parametrize("size", [(40, 10), (1, 1)])
async def test_every_screen_opens_and_closes(folder: Path, model: Model, size: tuple[int, int]) -> None:
    model("Hello.")
    async with opened(folder, size) as it:
        await it.say("hi")
        await it.until_done()
        for command in ("/help", "/backend", "/model", "/sessions", "/theme", "/setup"):
            await it.say(command)
            await it.until(lambda: it.app.screen is not it.chat, f"{command} is open")
            await it.press("down", "x", "escape")
            await it.until(lambda: it.app.screen is it.chat, f"{command} is closed")


async def test_the_question_and_its_keys_are_in_sight_at_40x10(folder: Path, model: Model) -> None:
    model(Reply(WRITE), may_complain=True)
    async with opened(folder, (40, 10), mode="agent") as it:
        await it.say("write it")
        await it.until_shown("y once", "n no", "write_file")


async def test_answers_and_the_prompt_are_in_sight_at_40x10(folder: Path, model: Model) -> None:
    model("Hello.")
    async with opened(folder, (40, 10)) as it:
        await it.say("hi")
        await it.until_shown("hi", "Hello.")
        await it.write("next")
        assert "next" in it.screen
        assert "chat" in it.status


async def test_the_first_screen_is_usable_at_40x10(home: Path, folder: Path) -> None:
    configure(None)
    async with opened(folder, (40, 10)) as it:
        await it.until_shown("Who should answer?", "Xiaomi MiMo")
        await it.write("another")
        await it.until_shown("Another server")


async def test_a_window_may_change_its_size_all_the_time(folder: Path, model: Model) -> None:
    model(Reply(WRITE), "It is written.")
    async with opened(folder, mode="agent") as it:
        await it.say("write it")
        for width, height in [(30, 8), (200, 60), (1, 1), (101, 24), (99, 24), (5, 30)]:
            await it.pilot.resize_terminal(width, height)
        await it.until_armed()
        await it.press("y")
        await it.until_done()
        await it.pilot.resize_terminal(100, 30)
        await it.until_shown("It is written.")
