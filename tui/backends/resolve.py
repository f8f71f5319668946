"""From a backend's name to its spec: preset, catalogue, what the server taught, then what the user set; last wins."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import structs

from tui.backends.presets import Preset, catalogued, is_loopback, presets, with_levels
from tui.backends.spec import BackendSpec, Rules, Timeouts
from tui.core.errors import ConfigError, UsageError
from tui.core.messages import Json
from tui.core.usage import Price
from tui.settings.learned import learned_of
from tui.settings.names import did_you_mean, known_backends
from tui.settings.schema import BackendConfig, ModelConfig, Settings, given

__all__ = ["WIRES", "Preset", "is_loopback", "known_names", "presets", "resolve"]

WIRES = ("chat-completions", "messages", "responses", "ollama")
"""The protocols that this version speaks: modules of `tui.backends.wires`, with `_` for `-`."""

YOU, YOUR_MODELS, PRESET, CATALOGUE, LEARNED = "you", "you, in models", "preset", "catalogue", "learned"
"""Who said a value, as `BackendSpec.sources` has it."""


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
            f"{known_backends(name, known)} `mimo-tui backends add NAME` adds one.",
        )
    config = config or BackendConfig()
    preset = _preset_of(name, config)
    wire = config.wire or preset.wire
    base_url = _without_version((config.base_url or preset.base_url).rstrip("/"), wire)
    model = model or config.model or preset.model
    built_in = _built_in(model) if preset.embedded else {}
    values, sources = _values(config, settings.models.get(model or "") or ModelConfig(), preset, base_url, model)
    spec = BackendSpec(
        name=name,
        preset=preset.name,
        wire=wire,
        base_url=base_url,
        model=model,
        **values,
        strategy=config.strategy or "auto",
        timeouts=structs.replace(Timeouts(), **given(config.timeouts)),
        proxy=config.proxy,
        ca_file=config.ca_file,
        headers=preset.headers | (config.headers or {}),
        body=preset.body | built_in.get("body", {}) | (config.body or {}),
        credential=cast("str | dict[str, Any] | None", config.credential or preset.credential),
        local=preset.embedded or is_loopback(base_url),
        embedded=preset.embedded,
        key_page=preset.key_page,
        models_page=preset.models_page,
        hints=preset.hints,
        system_prompt=built_in.get("system_prompt"),
        set_by_user=tuple(key for key, source in sources.items() if source in (YOU, YOUR_MODELS)),
        sources=sources,
    )
    if config.retries is not None:
        spec = structs.replace(spec, retries=config.retries)
    _check(spec)
    return spec


def _without_version(base_url: str, wire: str) -> str:
    """These two wires name the version in their own paths: an address that was copied with it would name it twice."""
    return base_url.removesuffix("/v1") if wire in ("messages", "ollama") else base_url


def _values(
    config: BackendConfig, own: ModelConfig, preset: Preset, base_url: str, model: str | None
) -> tuple[Json, dict[str, str]]:
    """What several can say, the rules included: the value that counts, and by name who said it."""
    listed = catalogued(preset, model, config.wire or preset.wire)
    learned = {entry.rule: entry.value for entry in learned_of(base_url, model)}
    # A vendor's price says nothing about another server that is spoken to in the same way; what is local costs nothing.
    is_its_own = base_url == preset.base_url or (preset.local and is_loopback(base_url))
    price = preset.price or (None if preset.unpriced else listed.get("price")) if is_its_own else None
    rules, sources = _rules(
        (PRESET, preset.rules),
        (CATALOGUE, listed.get("rules", {}) | _images(listed.get("images"))),
        (LEARNED, learned),
        (YOUR_MODELS, dict(own.rules or {}) | _images(own.images)),
        (YOU, dict(config.rules or {})),
    )
    limit = listed.get("max_output")
    most = preset.max_output and min(preset.max_output, limit or preset.max_output)
    said: dict[str, list[tuple[str, Any]]] = {
        "context_window": [
            (YOU, config.context_window),
            (YOUR_MODELS, own.context_window),
            (PRESET, preset.context_window),
            *_windows(listed.get("context_window"), learned.get("context_window")),
        ],
        "max_output": [(YOU, config.max_output), (YOUR_MODELS, own.max_output), (PRESET, most)],
        "output_limit": [(CATALOGUE, limit)],
        "price": [
            (YOU, config.price),
            (YOUR_MODELS, own.price),
            (PRESET if preset.price else CATALOGUE, Price(**price) if price else None),
        ],
        "thinking": [
            (YOU, config.thinking),
            *((who, level) for who, level in _default_levels(listed, preset) if level in rules.thinking),
        ],
    }
    values: Json = {"rules": rules}
    for key, choices in said.items():
        who, values[key] = next(((who, value) for who, value in choices if value is not None), ("", None))
        if who:
            sources["thinking_level" if key == "thinking" else key] = who
    return values, sources


def _windows(listed: int | None, learned: Any) -> list[tuple[str, int | None]]:
    """The catalogue's before the one that an error told, unless that is smaller: then the server itself said it."""
    taught = learned if isinstance(learned, int) and learned > 0 else None
    choices = [(CATALOGUE, listed), (LEARNED, taught)]
    return choices[::-1] if taught and listed and taught < listed else choices


def _default_levels(listed: Json, preset: Preset) -> list[tuple[str, str | None]]:
    return [(CATALOGUE, listed.get("thinking")), (PRESET, preset.thinking)]


def _rules(*layers: tuple[str, Json]) -> tuple[Rules, dict[str, str]]:
    """The rules of all layers, the last of which wins, and by rule who said it."""
    table: Json = {}
    sources: dict[str, str] = {}
    for who, layer in layers:
        # What was learned by another version may have rules that this one does not know.
        known = {name: value for name, value in layer.items() if name in Rules.__struct_fields__}
        if who == CATALOGUE and "thinking" in known:
            known["thinking"] = with_levels(table.get("thinking", {}), known["thinking"])
        table |= known
        sources |= dict.fromkeys(known, who)
    if table.get("empty_content") == "null":  # TOML has no null
        table["empty_content"] = None
    return msgspec.convert(table, Rules), sources


def _images(images: bool | None) -> Json:
    return {} if images is None else {"images": images}


def _preset_of(name: str, config: BackendConfig) -> Preset:
    """The preset that an entry starts from: the one it names, the one it is called like, or none."""
    wanted = config.preset or (name if name in presets() else "")
    if wanted:
        if wanted not in presets():
            raise _error(
                name,
                "preset",
                f"there is no preset `{wanted}`{did_you_mean(wanted, presets())}",
                known_backends(wanted, presets()),
            )
        return presets()[wanted]
    if not config.base_url:
        raise _error(name, "base_url", "a backend needs a `preset` or a `base_url`", known_backends(name, presets()))
    return Preset("", name, WIRES[0], config.base_url)


def _built_in(model: str | None) -> Json:
    """What an embedded model wants with each request: small models ramble with another prompt, or at temperature 0."""
    from tui.backends.embedded.pull import find

    found = find(model or "")
    return {"system_prompt": found.system_prompt or None, "body": dict(found.sampling)} if found else {}


def _check(spec: BackendSpec) -> None:
    levels = spec.rules.thinking
    if spec.thinking is None or spec.thinking in levels:
        return
    if levels:
        raise _error(
            spec.name,
            "thinking",
            f"{spec.model or 'this server'} has no level `{spec.thinking}`",
            f"It has: {', '.join(levels)}.",
        )
    raise _error(
        spec.name,
        "thinking",
        f"how the thinking of {spec.model or 'this server'} is switched is not known",
        f"Leave it out, or say it in [backends.{spec.name}.rules.thinking], a table of body fields for each level.",
    )


def _error(name: str, key: str, message: str, hint: str) -> ConfigError:
    return ConfigError(message, hint, key=f"backends.{name}.{key}")
