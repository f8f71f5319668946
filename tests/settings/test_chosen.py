"""What is chosen in the program is the default of the next start, unless config.toml says otherwise."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui.core.errors import ConfigError
from tui.settings.chosen import chosen_file, save_chosen
from tui.settings.config import config_file, load, remove_backend, save_backend


def test_a_chosen_backend_and_theme_are_the_defaults_from_then_on(home: Path) -> None:
    save_chosen(backend="deepseek")
    save_chosen(theme="paper")
    settings = load(preset_names=["deepseek"])
    assert (settings.defaults.backend, settings.ui.theme) == ("deepseek", "paper")
    assert stat.S_IMODE(chosen_file().stat().st_mode) == 0o600


def test_the_users_own_file_wins(home: Path) -> None:
    save_chosen(backend="deepseek", theme="paper")
    config_file().write_text('[defaults]\nbackend = "openai"\n[ui]\ntheme = "agent-era"\n')
    settings = load(preset_names=["deepseek", "openai"])
    assert (settings.defaults.backend, settings.ui.theme) == ("openai", "agent-era")


def test_a_model_is_chosen_with_its_backend_and_taken_back(home: Path) -> None:
    save_chosen(backend="deepseek", model="another", theme="paper")
    assert load(preset_names=["deepseek"]).defaults.model == "another"
    save_chosen(backend="deepseek", model=None)
    settings = load(preset_names=["deepseek"])
    assert (settings.defaults.backend, settings.defaults.model, settings.ui.theme) == ("deepseek", None, "paper")


def test_a_chosen_backend_that_was_removed_is_no_mistake(home: Path) -> None:
    save_backend("lab", {"base_url": "http://127.0.0.1:1/v1"})
    save_chosen(backend="lab")
    assert load(preset_names=[]).defaults.backend == "lab"
    remove_backend("lab")
    assert load(preset_names=[]).defaults.backend is None


def test_a_broken_file_is_said_with_its_place(home: Path) -> None:
    save_chosen(theme="paper")
    chosen_file().write_text("theme = 5\n")
    with pytest.raises(ConfigError, match=r"chosen\.toml:1: chosen\.theme"):
        load()
