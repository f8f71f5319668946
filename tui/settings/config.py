"""The settings from their files: the user's `config.toml`, which is never written, and beside it what the program adds.

    config.toml            the user's own
    backends/NAME.toml     a backend that the program added: the table that `[backends.NAME]` would be
    approvals.toml         rules that the user's `always` added: `[[allow]]`, as in `[[agent.allow]]`
    chosen.toml            what the user chose in the program, where config.toml does not say

A backend that is in config.toml too is only as it is there. A project's `.mimo/config.toml` counts once the user trusts
the project (see `project_config`).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, structs

from tui.core.errors import ConfigError, UsageError
from tui.core.usage import Price
from tui.settings.checking import Key, Problem, check, key_text
from tui.settings.chosen import Chosen, chosen_file, with_chosen
from tui.settings.log import hide
from tui.settings.paths import cannot_write, config_dir, write_private
from tui.settings.project import project_root
from tui.settings.references import users_of, with_absolute_files, with_absolute_programs, wrong_references
from tui.settings.schema import (
    AgentConfig,
    AllowRule,
    BackendConfig,
    Defaults,
    Hook,
    KeySource,
    McpConfig,
    Mode,
    ModeConfig,
    Policy,
    Settings,
    Timeouts,
    UiConfig,
    WebSearch,
    backend_name,
    given,
)
from tui.settings.toml_file import TomlFile, read

__all__ = [
    "AgentConfig", "AllowRule", "BackendConfig", "Defaults", "Hook", "KeySource", "McpConfig", "Mode", "ModeConfig",
    "Policy", "Settings", "Timeouts", "UiConfig", "WebSearch", "config_file", "error_at", "examine", "given", "load",
    "plain", "remove_backend", "remove_rule", "save_backend", "save_rule", "saved_rules",
]  # fmt: skip


class _Approvals(Struct, frozen=True):
    allow: tuple[AllowRule, ...] = ()


class _Part(NamedTuple):
    """A file, and the key of the settings that its table is the value of."""

    file: TomlFile
    key: Key


def config_file() -> Path:
    return config_dir() / "config.toml"


def load(folder: Path | None = None, preset_names: Collection[str] | None = None) -> Settings:
    """The settings. Raises ConfigError for the first mistake in the files.

    `folder` is the project's. `preset_names` are the backends that are there without an entry; with None it is not
    checked whether the names and files in the settings mean anything.
    """
    settings, errors = examine(folder, preset_names)
    if not errors:
        return settings
    first = errors[0]
    if len(errors) > 1:
        more = f"There is more to mend: `mimo-tui config check` shows all {len(errors)} mistakes."
        first.hint = f"{first.hint} {more}".strip()
    raise first


def examine(
    folder: Path | None = None, preset_names: Collection[str] | None = None
) -> tuple[Settings, list[ConfigError]]:
    """Like `load`, but with all mistakes; the settings are then those that are left without them."""
    parts, errors = _read_parts()
    all_were_read = not errors
    broken: set[str] = set()
    own = Settings()
    added: dict[str, BackendConfig] = {}
    rules: tuple[AllowRule, ...] = ()
    chosen = Chosen()
    for part in parts:
        problems: list[Problem] = []
        match part.key:
            case ():
                own = check(part.file.table, Settings, problems) or _rest(part.file.table, problems)
            case ("backends", str(name)):
                added[name] = check(part.file.table, BackendConfig, problems) or BackendConfig()
            case ("chosen",):
                chosen = check(part.file.table, Chosen, problems) or chosen
            case _:
                rules = (check(part.file.table, _Approvals, problems) or _Approvals()).allow
        errors += [part.file.error(problem, part.key) for problem in problems]
        keys = [(*part.key, *problem.key) for problem in problems]
        broken |= {str(key[1]) for key in keys if key[0] == "backends" and len(key) > 1}
    backends = {**added, **own.backends}
    _hide_secrets(backends.values())
    settings = structs.replace(
        own,
        backends={name: with_absolute_files(backend, config_dir()) for name, backend in backends.items()},
        agent=structs.replace(own.agent, allow=own.agent.allow + rules),
    )
    settings = with_chosen(settings, chosen, preset_names or ())
    settings = structs.replace(settings, hooks=with_absolute_programs(settings.hooks, config_dir()))
    if folder is not None and (project_root(folder) / ".mimo").is_dir():
        from tui.settings.project_config import with_project  # rare, so not at each start

        settings, wrong = with_project(settings, folder, preset_names)
        errors += wrong
    if preset_names is not None and all_were_read:
        errors += [_placed(problem, parts) for problem in wrong_references(settings, preset_names, broken)]
    return settings, errors


def error_at(key: Key, message: str, hint: str = "") -> ConfigError:
    """A mistake that showed only when a setting was used, with the file and line where `key` is set."""
    return _placed(Problem(key, message, hint), _read_parts()[0])


def save_backend(name: str, table: dict[str, Any]) -> Path:
    """Keep a backend that the program added, as `BackendConfig` or less of it; returns its file. Raises MimoError."""
    import tomli_w

    if wrong := backend_name(name):
        raise UsageError(f"{name!r} cannot be used: {wrong}")
    problems: list[Problem] = []
    check(table, BackendConfig, problems)
    path = _added_file(name)
    if problems:
        raise TomlFile(path, "", {}).error(problems[0], ("backends", name))
    write_private(path, _HEAD + tomli_w.dumps(table))
    return path


def remove_backend(name: str, preset_names: Collection[str] = ()) -> bool:
    """Forget a backend that the program added; False when it added none of that name.

    Raises UsageError while other settings name it, which could not be read without it, and MimoError.
    """
    if backend_name(name):
        return False
    path = _added_file(name)
    if path.is_file() and name not in preset_names and (users := users_of(load(preset_names=None), name)):
        raise UsageError(
            f"{name} was not removed: it is named by {', '.join(users)}", "Change that first, and remove it then."
        )
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise cannot_write(path, error) from error
    return True


def save_rule(rule: AllowRule) -> Path:
    """Add a rule to those that the user's `always` made, once; returns the file. Raises MimoError."""
    import tomli_w

    path = _approvals_file()
    file = read(path)
    rules = list(file.table.get("allow", [])) if file else []
    table = plain(rule)
    if table not in rules:
        write_private(path, _HEAD + tomli_w.dumps({"allow": [*rules, table]}, multiline_strings=False))
    return path


def saved_rules() -> tuple[AllowRule, ...]:
    """Those that the user's `always` made. Raises MimoError."""
    file = read(_approvals_file())
    return (check(file.table, _Approvals, []) or _Approvals()).allow if file else ()


def remove_rule(rule: AllowRule) -> bool:
    """Take back a rule that `always` made; False when there is none like it. Raises MimoError."""
    import tomli_w

    path = _approvals_file()
    file = read(path)
    rules = list(file.table.get("allow", [])) if file else []
    left = [table for table in rules if table != plain(rule)]
    if len(left) < len(rules):
        write_private(path, _HEAD + tomli_w.dumps({"allow": left}, multiline_strings=False))
    return len(left) < len(rules)


def plain(value: Any) -> Any:
    """A record as the table that it would be read from, without what is not set or empty."""
    if isinstance(value, Struct):
        value = structs.asdict(value)
    elif isinstance(value, Price):
        value = asdict(value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item not in (None, (), {})}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


_HEAD = "# Written by mimo-tui, which may write it again. Settings of your own go into config.toml.\n"


def _read_parts() -> tuple[list[_Part], list[ConfigError]]:
    """The files that are there and can be parsed, config.toml first; and what is wrong with the others."""
    parts: list[_Part] = []
    errors: list[ConfigError] = []
    added, wrong = _added_files()
    errors += wrong
    for path, key in [(config_file(), ()), *added, (_approvals_file(), ("agent",)), (chosen_file(), ("chosen",))]:
        try:
            if file := read(path):
                parts.append(_Part(file, key))
        except ConfigError as error:
            errors.append(error)
    return parts, errors


def _rest(table: dict[str, Any], problems: Sequence[Problem]) -> Settings:
    """The settings of a table without what has problems, to look for mistakes of other kinds in."""
    left = copy.deepcopy(table)
    for problem in problems:
        names = list(itertools.takewhile(lambda part: isinstance(part, str), problem.key))  # of a list nothing is kept
        inner: Any = left
        for name in names[:-1]:
            inner = inner.get(name, {})
        if names:
            inner.pop(names[-1], None)
    return check(left, Settings, []) or Settings()


def _added_files() -> tuple[list[tuple[Path, Key]], list[ConfigError]]:
    folder = config_dir() / "backends"
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml" and path.name[0] != ".")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [ConfigError(f"cannot be read: {error.strerror}", "Check what it is: `ls -ld`.", file=folder)]
    errors = [
        ConfigError(f"the file's name cannot be used: {wrong}", "Rename the file.", file=path)
        for path in paths
        if (wrong := backend_name(path.stem))
    ]
    return [(path, ("backends", path.stem)) for path in paths if not backend_name(path.stem)], errors


def _hide_secrets(backends: Iterable[BackendConfig]) -> None:
    """Keep headers out of the log: a gateway's token is often one. Short values (a team's name) would mask too much."""
    for backend in backends:
        for value in (backend.headers or {}).values():
            if len(value) >= 8:
                hide(value)


def _placed(problem: Problem, parts: list[_Part]) -> ConfigError:
    """The problem, with the file that sets its key; with none where no file does."""
    for part in parts:
        rest = problem.key[len(part.key) :]
        if problem.key[: len(part.key)] == part.key and _holds(part.file.table, rest):
            return part.file.error(Problem(rest, problem.message, problem.hint), part.key)
    return ConfigError(problem.message, problem.hint, key=key_text(problem.key))


def _holds(table: Any, key: Key) -> bool:
    for part in key:
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _added_file(name: str) -> Path:
    return config_dir() / "backends" / f"{name}.toml"


def _approvals_file() -> Path:
    return config_dir() / "approvals.toml"
