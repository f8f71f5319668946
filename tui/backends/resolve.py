"""From a backend's name to its spec: what the preset knows, then the catalogue, then what the user set; last wins."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args
from urllib.parse import urlsplit

from tui.backends.spec import BackendSpec, Rules, ThinkingLevel, Timeouts
from tui.core.errors import ConfigError, UsageError
from tui.core.messages import Json
from tui.core.usage import Price

if TYPE_CHECKING:
    from tui.settings.config import BackendConfig, Settings

WIRES = ("chat-completions",)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Preset(NamedTuple):
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
    system_prompt: str | None = None
    headers: dict[str, str] = {}
    body: Json = {}
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
    if config is None:
        if name not in presets():
            known = known_names(settings)
            hint = "Known: " + ", ".join(known) + ". Add one with `mimo-tui backends add NAME`."
            raise UsageError(f"no backend is called {name!r}{_meant(name, known)}", hint)
        return _with_thinking_checked(_with_catalogue(_from_preset(name, presets()[name], model)))
    spec = _from_config(name, config, model)
    return _with_thinking_checked(_with_catalogue(spec))


def is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in LOOPBACK


def _from_preset(name: str, preset: Preset, model: str | None) -> BackendSpec:
    return BackendSpec(
        name=name,
        preset=preset.name,
        wire=preset.wire,
        base_url=preset.base_url,
        model=model or preset.model,
        rules=_rules(name, preset.rules),
        context_window=preset.context_window,
        max_output=preset.max_output,
        price=Price(**preset.price) if preset.price else None,
        headers=preset.headers,
        body=preset.body,
        credential=preset.credential,
        local=preset.local,
        embedded=preset.embedded,
        key_page=preset.key_page,
        hints=preset.hints,
        system_prompt=preset.system_prompt,
    )


def _from_config(name: str, config: BackendConfig, model: str | None) -> BackendSpec:
    preset = _preset_of(name, config)
    base = _from_preset(name, preset, model or config.model)
    base_url = _checked_url(name, config.base_url) if config.base_url else base.base_url
    wire = config.wire or base.wire
    if wire not in WIRES:
        raise _config_error(name, "wire", f"{wire!r} is not spoken by this version", f"Known: {', '.join(WIRES)}.")
    set_by_user = {
        key: getattr(config, key)
        for key in (
            "strategy", "context_window", "max_output", "price", "thinking", "retries", "proxy", "ca_file", "credential"
        )
        if getattr(config, key) is not None
    }  # fmt: skip
    return replace(
        base,
        **set_by_user,
        wire=wire,
        base_url=base_url,
        # A vendor's own price says nothing about another server that is spoken to in the same way.
        price=config.price or (base.price if base_url == preset.base_url else None),
        rules=_rules(name, {**preset.rules, **(config.rules or {})}),
        timeouts=_timeouts(config.timeouts),
        headers={**base.headers, **(config.headers or {})},
        body={**base.body, **(config.body or {})},
        local=preset.embedded or is_loopback(base_url),
    )


def _preset_of(name: str, config: BackendConfig) -> Preset:
    """The preset that an entry starts from: the one it names, the one it is called like, or none."""
    wanted = config.preset or (name if name in presets() else "")
    if wanted:
        if wanted not in presets():
            raise _config_error(name, "preset", f"no preset is called {wanted!r}{_meant(wanted, presets())}",
                                "Known: " + ", ".join(presets()) + ".")  # fmt: skip
        return presets()[wanted]
    if not config.base_url:
        raise _config_error(name, "base_url", "a backend needs a `preset` or a `base_url`",
                            "Presets: " + ", ".join(presets()) + ".")  # fmt: skip
    return Preset("", name, config.wire or WIRES[0], config.base_url)


def _checked_url(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises for a port that is none)
    except ValueError as error:
        raise _config_error(name, "base_url", f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _config_error(name, "base_url", f"{url!r} is not an http:// or https:// URL")
    if parts.username is not None or parts.password is not None:
        raise _config_error(name, "base_url", "the URL has a user name or password in it",
                            f"Keep the key apart: `mimo-tui keys set {name}`.")  # fmt: skip
    if parts.query or parts.fragment:
        raise _config_error(name, "base_url", f"{url!r} has a query or a fragment, which a base URL has not")
    return url.rstrip("/")


def _rules(name: str, table: Mapping[str, Any]) -> Rules:
    known = [item.name for item in fields(Rules)]
    for key in table:
        if key not in known:
            raise _config_error(
                name, f"rules.{key}", f"unknown rule{_meant(key, known)}", f"Known: {', '.join(known)}."
            )
    values = dict(table)
    if values.get("empty_content") == "null":  # TOML has no null
        values["empty_content"] = None
    return Rules(**values)


def _timeouts(config: Any) -> Timeouts:
    if config is None:
        return Timeouts()
    values = {key: getattr(config, key) for key in Timeouts._fields}
    return Timeouts()._replace(**{key: value for key, value in values.items() if value is not None})


def _with_catalogue(spec: BackendSpec) -> BackendSpec:
    entry = _catalogue().get(spec.preset, {}).get(spec.model or "")
    if not entry:
        return spec
    at_vendor = spec.base_url == presets()[spec.preset].base_url
    return replace(
        spec,
        context_window=spec.context_window or entry.get("context_window"),
        price=spec.price or (Price(**entry["price"]) if at_vendor else None),
    )


def _with_thinking_checked(spec: BackendSpec) -> BackendSpec:
    if spec.thinking is None or spec.thinking in spec.rules.thinking:
        return spec
    levels = [level for level in get_args(ThinkingLevel) if level in spec.rules.thinking]
    if levels:
        raise _config_error(spec.name, "thinking", f"the level {spec.thinking!r} is not known for this server",
                            f"Known: {', '.join(levels)}.")  # fmt: skip
    raise _config_error(spec.name, "thinking", "how to switch thinking is not known for this server",
                        f"Say it in [backends.{spec.name}.rules.thinking] as a table of body fields for each level, "
                        f"or set the fields in [backends.{spec.name}.body].")  # fmt: skip


@cache
def _catalogue() -> dict[str, Any]:
    return _read_toml("catalogue.toml")


def _read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _meant(word: str, known: Iterable[str]) -> str:
    from rapidfuzz import process  # only when something is wrong anyway

    found = process.extractOne(word, list(known), score_cutoff=60)
    return f"; did you mean {found[0]!r}?" if found else ""


def _config_error(name: str, key: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError(message, hint, key=f"backends.{name}.{key}")
