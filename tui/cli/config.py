"""`mimo-tui config`: where settings come from, whether they are right, and what they come to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tui.backends.resolve import presets, resolve
from tui.cli import show_error
from tui.core.errors import ConfigError
from tui.core.text import clean
from tui.settings.checking import Key, key_text
from tui.settings.config import Settings, config_file, error_at, examine, load, plain
from tui.settings.learned import problem_with_learned
from tui.settings.log import mask
from tui.settings.names import did_you_mean

_HIDDEN = "•••"
_SECRET_NAME = re.compile(r"(?i)(key|token|secret|password|authorization|cookie)$")

_NOT_YET: dict[str, Callable[[Settings], object]] = {
    "ui.language": lambda settings: settings.ui.language != "auto",
}
"""What is read and checked, but means nothing to this version."""


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="path|check|show")
    commands.add_parser("path", help="print where the config file is, or would be")
    commands.add_parser("check", help="show every mistake in the settings; exit code 2 if there is one")
    commands.add_parser("show", help="print all settings as TOML, those of the program included; never a key")


def run(args: argparse.Namespace) -> int:
    match args.command:
        case "path":
            print(clean(str(config_file())))
            return 0
        case "check":
            return _check()
        case _:
            return _show()


def _check() -> int:
    settings, errors = examine(Path.cwd(), presets())
    errors += [*_unusable_backends(settings, errors), *_unknown_themes(settings), *_unusable_agents(settings)]
    errors += _unusable_commands()
    for error in errors:
        show_error(error)
    if errors:
        print(f"{len(errors)} mistake{'s' if len(errors) > 1 else ''}")
        return errors[0].exit_code
    for name, is_used in _NOT_YET.items():
        if is_used(settings):
            print(f"note: `{name}` is not used by this version")
    if problem := problem_with_learned():
        print(clean(f"note: {problem}"))
    _say_of_project()
    path = config_file()
    print(
        clean(f"{path}: no mistakes" if path.exists() else f"{path} is not there: the program's own settings are used")
    )
    return 0


def _say_of_project() -> None:
    """Whether the configuration that the project brings counts, and where not, what is wrong with it."""
    from tui.settings.project import project_root
    from tui.settings.project_config import read_project
    from tui.settings.trust import project_config_file, trust_state

    root = project_root(Path.cwd())
    file = project_config_file(root)
    if not file.is_file():
        return
    state = trust_state(root)
    words = {
        "trusted": "is read: you trust this project",
        "changed": "is not read: it has changed since you trusted this project (mimo-tui trust shows it)",
        "unknown": "is not read: you do not trust this project (mimo-tui trust --show says what it would do)",
    }
    print(clean(f"note: {file} {words[state]}"))
    if state != "trusted":  # what is wrong with one that is read has been said
        for error in read_project(root).errors:
            print(clean(f"note: {error.message}"))


def _unusable_backends(settings: Settings, known: Sequence[ConfigError]) -> list[ConfigError]:
    """What shows only when a backend, if it has none of the `known` mistakes, is put together with its preset."""
    errors = []
    for name in settings.backends:
        key = key_text(("backends", name))
        if any(error.key == key or error.key.startswith(f"{key}.") for error in known):
            continue
        try:
            resolve(settings, name)
        except ConfigError as error:
            message = error.message.removeprefix(f"{error.key}: ")
            errors.append(error if error.file else error_at(tuple(error.key.split(".")), message, error.hint))
    return errors


def _unusable_agents(settings: Settings) -> list[ConfigError]:
    from tui.agent.subagents import known_agents

    return known_agents(settings, Path.cwd()).errors


def _unusable_commands() -> list[ConfigError]:
    from tui.agent.project.custom_commands import unusable_commands
    from tui.commands.registry import NAMES
    from tui.settings.project import project_root
    from tui.settings.trust import trust_state

    root = project_root(Path.cwd())
    return [
        ConfigError(line) for line in unusable_commands(root, is_trusted=trust_state(root) == "trusted", taken=NAMES)
    ]


def _unknown_themes(settings: Settings) -> list[ConfigError]:
    from tui.widgets.themes import theme_names

    names = theme_names()
    chosen: dict[Key, str | None] = {("ui", "theme"): settings.ui.theme}
    chosen |= {("modes", name, "theme"): mode.theme for name, mode in settings.modes.items()}
    return [
        error_at(key, f'no theme is called "{name}"{did_you_mean(name, names)}', f"Known: {', '.join(names)}.")
        for key, name in chosen.items()
        if name is not None and name not in names
    ]


def _show() -> int:
    import tomli_w

    print(clean(tomli_w.dumps(_shown(plain(load(Path.cwd(), presets()))))), end="")
    return 0


def _shown(value: Any, name: str = "", inside: str = "") -> Any:
    """`value` without what may be secret: all headers and environment variables, and what looks like a key."""
    if isinstance(value, dict):
        around = name if name in ("headers", "body", "env") else inside
        return {key: _shown(item, key, around) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, name, inside) for item in value]
    if isinstance(value, str):
        hidden = inside == "headers" or (inside == "env" and name != "keyring")
        hidden = hidden or (inside == "body" and _SECRET_NAME.search(name) is not None)
        return _HIDDEN if hidden else mask(value)
    return value
