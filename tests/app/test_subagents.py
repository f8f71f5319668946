"""Subagents on the screen: in the transcript's line of their call, in the trace, and in questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import configure, opened
from tests.scripted import Reply, ScriptedServer, pause, text, tool_call, usage
from tui.settings.agent_files import agents_dir

Scripted = Callable[..., ScriptedServer]
READ = tool_call("read_file", {"path": "a.txt"}, id="r1")
WRITE = tool_call("write_file", {"path": "new.txt", "content": "hello\n"}, id="w1")


def delegate(agent: str, task: str, id: str = "d1") -> object:
    return tool_call("delegate", {"task": task, "agent": agent}, id=id)


def set_up(strong: ScriptedServer, cheap: ScriptedServer) -> None:
    """Two backends, and the subagent `look`, which the cheap one answers."""
    table = '[backends.{}]\nwire = "chat-completions"\nbase_url = "{}"\nmodel = "scripted"\ncredential = "none"\n'
    tables = [table.format("strong", strong.base_url), table.format("cheap", cheap.base_url)]
    configure(None, '[defaults]\nbackend = "strong"\n' + "context_window = 10000\n".join([*tables, ""]))
    agents_dir().mkdir()
    (agents_dir() / "look.md").write_text("---\ndescription: Looks.\nbackend: cheap\n---\nYou look.\n")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_what_it_does_is_seen_and_folded_when_it_is_done(
    folder: Path, scripted: Scripted, size: tuple[int, int]
) -> None:
    (folder / "a.txt").write_text("forty-two\n")
    strong = scripted([Reply(delegate("look", "Find the number.")), Reply(text("It is 42."))])
    cheap = scripted([Reply(READ, usage=usage(3000, 100)), Reply(text("It says"), pause(), text(" forty-two."))])
    set_up(strong, cheap)
    async with opened(folder, size=size, mode="agent") as it:
        await it.say("which number")
        await it.until_shown("delegate look: Find the number.", "step 2 · thinking")
        if size[0] < 100:
            await it.press("ctrl+t")
        await it.until(lambda: any("1 read_" in line and "31%" in line for line in it.screen.splitlines()), "its step")
        assert "▾ delegate" in it.screen
        cheap.release()
        await it.until_done()
        await it.until(lambda: "✓ ▸ delegate" in it.screen, "it is folded")
        assert "31%" not in it.screen
        await it.chat_focus("trace")
        await it.press("home", "down", "space", "down", "enter")
        await it.until_shown("Step 1 of a subagent in turn 1", "cheap")
        await it.press("right")
        await it.until_shown("You look.")
        await it.press("escape")


async def test_its_question_says_who_asks(folder: Path, scripted: Scripted) -> None:
    strong = scripted([Reply(delegate("worker", "Write it.")), Reply(WRITE), "Written.", "Done."])
    set_up(strong, scripted([]))
    async with opened(folder, size=(120, 40), mode="agent") as it:
        await it.say("write it")
        await it.until_shown("worker asks: changes a file", "waiting for your answer")
        await it.until_armed()
        await it.press("y")
        await it.until_done()
        assert (folder / "new.txt").read_text() == "hello\n"


async def test_its_line_opens_to_its_steps_and_its_answer(folder: Path, scripted: Scripted) -> None:
    (folder / "a.txt").write_text("forty-two\n")
    strong = scripted([Reply(delegate("look", "Find it.")), Reply(text("It is 42."))])
    set_up(strong, scripted([Reply(READ), "It says forty-two."]))
    async with opened(folder, size=(120, 40), mode="agent") as it:
        await it.say("which number")
        await it.until_done()
        assert "2 steps" in it.screen and "1  read_file a.txt" not in it.screen
        await it.chat_focus("transcript")
        await it.press("p", "enter")
        await it.until_shown("1  read_file a.txt", "It says forty-two.")


async def test_escape_stops_all_of_them(folder: Path, scripted: Scripted) -> None:
    strong = scripted([Reply(delegate("look", "One."), delegate("look", "Two.", id="d2"))])
    cheap = scripted(lambda request: Reply(text("I have"), pause()))
    set_up(strong, cheap)
    async with opened(folder, size=(120, 40), mode="agent") as it:
        await it.say("go")
        await it.until(lambda: cheap.pauses == 2, "both work")
        await it.press("escape")
        await it.until_done()
        await it.until(lambda: all(request.abandoned for request in cheap.requests), "nobody listens any more")
        assert "interrupted" in it.screen
