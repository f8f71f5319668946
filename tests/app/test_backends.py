"""Keeping backends without leaving the program: what they are, changing, testing, copying and removing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList

from tests.app.driving import Driver, configure, opened
from tests.app.test_setup import SECRET, answers, files_with, keys
from tests.scripted import ScriptedServer
from tui.backends.resolve import presets
from tui.settings.config import config_dir, config_file, load, save_backend
from tui.settings.learned import Learned, keep_learned, learned_of

pytestmark = pytest.mark.slow

__all__ = ["keys"]
Scripted = Callable[..., ScriptedServer]


@pytest.fixture
def added(home: Path, scripted: Scripted) -> ScriptedServer:
    """A backend `spare` that the program added; `lab` is in config.toml and answers."""
    server = scripted(answers, models=("small", "large"))
    configure(server)
    save_backend("spare", {"base_url": server.base_url, "model": "small", "credential": "none"})
    return server


async def edit(it: Driver, name: str) -> None:
    """From the prompt to the screen of a backend."""
    await it.say("/backend")
    await it.until_shown("Who should answer?")
    await it.write(name)
    await it.until(lambda: name in it.screen, "it is found")
    await it.press("ctrl+e")
    await it.until_shown("Use it", "Test it")


async def choose(it: Driver, line: str) -> None:
    """A line of that screen."""
    await it.press("home")
    at = [row.strip() for row in it.screen.splitlines() if row.strip()]
    first = next(n for n, row in enumerate(at) if row.startswith("Use it"))
    wanted = next(n for n, row in enumerate(at) if row.startswith(line))
    await it.press(*["down"] * (wanted - first), "enter")


def entry(name: str) -> Any:
    return load(preset_names=presets()).backends[name]


async def test_what_the_program_added_is_changed_point_by_point(folder: Path, added: ScriptedServer) -> None:
    async with opened(folder) as it:
        await edit(it, "spare")
        await it.until_shown("small", added.base_url, "needs no", "as the server decides")
        await choose(it, "Model")
        await it.until_shown("Models of spare", "large")
        await it.write("large")
        await it.press("enter")
        await it.until_shown("Saved.")
        assert entry("spare").model == "large"
        await choose(it, "Address")
        await it.until_shown("The address of a server")
        assert added.base_url in it.screen
        await it.write(f"{added.base_url}/other")
        await it.press("enter")
        await it.until_shown("Saved.", "/v1/other")
        assert entry("spare").base_url == f"{added.base_url}/other"
        await it.press("escape", "escape")
        await it.until(lambda: it.app.screen is it.chat, "all is closed")
        assert "lab/scripted" in it.status


async def test_a_key_goes_hidden_into_the_keyring(
    folder: Path, home: Path, added: ScriptedServer, keys: dict[Any, str]
) -> None:
    async with opened(folder) as it:
        await edit(it, "spare")
        await choose(it, "Key")
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
        await it.write(SECRET)
        assert SECRET not in it.screen
        await it.press("enter")
        await it.until_shown("Saved.", "in the keyring")
    assert list(keys.values()) == [SECRET]
    assert entry("spare").credential == "keyring"
    assert files_with(SECRET, home) == []


async def test_the_levels_of_thinking_are_those_of_the_server(folder: Path, added: ScriptedServer) -> None:
    save_backend("thinker", {"preset": "deepseek", "base_url": added.base_url, "credential": "none"})
    async with opened(folder) as it:
        await edit(it, "thinker")
        await choose(it, "Thinking")
        await it.until_shown("How much it thinks", "off", "max")
        await it.write("max")
        await it.press("enter")
        await it.until_shown("Saved.")
        assert entry("thinker").thinking == "max"


async def test_a_test_shows_its_result_point_by_point_and_saves_nothing(folder: Path, added: ScriptedServer) -> None:
    before = (config_dir() / "backends" / "spare.toml").read_text()
    async with opened(folder) as it:
        await edit(it, "spare")
        await choose(it, "Test it")
        await it.until_shown("✓ server", "answer", "tools", "r: try again")
        await it.press("enter")
        await it.until_shown("Use it")
        await choose(it, "Use it")
        await it.until(lambda: "spare/small" in it.status, "it answers")
    assert (config_dir() / "backends" / "spare.toml").read_text() == before


async def test_what_is_in_the_users_file_is_left_alone_and_can_be_copied(folder: Path, added: ScriptedServer) -> None:
    before = config_file().read_text()
    async with opened(folder) as it:
        await edit(it, "lab")
        await it.until_shown("config.toml, which the program never writes", "Copy it")
        assert "Address" not in it.screen
        await choose(it, "Copy it")
        await it.until_shown("lab-2", "Its key has to be given again", "Address")
    assert config_file().read_text() == before
    assert entry("lab-2").model == "scripted"


async def test_removing_is_asked_twice_and_not_for_the_one_that_answers(folder: Path, added: ScriptedServer) -> None:
    async with opened(folder) as it:
        await it.say("/backend spare")
        await it.until(lambda: "spare" in it.status, "it answers")
        await edit(it, "spare")
        await choose(it, "Remove it")
        await it.until_shown("choose another one first")
        await it.press("escape", "escape")
        await it.say("/backend lab")
        await it.until(lambda: "lab" in it.status, "another one answers")
        await edit(it, "spare")
        await choose(it, "Remove it")
        await it.until_shown("enter again to be sure")
        assert (config_dir() / "backends" / "spare.toml").exists()
        await it.press("enter")
        await it.until_shown("Who should answer?")
    assert not (config_dir() / "backends" / "spare.toml").exists()


async def test_what_a_server_taught_is_shown_and_forgotten(folder: Path, added: ScriptedServer) -> None:
    keep_learned(Learned(added.base_url, "small", "stream_usage", False, "no such field", "2026-11-25"))
    async with opened(folder) as it:
        await edit(it, "spare")
        await it.until_shown("Forget learned", "stream_usage = False")
        await choose(it, "Forget learned")
        await it.until_shown("is forgotten")
        assert "stream_usage" not in it.screen
    assert learned_of(added.base_url, "small") == []


async def test_plans_and_regions_are_found_by_typing_only(folder: Path, added: ScriptedServer) -> None:
    async with opened(folder, (120, 50)) as it:
        await it.say("/backend")
        await it.until_shown("Yours", "Vendors", "On this machine", "Elsewhere")
        assert "Token Plan" not in it.screen
        highlighted = it.app.screen.query_one("#offers", OptionList).highlighted_option
        assert highlighted is not None and highlighted.id == "own-lab"
        await it.write("token plan")
        await it.until_shown("Token Plan")
        await it.press("ctrl+e")
        await it.until_shown("Only your own can be edited")


async def test_labels_keep_a_gap_and_are_cut_in_a_narrow_window(folder: Path, added: ScriptedServer) -> None:
    async with opened(folder, (80, 24)) as it:
        await it.say("/backend")
        await it.until_shown("Yours", "Vendors")
        await it.write("token plan china")
        await it.until_shown("…  mimo-v")
        assert "Chinamimo" not in it.screen


async def test_what_is_called_like_the_typed_words_comes_first(folder: Path, added: ScriptedServer) -> None:
    save_backend("my-deepseek-at-work", {"base_url": added.base_url, "model": "deepseek", "credential": "none"})
    async with opened(folder, (120, 40)) as it:
        await it.say("/backend")
        await it.until_shown("Yours", "Vendors")
        menu = it.app.screen.query_one("#offers", OptionList)
        for words, wanted in {"DeepSeek": "vendor-deepseek", "spare": "own-spare", "openai": "vendor-openai"}.items():
            await it.press(*["backspace"] * 12)
            await it.write(words)
            first = menu.highlighted_option
            assert first is not None and first.id == wanted


async def test_a_mistake_in_a_file_is_shown_and_the_settings_stay_as_they_were(
    folder: Path, added: ScriptedServer
) -> None:
    async with opened(folder) as it:
        await edit(it, "spare")
        (config_dir() / "backends" / "torn.toml").write_text("model = [")
        await it.press("escape")
        await it.until_shown("torn.toml", "Who should answer?")
        await it.press(*["backspace"] * 5)
        await it.until_shown("lab", "spare")
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.chat, "it is closed")
        await it.until_shown("Invalid value at the end of the file")
        assert "lab/scripted" in it.status


async def test_a_wrong_name_is_answered_with_the_nearest_three(folder: Path, added: ScriptedServer) -> None:
    async with opened(folder) as it:
        await it.say("/backend deepsek")
        await it.until_shown("did you mean `deepseek`?", "`mimo-tui backends list --all` shows all")
        assert "together" not in it.screen


async def test_protocol_and_who_is_asked_instead_are_changed(folder: Path, added: ScriptedServer) -> None:
    save_backend("third", {"base_url": added.base_url, "credential": "none"})
    async with opened(folder) as it:
        await edit(it, "spare")
        await choose(it, "Protocol")
        await it.until_shown("The protocol that it speaks")
        await it.write("responses")
        await it.press("enter")
        await it.until_shown("Saved.")
        for name in ("third", "lab"):
            await choose(it, "Asked instead")
            await it.until_shown("Asked when this one cannot be")
            await it.write(name)
            await it.press("enter")
            await it.until(lambda name=name: name in entry("spare").fallback, "it is kept")  # type: ignore[misc]
            await it.until_shown(f"{name}\n")
        assert (entry("spare").wire, entry("spare").fallback) == ("responses", ("third", "lab"))
        await choose(it, "Asked instead")
        await it.until_shown("asked as number 1", "asked as number 2")
        await it.write("third")
        await it.press("enter")
        await it.until(lambda: entry("spare").fallback == ("lab",), "it is taken out")
