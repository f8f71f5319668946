"""Themes: the shipped ones are readable, the user's own are understood or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color

from tui.core.errors import ConfigError, UsageError
from tui.settings.paths import config_dir
from tui.widgets.themes import load_theme, theme_names

SHIPPED = ("agent-era", "chat-era", "paper")


def luminance(color: Color) -> float:
    parts = [part / 255 for part in (color.r, color.g, color.b)]
    r, g, b = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it: 1 to 21."""
    light, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_text_colour_can_be_read_on_every_ground(home: Path, name: str) -> None:
    theme = load_theme(name)
    texts = [theme.primary, theme.secondary, theme.accent, theme.foreground, theme.success, theme.warning, theme.error]
    for text in [*texts, theme.variables["text-muted"], theme.variables["foreground-muted"]]:
        for ground in (theme.background, theme.surface, theme.panel):
            assert contrast(str(text), str(ground)) >= 4.5, (text, ground)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_chosen_line_can_be_read(home: Path, name: str) -> None:
    variables = load_theme(name).variables
    for text in ("block-cursor-foreground", "text-muted"):
        assert contrast(variables[text], variables["block-cursor-background"]) >= 4.5
    assert contrast(variables["input-cursor-foreground"], variables["input-cursor-background"]) >= 4.5


def test_one_of_the_shipped_themes_is_light(home: Path) -> None:
    assert [name for name in SHIPPED if not load_theme(name).dark] == ["paper"]


def own_theme(name: str, text: str) -> Path:
    path = config_dir() / "themes" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_theme_of_the_users_own_is_found_and_wins_over_a_shipped_one(home: Path) -> None:
    own_theme("mine", '[colors]\nprimary = "#ff0000"')
    own_theme("paper", '[colors]\nprimary = "#00ff00"')
    assert theme_names() == [*SHIPPED, "mine"]
    assert load_theme("mine").primary == "#ff0000"
    assert load_theme("paper").primary == "#00ff00"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "Expected '=' after a key"),
        ('[colours]\nprimary = "#fff"', "colours: unknown key, did you mean `colors`?"),
        ('[colors]\nprimary = "#fff"\nbakground = "#000"', "colors.bakground: unknown key, did you mean `background`?"),
        ('[colors]\nprimary = "octarine"', "colors.primary: 'octarine' is not a colour"),
        ("[colors]\nprimary = 5", "colors.primary: 5 is not a colour"),
        ('colors = "red"', "colors: must be a table"),
        ("dark = true", "colors.primary: a theme needs at least colors.primary"),
        ('dark = "yes"\n[colors]\nprimary = "#fff"', "dark: must be true or false"),
        ('[colors]\nprimary = "#fff"\n[variables]\nborder = "#zzz"', "variables.border: '#zzz' is not a colour"),
        ('[colors]\nprimary = "#fff"\n[variables]\nborder = 3', "variables.border: must be a text, not 3"),
    ],
)
def test_a_broken_theme_is_refused_with_file_and_key(home: Path, text: str, message: str) -> None:
    path = own_theme("mine", text)
    with pytest.raises(ConfigError) as caught:
        load_theme("mine")
    assert str(path) in caught.value.message
    assert message in caught.value.message


@pytest.mark.parametrize("name", ["papper", "../paper", ""])
def test_an_unknown_theme_is_refused_with_the_nearest_name(home: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_theme(name)
    if name == "papper":
        assert "did you mean `paper`?" in caught.value.message
