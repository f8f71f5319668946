"""Themes: one TOML file each, shipped with the program or put by the user into `themes/` beside the configuration."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui.core.errors import ConfigError, UsageError
from tui.core.text import clean_line
from tui.settings.names import did_you_mean
from tui.settings.paths import config_dir

_COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
    "success",
    "warning",
    "error",
)
_KEYS = ("dark", "colors", "variables")


def packaged_folder() -> Path:
    """Where the shipped themes are: inside the package when installed, beside it in a checkout.

    By path and not by `importlib.resources`, whose import costs more than reading the theme.
    """
    package = Path(__file__).parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def theme_names() -> list[str]:
    """All themes there are, the shipped ones first."""
    shipped = sorted(path.stem for path in packaged_folder().glob("*.toml"))
    own = sorted(path.stem for path in (config_dir() / "themes").glob("*.toml"))
    return shipped + [name for name in own if name not in shipped]


def load_theme(name: str) -> Theme:
    """The theme of that name; the user's file wins over a shipped one. Blocking, a small file.

    Raises UsageError for a name that there is not, ConfigError for a file that cannot be used.
    """
    for folder in (config_dir() / "themes", packaged_folder()):
        path = folder / f"{name}.toml"
        if "/" not in name and path.is_file():
            return _theme(path)
    names = theme_names()
    raise UsageError(
        f"there is no theme {clean_line(name)!r}{did_you_mean(name, names)}", f"Themes: {', '.join(names)}."
    )


def _theme(path: Path) -> Theme:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(error), "Mend the file, or choose another theme.", file=path) from error
    _check_keys(path, "", data, _KEYS)
    colors, variables = _table(path, data, "colors"), _table(path, data, "variables")
    _check_keys(path, "colors.", colors, _COLORS)
    if "primary" not in colors:
        raise ConfigError("a theme needs at least colors.primary", file=path, key="colors.primary")
    for key, value in colors.items():
        _check_color(path, f"colors.{key}", value)
    for key, value in variables.items():
        if not isinstance(value, str):
            raise ConfigError(f"must be a text, not {value!r}", file=path, key=f"variables.{key}")
        if value.startswith("#"):
            _check_color(path, f"variables.{key}", value)
    dark = data.get("dark", True)
    if not isinstance(dark, bool):
        raise ConfigError("must be true or false", file=path, key="dark")
    return Theme(name=path.stem, dark=dark, variables=variables, **colors)


def _table(path: Path, data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError("must be a table", file=path, key=key)
    return value


def _check_keys(path: Path, prefix: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(
                f"unknown key{did_you_mean(key, known)}", f"Known: {', '.join(known)}.", file=path, key=prefix + key
            )


def _check_color(path: Path, key: str, value: object) -> None:
    try:
        if not isinstance(value, str):
            raise TypeError
        Color.parse(value)
    except (ColorParseError, TypeError):
        raise ConfigError(f"{value!r} is not a colour", 'Write it as "#86b3d9".', file=path, key=key) from None
