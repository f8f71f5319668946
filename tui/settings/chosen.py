"""What the user chose inside the program: the backend that answers, the theme. Settings in config.toml win over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from tui.settings.paths import config_dir, write_private
from tui.settings.schema import Defaults, Settings, UiConfig
from tui.settings.toml_file import read

_HEAD = "# Written by mimo-tui when something is chosen there. Settings of your own go into config.toml.\n"


class Chosen(Struct, frozen=True):
    """The file's tables, named as in config.toml."""

    defaults: Defaults = Defaults()
    ui: UiConfig = UiConfig()


def chosen_file() -> Path:
    return config_dir() / "chosen.toml"


def save_chosen(backend: str | None = None, theme: str | None = None) -> Path:
    """Remember a choice beside those made before; returns the file. Raises MimoError."""
    import tomli_w

    path = chosen_file()
    file = read(path)
    table: dict[str, Any] = dict(file.table) if file else {}
    if backend is not None:
        table["defaults"] = {"backend": backend}
    if theme is not None:
        table["ui"] = {"theme": theme}
    write_private(path, _HEAD + tomli_w.dumps(table))
    return path


def with_chosen(settings: Settings, chosen: Chosen) -> Settings:
    """`settings`, filled up with what was chosen. A chosen backend's model is its own, so both are taken or none."""
    defaults, ui = settings.defaults, settings.ui
    if defaults.backend is None and chosen.defaults.backend is not None:
        defaults = structs.replace(defaults, backend=chosen.defaults.backend)
    if ui.theme is None and chosen.ui.theme is not None:
        ui = structs.replace(ui, theme=chosen.ui.theme)
    return structs.replace(settings, defaults=defaults, ui=ui)
