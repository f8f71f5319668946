"""From a backend's name to its spec: what the preset knows, then the catalogue, then what the user set; last wins."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from tui.backends.spec import BackendSpec, Rules, Timeouts
from tui.core.errors import ConfigError, UsageError
from tui.core.messages import Json
from tui.core.usage import Price
from tui.settings.learned import learned_of
from tui.settings.names import did_you_mean
from tui.settings.schema import BackendConfig, Settings, given

WIRES = ("chat-completions",)
"""The protocols that this version speaks: modules of `tui.backends.wires`, with `_` for `-`."""


class Preset(Struct, frozen=True):
    """What is known of a vendor or a local server: one table of presets.toml."""

    name: str
    title: str
    wire: str
    base_url: str
    model: str | None = None
    key_page: str = ""
    credential: str | None = None
    context_window: int | None = None
    max_output: int | None = None
    price: Json | None = None
    embedded: bool = False
    headers: dict[str, str] = {}
    hints: dict[str, str] = {}
    rules: Json = {}

    @property
    def local(self) -> bool:
        return self.embedded or is_loopback(self.base_url)


@cache
def presets() -> dict[str, Preset]:
    """All presets by name, in the order in which people are shown them."""
    return {name: Preset(name, **table) for name, table in _read_toml("presets.toml").items()}


def known_names(settings: Settings) -> list[str]:
    """The user's backends, then the presets that are not among them."""
    return list(dict.fromkeys([*settings.backends, *presets()]))


def resolve(settings: Settings, name: str, model: str | None = None) -> BackendSpec:
    """The spec of a backend of the user's, or of a preset's name without an entry; `model` wins over both.

    Raises UsageError for an unknown name, ConfigError for an entry that cannot be used.
    """
    config = settings.backends.get(name)
    if config is None and name not in presets():
        known = known_names(settings)
        raise UsageError(
            f"no backend is called {name!r}{did_you_mean(name, known)}",
            f"There are: {', '.join(known)}. Add one with `mimo-tui backends add NAME`.",
        )
    config = config or BackendConfig()
    preset = _preset_of(name, config)
    base_url = (config.base_url or preset.base_url).rstrip("/")
    model = model or config.model or preset.model
    listed = _catalogue().get(preset.name, {}).get(model, {})
    learned = {entry.rule: entry.value for entry in learned_of(base_url, model)}
    # A vendor's price says nothing about another server that is spoken to in the same way; what is local costs nothing.
    is_its_own = base_url == preset.base_url or (preset.local and is_loopback(base_url))
    price = (preset.price or listed.get("price")) if is_its_own else None
    built_in = _built_in(model) if preset.embedded else {}
    spec = BackendSpec(
        name=name,
        preset=preset.name,
        wire=config.wire or preset.wire,
        base_url=base_url,
        model=model,
        rules=_rules(preset.rules | learned | dict(config.rules or {})),
        strategy=config.strategy or "auto",
        context_window=config.context_window or preset.context_window or listed.get("context_window"),
        max_output=config.max_output or preset.max_output,
        price=config.price or (Price(**price) if price else None),
        thinking=config.thinking,
        timeouts=structs.replace(Timeouts(), **given(config.timeouts)),
        proxy=config.proxy,
        ca_file=config.ca_file,
        headers=preset.headers | (config.headers or {}),
        body=built_in.get("body", {}) | (config.body or {}),
        credential=cast("str | dict[str, Any] | None", config.credential or preset.credential),
        local=preset.embedded or is_loopback(base_url),
        embedded=preset.embedded,
        key_page=preset.key_page,
        hints=preset.hints,
        system_prompt=built_in.get("system_prompt"),
        set_by_user=_set_by_user(config),
        **({} if config.retries is None else {"retries": config.retries}),
    )
    _check(spec)
    return spec


def is_loopback(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def _preset_of(name: str, config: BackendConfig) -> Preset:
    """The preset that an entry starts from: the one it names, the one it is called like, or none."""
    wanted = config.preset or (name if name in presets() else "")
    if wanted:
        if wanted not in presets():
            raise _error(
                name,
                "preset",
                f"there is no preset `{wanted}`{did_you_mean(wanted, presets())}",
                f"There are: {', '.join(presets())}.",
            )
        return presets()[wanted]
    if not config.base_url:
        raise _error(
            name, "base_url", "a backend needs a `preset` or a `base_url`", f"Presets: {', '.join(presets())}."
        )
    return Preset("", name, WIRES[0], config.base_url)


def _rules(table: Json) -> Rules:
    if table.get("empty_content") == "null":  # TOML has no null
        table = table | {"empty_content": None}
    # What was learned by another version may have rules that this one does not know.
    return msgspec.convert({name: table[name] for name in Rules.__struct_fields__ if name in table}, Rules)


def _set_by_user(config: BackendConfig) -> tuple[str, ...]:
    limits = {"context_window": config.context_window, "max_output": config.max_output}
    return (*(config.rules or {}), *(name for name, value in limits.items() if value is not None))


def _built_in(model: str | None) -> Json:
    """What an embedded model wants with each request: small models ramble with another prompt, or at temperature 0."""
    from tui.backends.embedded.pull import find

    found = find(model or "")
    return {"system_prompt": found.system_prompt or None, "body": dict(found.sampling)} if found else {}


def _check(spec: BackendSpec) -> None:
    if spec.wire not in WIRES:
        known = ", ".join(WIRES)
        raise _error(spec.name, "wire", f"`{spec.wire}` is not spoken by this version", f"It speaks: {known}.")
    levels = spec.rules.thinking
    if spec.thinking is None or spec.thinking in levels:
        return
    if levels:
        raise _error(
            spec.name, "thinking", f"this server has no level `{spec.thinking}`", f"It has: {', '.join(levels)}."
        )
    raise _error(
        spec.name,
        "thinking",
        "how this server's thinking is switched is not known",
        f"Say it in [backends.{spec.name}.rules.thinking], a table of body fields for each level.",
    )


@cache
def _catalogue() -> dict[str, Any]:
    return _read_toml("catalogue.toml")


def _read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _error(name: str, key: str, message: str, hint: str) -> ConfigError:
    return ConfigError(message, hint, key=f"backends.{name}.{key}")
