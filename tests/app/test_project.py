"""What a project brings, on the screen: nothing before trust, and then its commands, skills and settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from tests.app.driving import opened
from tests.scripted import Reply, ScriptedServer, tool_call
from tui.screens.lone_keys import ALONE_S
from tui.settings.config import config_file
from tui.settings.paths import config_dir
from tui.settings.trust import trust, trust_state

Model = Callable[..., ScriptedServer]
PLAN = Reply(tool_call("present_plan", {"steps": ["look", "write a"], "summary": "a is written"}))


@pytest.fixture
def model(model: Model) -> Model:
    """The scripted model, with a window that is large enough for all tools."""

    def start(*replies: object) -> ScriptedServer:
        server = model(*replies)
        config_file().write_text(config_file().read_text().replace("context_window = 1000", "context_window = 64000"))
        return server

    return start


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "AGENTS.md").write_text("Use tabs.")
    commands = folder / ".mimo" / "commands"
    commands.mkdir(parents=True)
    (commands / "fix.md").write_text("---\ndescription: mend a thing\n---\nFix $1, then $2.")
    (folder / ".mimo" / "config.toml").write_text(
        '[[hooks]]\non = "turn_finished"\ncommand = ["sh", "-c", "echo > ran"]\n'
    )
    skill = folder / ".agents" / "skills" / "review"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\ndescription: how we review\n---\nRead it twice.")
    return folder


async def test_a_line_says_what_is_there_and_takes_no_keys(project: Path, model: Model) -> None:
    model()
    async with opened(project) as it:
        await it.until_shown("AGENTS.md, 1 skill, 1 hook, 1 command", "/trust")
        await it.write("yn")
        assert it.prompt == "yn" and trust_state(project) == "unknown"


async def test_without_trust_nothing_of_it_counts(project: Path, model: Model) -> None:
    server = model("Hello.")
    async with opened(project, mode="agent") as it:
        await it.until_shown("/trust")
        await it.say("/fix")
        await it.until_shown("there is no command /fix")
        await it.press("ctrl+c")
        await it.say("hi")
        await it.until_shown("Hello.")
        await it.until_done()
    assert "tabs" not in str(server.requests[0].messages) and not (project / "ran").exists()


async def test_trust_shows_all_of_it_and_then_it_counts(project: Path, model: Model) -> None:
    server = model("Hello.", "Fixed.")
    async with opened(project, (110, 40), mode="agent") as it:
        await it.say("/trust")
        await it.until_shown(
            "run at turn_finished, inside the sandbox: sh -c 'echo > ran'", "AGENTS.md", "/fix", "review"
        )
        await it.press("y")
        await it.until_shown("counts from your next message on")
        assert "This folder brings" not in it.screen
        await it.write("/f")
        await it.until_shown("/fix", "mend a thing")
        await it.press("ctrl+c")
        await it.say("/fix 'the bug' rest")
        await it.until_shown("Fix the bug, then rest.", "Hello.")
        await it.until_done()
        await it.say("/review it")
        await it.until_shown("Fixed.")
        await it.until_done()
        await it.say("/trust")
        await it.until_shown("trust it no more")
        await it.press("r")
        await it.until_shown("does not count any more")
    assert "Use tabs." in server.requests[0].messages[-1]["content"] and (project / "ran").exists()
    assert "Read it twice." in server.requests[1].messages[-1]["content"]
    assert trust_state(project) == "unknown"


async def test_no_is_no(project: Path, model: Model) -> None:
    model()
    async with opened(project) as it:
        await it.say("/trust")
        await it.until_shown("not now")
        await it.press("n")
        await it.until(lambda: it.app.screen is it.chat, "it is closed")
    assert trust_state(project) == "unknown"


async def test_own_commands_need_no_trust_and_are_in_palette_and_help(folder: Path, model: Model) -> None:
    server = model("Done.")
    path = config_dir() / "commands" / "tidy.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\ndescription: put things in order\nmode: agent\n---\nTidy up: $ARGUMENTS")
    async with opened(folder, (100, 70)) as it:
        await it.until(lambda: bool(it.chat.projecting.commands), "they are found")
        await it.press("f1")
        await it.until_shown("/tidy", "put things in order")
        await it.press("escape", "ctrl+p")
        await it.write("tidy")
        await it.until_shown("put things in order")
        await it.press("escape")
        await it.say("/tidy the shelf")
        await it.until_shown("Done.", "agent")
        await it.until_done()
    assert server.requests[0].messages[-1]["content"].startswith("Tidy up: the shelf")


async def test_context_shows_what_fills_the_window(project: Path, model: Model) -> None:
    trust(project)
    model("Hello.")
    async with opened(project, (100, 40), mode="agent") as it:
        await it.say("hi")
        await it.until_shown("Hello.")
        await it.until_done()
        await it.say("/context")
        await it.until_shown(
            "In the model's window", "system prompt", "tools", "project notes", "skills", "answers", "█"
        )


async def test_init_lets_the_model_write_the_notes_with_the_usual_approval(folder: Path, model: Model) -> None:
    write = tool_call("write_file", {"path": "AGENTS.md", "content": "# Notes\n"})
    server = model(Reply(write), "Written.")
    async with opened(folder) as it:
        await it.say("/init")
        await it.until_shown("write_file", "once")
        await it.until_armed()
        await it.press("ctrl+y")
        await it.wait(2 * ALONE_S)
        await it.press("y")
        await it.until_shown("Written.")
        await it.until_done()
    assert (folder / "AGENTS.md").read_text() == "# Notes\n"
    assert "AGENTS.md" in server.requests[0].messages[-1]["content"]


async def test_a_plan_is_edited_as_lines_and_accepted(folder: Path, model: Model) -> None:
    server = model(PLAN, "On it.")
    async with opened(folder, mode="agent") as it:
        await it.say("/plan write a")
        await it.until_shown("only looks now")
        await it.until_shown("[ ] look", "[ ] write a", "accept")
        await it.until_armed()
        await it.press("ctrl+y")
        await it.wait(2 * ALONE_S)
        await it.press("e")
        await it.until(lambda: isinstance(it.app.focused, TextArea) and it.app.focused is not it.chat.prompt, "a field")
        await it.write(" well")
        await it.press("ctrl+s")
        await it.until_shown("On it.")
        await it.until_done()
        assert it.chat.talk.conversation is not None
        assert [task.text for task in it.chat.talk.conversation.desk.plan] == ["look", "write a well"]
        assert it.chat.talk.conversation.permissions.policy == "ask"
    assert "2. write a well" in server.requests[1].messages[-1]["content"]


async def test_a_plan_is_refused_with_a_reason(folder: Path, model: Model) -> None:
    server = model(PLAN, "I see.")
    async with opened(folder, mode="agent") as it:
        await it.say("/plan")
        await it.say("write a")
        await it.until_armed()
        await it.press("ctrl+y")
        await it.wait(2 * ALONE_S)
        await it.press("r")
        await it.until(lambda: isinstance(it.app.focused, Input), "a field")
        await it.write("too much")
        await it.press("enter")
        await it.until_shown("I see.")
        await it.until_done()
        assert it.chat.talk.conversation is not None and it.chat.talk.conversation.permissions.policy == "plan"
    assert "too much" in server.requests[1].messages[-1]["content"]
