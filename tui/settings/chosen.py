"""What the user chose inside the program: who answers, the theme. config.toml wins over it."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from msgspec import Struct, structs

from tui.settings.paths import config_dir, write_private
from tui.settings.schema import Settings
from tui.settings.toml_file import read

_HEAD = "# Written by mimo-tui when something is chosen there. Settings of your own go into config.toml.\n"


class Chosen(Struct, frozen=True):
    """None is what was never chosen."""

    backend: str | None = None
    model: str | None = None
    """Of that backend; None: the one that its entry or preset names."""
    theme: str | None = None


def chosen_file() -> Path:
    return config_dir() / "chosen.toml"


def save_chosen(**choices: str | None) -> Path:
    """Remember choices, by the names in `Chosen`, beside those made before; returns the file. Raises MimoError.

    None takes a choice back.
    """
    import tomli_w

    path = chosen_file()
    file = read(path)
    table = {**(file.table if file else {}), **choices}
    write_private(path, _HEAD + tomli_w.dumps({name: value for name, value in table.items() if value is not None}))
    return path


def with_chosen(settings: Settings, chosen: Chosen, preset_names: Container[str]) -> Settings:
    """`settings`, filled up with what was chosen. A backend that has been removed since counts as never chosen."""
    defaults, ui = settings.defaults, settings.ui
    if defaults.backend is None and (chosen.backend in settings.backends or chosen.backend in preset_names):
        defaults = structs.replace(defaults, backend=chosen.backend, model=defaults.model or chosen.model)
    if ui.theme is None:
        ui = structs.replace(ui, theme=chosen.theme)
    return structs.replace(settings, defaults=defaults, ui=ui)
