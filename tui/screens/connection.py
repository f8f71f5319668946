"""A backend that is being set up: what is known of it so far, and what saving it writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tui.backends.local import LocalServer
    from tui.backends.resolve import Preset
    from tui.backends.spec import BackendSpec
    from tui.settings.config import Settings


class Connection(NamedTuple):
    """`table` is what its entry in the settings will hold; empty for a preset that is used as it is."""

    name: str
    title: str
    table: Mapping[str, Any]
    needs_key: bool
    key_page: str = ""
    base_url: str = ""
    model: str = ""
    """The model that the preset recommends; empty when the user has to choose."""
    is_guess: bool = False
    """Its wire was guessed from the address: what the server answers may tell better."""

    def with_model(self, model: str) -> Connection:
        if model == self.model:
            return self
        return self._replace(table={**self.table, "model": model}, model=model)

    @property
    def key_hint(self) -> str:
        """What is known of the vendor's keys, for one that was refused."""
        from tui.backends.resolve import presets

        preset = presets().get(self.table.get("preset", self.name))
        return preset.hints.get("auth", "") if preset else ""

    def on_wire(self, wire: str, base_url: str) -> Connection:
        """As the server's answers tell it."""
        table = {**self.table, "wire": wire, "base_url": base_url}
        return self._replace(table=table, base_url=base_url, is_guess=False)

    def with_key_from(self, variable: str) -> Connection:
        """The key is in an environment variable."""
        return self._replace(table={**self.table, "credential": {"env": variable}})

    def with_key_in_keyring(self) -> Connection:
        """The key was put there, whatever was said of it before."""
        if self.needs_key and "credential" not in self.table:
            return self
        return self._replace(table={**self.table, "credential": "keyring"}, needs_key=True)

    def without_key(self) -> Connection:
        return self._replace(table={**self.table, "credential": "none"}, needs_key=False)

    def spec(self, settings: Settings) -> BackendSpec:
        """As the backend would be, were it saved. Raises ConfigError."""
        from msgspec import structs

        from tui.backends.resolve import resolve
        from tui.settings.config import BackendConfig

        if not self.table:
            return resolve(settings, self.name)
        config = BackendConfig(**self.table)
        return resolve(structs.replace(settings, backends={**settings.backends, self.name: config}), self.name)

    def save(self) -> None:
        """Write its entry, and make it the default. Blocking. Raises MimoError."""
        from tui.settings.chosen import save_chosen
        from tui.settings.config import save_backend

        save_backend(self.name, dict(self.table or {"preset": self.name}))
        save_chosen(backend=self.name, model=None)


def from_preset(preset: Preset) -> Connection:
    """A vendor, as its preset knows it."""
    return Connection(
        preset.name,
        preset.title,
        {},
        needs_key=preset.credential != "none",
        key_page=preset.key_page,
        base_url=preset.base_url,
        model=preset.model or "",
    )


def from_server(server: LocalServer) -> Connection:
    """A server that was found on this machine: its preset, at the address where it answered."""
    from tui.backends.resolve import presets

    preset = presets()[server.preset] if server.preset else None
    if preset is not None and preset.base_url == server.base_url:
        return from_preset(preset)._replace(needs_key=False)
    table: dict[str, Any] = {"base_url": server.base_url, "credential": "none"}
    if preset is not None:
        table["preset"] = preset.name
    return Connection(server.name, server.name, table, needs_key=False, base_url=server.base_url)


def from_address(url: str, name: str, *, needs_key: bool, is_guess: bool = False, **chosen: str) -> Connection:
    """A server of the user's own; `chosen` are its wire, preset and thinking. With `is_guess` nobody said the wire."""
    table: dict[str, Any] = {"base_url": url, **chosen}
    if not needs_key:
        table["credential"] = "none"
    return Connection(name, urlsplit(url).hostname or name, table, needs_key, base_url=url, is_guess=is_guess)


def host_name(url: str) -> str:
    """What a backend is called after its host. Raises ValueError for what is no URL."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", urlsplit(url).hostname or "server").strip("-") or "server"


def free_name(stem: str, taken: Sequence[str]) -> str:
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name
