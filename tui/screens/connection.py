"""A backend that is being set up: what is known of it so far, and what saving it writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

    def with_model(self, model: str) -> Connection:
        if model == self.model:
            return self
        return self._replace(table={**self.table, "model": model}, model=model)

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


def from_address(url: str, taken: list[str], needs_key: bool) -> Connection:
    """A server of the user's own, named after its host."""
    host = urlsplit(url).hostname or "server"
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", host).strip("-") or "server"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    table: dict[str, Any] = {"base_url": url}
    if not needs_key:
        table["credential"] = "none"
    return Connection(name, host, table, needs_key, base_url=url)
