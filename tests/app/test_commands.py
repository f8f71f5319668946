"""Commands, by name, key and palette: pickers, sessions, themes, help."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import opened
from tests.scripted import ScriptedServer
from tui.commands.registry import COMMANDS
from tui.settings.chosen import chosen_file
from tui.settings.config import config_file

Model = Callable[..., ScriptedServer]


async def test_help_lists_every_command(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, (100, 40)) as it:
        await it.say("/help")
        await it.until_shown("Commands", *(f"/{command.name}" for command in COMMANDS))
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.chat, "help is closed")


async def test_help_tells_the_keys_of_every_place(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, (100, 100)) as it:
        await it.press("f1")
        await it.until_shown("In the prompt", "ctrl+p", "open the step", "fold or unfold", "At a question", "ctrl+y")


@pytest.mark.parametrize(("size", "indent"), [((120, 90), 33), ((80, 90), 33), ((40, 120), 4)])
async def test_help_goes_on_below_what_it_says_not_below_the_names(
    folder: Path, model: Model, size: tuple[int, int], indent: int
) -> None:
    model()
    async with opened(folder, size) as it:
        await it.press("f1")
        await it.until_shown("Commands")
        lines = [line for line in it.screen.splitlines() if line.strip()]
        left = len(lines[0]) - len(lines[0].lstrip())
        words = " ".join(it.screen.split())
        assert "see and change what is remembered for later sessions" in words
        for line in lines[1 : next(n for n, line in enumerate(lines) if "In the prompt" in line)]:
            assert line[left] == "/" or not line[: left + indent].strip()


async def test_an_unknown_command_is_answered_with_the_nearest_one_and_stays_to_be_mended(
    folder: Path, model: Model
) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/sesions")
        await it.until_shown("there is no command /sesions", "/sessions?")
        assert it.prompt == "/sesions"


async def test_compact_says_when_the_conversation_is_made_shorter(folder: Path, model: Model) -> None:
    model("Hello.")
    async with opened(folder) as it:
        await it.say("/compact")
        await it.until_shown("There is nothing yet that could be made shorter.")
        await it.say("hi")
        await it.until_done()
        await it.say("/compact")
        await it.until_shown("made shorter for the model before your next message")


async def test_a_path_is_sent_to_the_model(folder: Path, model: Model) -> None:
    server = model("A program.")
    async with opened(folder) as it:
        await it.say("/usr/bin/env is what?")
        await it.until_shown("A program.")
        assert server.requests[0].messages[-1]["content"] == "/usr/bin/env is what?"


async def test_the_model_is_chosen_from_the_servers_list(folder: Path, model: Model) -> None:
    server = model("Hello.", models=("alpha", "beta", "scripted"))
    async with opened(folder) as it:
        await it.say("/model")
        await it.until_shown("alpha", "beta")
        await it.write("bet")
        await it.press("enter")
        await it.until_shown("lab/beta")
        await it.say("hi")
        await it.until_shown("Hello.")
        assert server.requests[0].body["model"] == "beta"


async def test_a_model_that_is_not_listed_can_be_typed(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/model")
        await it.until_shown("scripted", "type to narrow")
        await it.write("gamma-9")
        await it.until_shown("use gamma-9")
        await it.press("enter")
        await it.until_shown("lab/gamma-9")


async def test_a_server_that_cannot_list_its_models_says_why_in_the_picker(folder: Path, model: Model) -> None:
    server = model(key="secret")
    async with opened(folder) as it:
        server.key = "another"
        await it.say("/model")
        await it.until_shown("Models of lab")
        await it.until(lambda: "asking" not in it.screen, "the error is there")
        assert "key" in it.screen.lower()
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.chat, "the picker is closed")


async def test_a_backend_is_chosen_among_presets_and_own_ones(folder: Path, model: Model) -> None:
    model(config='[backends.spare]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "other"')
    async with opened(folder) as it:
        await it.say("/backend")
        await it.until_shown("Yours", "● lab", "spare", "Vendors", "DeepSeek", "Another server")
        await it.write("spare")
        await it.press("enter")
        await it.until_shown("spare/other")


async def test_a_backend_that_does_not_exist_is_refused(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/backend lub")
        await it.until_shown("lub")
        assert "lab/scripted" in it.status
        assert it.prompt == "/backend lub"


async def test_new_begins_another_session_with_the_same_backend(folder: Path, model: Model) -> None:
    server = model("one", "two")
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.until_done()
        await it.say("/new")
        await it.until(lambda: "one" not in it.screen, "the screen is empty")
        await it.say("second")
        await it.until_shown("two")
        assert [m["content"] for m in server.requests[1].messages if m["role"] == "user"] == ["second"]


async def test_an_earlier_session_is_found_by_what_was_said_in_it(folder: Path, model: Model) -> None:
    model("one", "two")
    async with opened(folder) as it:
        await it.say("about apples")
        await it.until_done()
        await it.say("/new")
        await it.until(lambda: "about apples" not in it.screen, "the screen is empty")
        await it.say("about pears")
        await it.until_done()
        await it.say("/sessions")
        await it.until_shown("about apples", "about pears", "just now")
        await it.write("apples")
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.chat and "about apples" in it.screen, "it is open")
        await it.until_shown("one")
        assert "two" not in it.screen


async def test_themes_are_previewed_while_choosing_and_escape_takes_that_back(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/theme")
        await it.until_shown("agent-era", "paper")
        await it.write("pap")
        await it.until(lambda: it.app.theme == "paper", "it is previewed")
        await it.press("escape")
        await it.until(lambda: it.app.theme == "chat-era", "it is as before")
        assert not chosen_file().exists()


async def test_a_chosen_theme_stays_in_both_modes_and_for_the_next_start(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/theme paper")
        await it.press("shift+tab")
        assert it.app.theme == "paper"
        await it.until(chosen_file().exists, "it is remembered")
    async with opened(folder) as it:
        assert it.app.theme == "paper"


async def test_each_mode_can_have_its_own_theme_again(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/theme paper")
        await it.until(chosen_file().exists, "it is remembered")
        await it.say("/theme")
        await it.until_shown("per mode")
        await it.press("up", "up", "up", "enter")
        await it.until(lambda: it.app.theme == "chat-era", "it is the mode's own")
        await it.press("shift+tab")
        assert it.app.theme == "agent-era"
        await it.until(lambda: "paper" not in chosen_file().read_text(), "it is remembered")
        await it.say("/theme paper")
        await it.say("/theme auto")
        await it.until(lambda: it.app.theme == "agent-era", "it is the mode's own")


async def test_who_answers_is_remembered_for_the_next_start(folder: Path, model: Model) -> None:
    model()
    text = config_file().read_text().replace('backend = "lab"', "")
    config_file().write_text(text)
    async with opened(folder) as it:
        await it.until_shown("Who should answer?")
        await it.press("escape")
        await it.say("/backend lab")
        await it.say("/model other")
        await it.until(lambda: chosen_file().exists() and "other" in chosen_file().read_text(), "it is remembered")
    async with opened(folder) as it:
        await it.until_shown("lab/other")
        await it.say("/backend lab")
        await it.until(lambda: "other" not in chosen_file().read_text(), "the model was another choice")


async def test_a_backend_without_a_model_asks_for_one(folder: Path, model: Model) -> None:
    server = model(models=("alpha", "beta"))
    model_less = f'[backends.bare]\nbase_url = "{server.base_url}"\ncredential = "none"'
    config_file().write_text(config_file().read_text() + f"\n{model_less}\n")
    async with opened(folder) as it:
        await it.say("/backend bare")
        await it.until_shown("Models of bare", "alpha", "beta")
        await it.press("escape")
        await it.say("hi")
        await it.until_shown("no model is chosen", "/model")
        await it.until_done()


async def test_a_theme_that_is_not_there_is_said_and_the_modes_own_is_shown(folder: Path, model: Model) -> None:
    model(config='[ui]\ntheme = "papper"')
    async with opened(folder) as it:
        await it.until_shown("did you mean `paper`?")
        assert it.app.theme == "chat-era"


async def test_the_palette_offers_the_same_commands(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.press("ctrl+p")
        await it.until_shown("/backend", "choose, add, test and edit who answers")
        await it.write("switch between")
        await it.until(lambda: "/backend" not in it.screen, "it is narrowed")
        await it.until_shown("/mode")
        await it.press("down", "enter")
        await it.until(lambda: it.status.split()[0] == "agent", "the mode is switched")


async def test_in_the_palette_a_name_comes_before_what_only_tells_of_it(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        for name, found in (("theme", ["theme"]), ("model", ["model", "setup"]), ("stop", ["stop"])):
            await it.press("ctrl+p")
            await it.until(lambda: it.app.screen is not it.chat, "the palette is open")
            await it.write(name)
            await it.until(lambda: _commands_on(it.screen) == found, f"{found} in this order")  # noqa: B023
            await it.press("escape")
            await it.until(lambda: it.app.screen is it.chat, "it is closed")


def _commands_on(screen: str) -> list[str]:
    return re.findall(r"^ +/([a-z]+)\b", screen, re.MULTILINE)


@pytest.mark.parametrize("command", ["/new", "/sessions"])
async def test_a_session_is_not_left_while_a_turn_runs(folder: Path, model: Model, command: str) -> None:
    from tests.scripted import Reply, pause, text

    server = model(Reply(text("one"), pause()))
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.say(command)
        await it.until_shown("a turn is running")
        server.release()
        await it.until_done()
