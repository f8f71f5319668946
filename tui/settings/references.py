"""What settings point to: backends and presets by name, and files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tui.settings.checking import Key, Problem, quoted
from tui.settings.names import did_you_mean, known_backends
from tui.settings.schema import BackendConfig, Hook, Settings


def wrong_references(
    settings: Settings, preset_names: Collection[str], broken: Collection[str] = ()
) -> Iterator[Problem]:
    """A problem for each name that means nothing and each file that is not there.

    `broken` are backends with mistakes of other kinds: their names are known, they are not looked at themselves.
    """
    known = list(dict.fromkeys([*settings.backends, *broken, *preset_names]))
    chosen: dict[Key, str | None] = {("defaults", "backend"): settings.defaults.backend}
    chosen |= {("modes", name, "backend"): mode.backend for name, mode in settings.modes.items()}
    for key, name in chosen.items():
        if name is not None and name not in known:
            yield _unknown("backend", key, name, known)
    for name, backend in settings.backends.items():
        if name not in broken:
            yield from _wrong_in_backend(("backends", name), backend, known, preset_names)


def users_of(settings: Settings, name: str) -> list[str]:
    """The settings that name a backend, as their keys; not the one that was chosen, which may be gone."""
    found = [f"modes.{mode}.backend" for mode, config in settings.modes.items() if config.backend == name]
    return found + [
        f"backends.{user}.fallback" for user, config in settings.backends.items() if name in config.fallback
    ]


def with_absolute_files(backend: BackendConfig, folder: Path) -> BackendConfig:
    """`backend` with its files found from `folder`."""
    from msgspec.structs import replace

    if backend.ca_file is None:
        return backend
    return replace(backend, ca_file=str(folder / Path(backend.ca_file).expanduser()))


def with_absolute_programs(hooks: Sequence[Hook], folder: Path) -> tuple[Hook, ...]:
    """`hooks` with their programs found from `folder`."""
    from msgspec.structs import replace

    return tuple(replace(hook, command=absolute_program(hook.command, folder)) for hook in hooks)


def absolute_program(command: Sequence[str], folder: Path) -> tuple[str, ...]:
    """`command` with its program found from `folder`, where that is written as a path; a bare name is left to PATH."""
    program, *words = command
    return (str(folder / Path(program).expanduser()) if "/" in program else program, *words)


def _wrong_in_backend(
    key: Key, backend: BackendConfig, known: list[str], preset_names: Collection[str]
) -> Iterator[Problem]:
    if backend.preset is not None and backend.preset not in preset_names:
        yield _unknown("preset", (*key, "preset"), backend.preset, preset_names)
    if backend.preset is None and backend.base_url is None and key[-1] not in preset_names:
        yield Problem(key, "needs a `preset` or a `base_url`", known_backends(str(key[-1]), preset_names))
    for index, name in enumerate(backend.fallback):
        if name == key[-1]:
            yield Problem((*key, "fallback", index), "a backend cannot be its own fallback")
        elif name not in known:
            yield _unknown("backend", (*key, "fallback", index), name, known)
    if backend.ca_file is not None and not Path(backend.ca_file).is_file():
        yield Problem((*key, "ca_file"), f"there is no file {backend.ca_file}")


def _unknown(what: str, key: Key, name: str, known: Collection[str]) -> Problem:
    hint = known_backends(name, known) if known else "Add one: mimo-tui backends add NAME"
    return Problem(key, f"no {what} is called {quoted(name)}{did_you_mean(name, known)}", hint)
