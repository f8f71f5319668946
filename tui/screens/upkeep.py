"""What keeping a backend takes: how it is set, changing its file, forgetting and removing it. All of it blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.core.errors import MimoError
from tui.screens import backstage

if TYPE_CHECKING:
    from tui.backends.spec import BackendSpec
    from tui.settings.config import Settings
    from tui.settings.learned import Learned

USERS_OWN = "It is in your config.toml, which the program never writes: change it there, or make a copy."


class State(NamedTuple):
    """How a backend is set. `is_ours`: the program added it, so it may be changed here."""

    spec: BackendSpec
    title: str
    table: Mapping[str, Any]
    is_ours: bool
    key: str
    learned: list[Learned]


def state_of(settings: Settings, name: str) -> State:
    """Raises UsageError and ConfigError for one that is not there, or cannot be used."""
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import plain
    from tui.settings.learned import learned_of

    spec = resolve(settings, name)
    added = backstage.added_table(settings, name)
    return State(
        spec,
        presets()[spec.preset].title if spec.preset else "a server of your own",
        plain(settings.backends[name]) if added is None else added,
        added is not None,
        _key_of(spec),
        learned_of(spec.base_url, spec.model),
    )


def save(name: str, table: Mapping[str, Any]) -> None:
    """Write its entry, if it can be used so; else the old one stays. Raises MimoError."""
    from msgspec import structs

    from tui.backends.resolve import resolve
    from tui.settings.checking import check
    from tui.settings.config import BackendConfig, save_backend

    config = check(dict(table), BackendConfig, [])
    if config is not None:  # what cannot be read at all is refused by `save_backend`
        settings = backstage.reload_settings()
        resolve(structs.replace(settings, backends={**settings.backends, name: config}), name)
    save_backend(name, dict(table))


def forget(spec: BackendSpec) -> int:
    """Forget what its server taught; how much that was. Raises MimoError."""
    from tui.settings.learned import forget_learned

    return forget_learned(spec.base_url, spec.model)


def remove(spec: BackendSpec) -> None:
    """Remove its file and its key. Raises MimoError; a keyring that cannot be asked keeps the key."""
    from contextlib import suppress

    from tui.backends.presets import presets
    from tui.settings.config import remove_backend
    from tui.settings.credentials import remove_key

    remove_backend(spec.name, presets())
    with suppress(MimoError):
        remove_key(spec.name, spec.base_url)


def free_name(settings: Settings, name: str) -> str:
    """A name for a copy."""
    number = 2
    while f"{name}-{number}" in settings.backends:
        number += 1
    return f"{name}-{number}"


def _key_of(spec: BackendSpec) -> str:
    """Where its key is, in words; never the key."""
    from tui.settings.credentials import key_status

    if spec.credential == "none":
        return "needs none"
    try:
        is_there, said = key_status(spec.name, spec.base_url, spec.credential)
    except MimoError as error:
        return error.message
    return said or ("in the keyring" if is_there else "missing")
