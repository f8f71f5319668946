"""Servers of tools, as the person in front of the screen meets them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import opened
from tests.mcp.conftest import ROOT
from tests.scripted import Reply, ScriptedServer, tool_call

pytestmark = pytest.mark.slow

Model = Callable[..., ScriptedServer]
SERVERS = f"""
[mcp.help]
command = ["{sys.executable}", "-m", "tests.mcp.helpful"]
env = {{ PYTHONPATH = "{ROOT}" }}
[mcp.gone]
command = ["no-such-server"]
"""


async def test_servers_are_shown_switched_off_and_started_again(folder: Path, model: Model) -> None:
    model(config=SERVERS)
    async with opened(folder, size=(110, 40)) as it:
        await it.say("/mcp")
        await it.until_shown("Servers of tools", "help  works, 7 tools", "gone  does not work")
        await it.press("down", "up", "down")
        await it.until_shown("2026-07-28", "@help:notes://today", "/help:review")
        await it.press("d")
        await it.until_shown("help  is switched off")
        await it.press("r")
        await it.until_shown("help  works, 7 tools")
        await it.press("escape")
        await it.say("/mcp reload")
        await it.until_shown("are being started anew")


async def test_a_call_is_asked_about_and_shown(folder: Path, model: Model) -> None:
    model(Reply(tool_call("mcp__help__add", {"a": 20, "b": 22})), "It is 42.", config=SERVERS)
    async with opened(folder, size=(110, 40), mode="agent", policy="auto") as it:
        await it.say("Add them")
        await it.until_shown("add of the server help", "outside the sandbox")
        await it.until_armed()
        await it.press("ctrl+y")
        await it.wait(0.1)
        await it.press("y")
        await it.until_shown("It is 42.", "mcp__help__add")
        await it.until_done()


async def test_resources_are_offered_behind_the_files_and_prompts_are_put_into_the_line(
    folder: Path, model: Model
) -> None:
    (folder / "helpless.txt").write_text("a file")
    server = model("Milk.", config=SERVERS)
    async with opened(folder, size=(110, 40)) as it:
        await it.write("What is in @hel")
        await it.until_shown("helpless.txt", "help:")
        await it.press("down", "tab")
        assert it.prompt == "What is in @help:"
        await it.until(lambda: bool(it.chat.serving.resources("help:n")), "the server runs")
        await it.write("n")
        await it.until_shown("help:notes://today")
        await it.press("tab")
        assert it.prompt == "What is in @help:notes://today "
        await it.press("enter")
        await it.until_shown("Milk.")
        await it.until_done()
        assert "Milk and bread." in str(server.requests[0].body["messages"])
        assert "told to the model: The resource notes://today of the server help" in it.screen

        await it.write("/help:")
        await it.until_shown("/help:review", "Ask for a review.")
        await it.press("tab")
        assert it.prompt == "/help:review "
        await it.press("ctrl+c")
        await it.say("/help:review the plan")
        await it.until(lambda: it.prompt == "Please review the in a plan way.", "the prompt's text is in the line")
        await it.press("ctrl+c")
        await it.say("/help:nothing")
        await it.until_shown("the server help has no prompt nothing", "Its prompts: review.")


async def test_who_has_no_servers_is_told_how_to_have_some(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/mcp")
        await it.until_shown("there are no servers of tools", "[mcp.NAME]")
