"""What `mimo-tui backends` shows: the list of them, one in full with who said what, and the models of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tui.core.errors import ConfigError, CredentialError
from tui.core.text import clean_line

if TYPE_CHECKING:
    from tui.backends.resolve import Preset
    from tui.backends.spec import BackendSpec, ModelInfo
    from tui.settings.learned import Learned
    from tui.settings.schema import BackendConfig, Settings

Row = tuple[str, ...]

_SHOWN = (
    *("preset", "wire", "base_url", "model", "strategy", "context_window", "output_limit", "max_output", "price"),
    *("thinking", "timeouts", "retries", "proxy", "ca_file", "headers", "body", "system_prompt", "key_page", "key"),
)
"""What `show` shows of a spec, before its rules."""
_SOURCED = ("context_window", "output_limit", "max_output", "price", "thinking")
_SAID_IF_UNKNOWN = ("context_window", "price")
_YOURS, _VENDORS, _LOCAL = "Yours", "Vendors", "On this machine"


def show_list(settings: Settings, everything: bool) -> int:
    """All backends in groups. Of a vendor's several presets those that are ready, and the main one, or everything."""
    from tui.backends.resolve import known_names, presets

    groups: dict[str, list[Row]] = {_YOURS: [], _VENDORS: [], _LOCAL: []}
    left_out = 0
    for name in known_names(settings):
        preset = presets().get(name)
        row = _list_row(settings, name)
        if name in settings.backends or preset is None:
            groups[_YOURS].append(row)
        elif preset.local:
            groups[_LOCAL].append(row)
        elif everything or preset.is_main or row[-1].startswith("yes") or name == settings.defaults.backend:
            groups[_VENDORS].append(row)
        else:
            left_out += 1
    lines = table_lines([("NAME", "MODEL", "ADDRESS", "READY"), *(row for rows in groups.values() for row in rows)])
    print(next(lines))
    for heading, rows in groups.items():
        if rows:
            print(f"\n{heading}")
        for _ in rows:
            print(next(lines))
    if left_out:
        print(f"\n{left_out} more are other regions, plans and wires of these vendors: mimo-tui backends list --all")
    if settings.defaults.backend:
        print("\n* is used when no other is named")
    return 0


def _list_row(settings: Settings, name: str) -> Row:
    from tui.backends.resolve import resolve

    shown = f"{name} *" if name == settings.defaults.backend else name
    try:
        spec = resolve(settings, name)
    except ConfigError as error:
        return shown, "-", "-", f"no: {error.message}"
    address = "in this program" if spec.embedded else spec.base_url
    return shown, spec.model or "-", address, readiness(spec, settings)


def show(settings: Settings, name: str, model: str | None) -> int:
    """One backend in full: each value, and who said it."""
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import plain
    from tui.settings.learned import learned_of
    from tui.settings.schema import BackendConfig

    spec = resolve(settings, name, model)
    own = settings.backends.get(name) or BackendConfig()
    preset = presets().get(spec.preset)
    learned = {entry.rule: entry for entry in learned_of(spec.base_url, spec.model)}
    values = plain(spec) | {"key": "none is sent" if spec.credential == "none" else readiness(spec, settings)}
    values["headers"] = dict.fromkeys(spec.headers, "...")  # some carry secrets
    values["rules"]["thinking"] = list(spec.rules.thinking)
    rows = []
    for key in _SHOWN:
        if values.get(key) in (None, "", {}) and key in _SAID_IF_UNKNOWN:
            values[key] = "unknown"
        if values.get(key) not in (None, "", {}):
            is_option = key == "model" and model is not None
            source = "--model" if is_option else _source(own, preset, spec, key, learned)
            rows.append((key, source, _shown(values[key])))
    for rule in spec.rules.__struct_fields__:
        value = values["rules"].get(rule, getattr(spec.rules, rule))
        if value not in (None, ()) or rule in spec.sources:
            rows.append((f"rules.{rule}", _source_text(spec.sources.get(rule, ""), rule, learned), _shown(value)))
    print_table([("WHAT", "FROM", "VALUE"), *rows])
    _print_learned(spec, [entry for rule, entry in learned.items() if spec.sources.get(rule) == "learned"])
    return 0


def forget(settings: Settings, name: str, model: str | None) -> int:
    """Take back what the server taught of this model."""
    from tui.backends.resolve import resolve
    from tui.settings.learned import forget_learned

    spec = resolve(settings, name, model)
    count = forget_learned(spec.base_url, spec.model)
    where = f"{clean_line(spec.model or 'no model')} at {clean_line(spec.base_url)}"
    if count:
        print(f"Forgot {count} learned rule{'' if count == 1 else 's'} of {where}.")
    else:
        print(f"Nothing was learned of {where}.")
    return 0


def _print_learned(spec: BackendSpec, learned: list[Learned]) -> None:
    if not learned:
        return
    print("\nLearned from what the server said:")
    for entry in learned:
        print(f"  {clean_line(entry.rule)}, {clean_line(entry.when)}: {clean_line(entry.because, 300)}")
    print(f"mimo-tui backends show {spec.name} --forget takes it back.")


def _source(own: BackendConfig, preset: Preset | None, spec: BackendSpec, key: str, learned: dict[str, Learned]) -> str:
    """Who said a value: you, the preset, the catalogue of models, or (empty) nobody."""
    said = spec.sources.get("thinking_level" if key == "thinking" else key)
    if said or key in _SOURCED:
        return _source_text(said or "", key, learned)
    if getattr(own, key, None):
        return "you"
    if spec.embedded and key in ("body", "system_prompt"):
        return "the model"
    return "preset" if getattr(preset, key, None) else ""


def _source_text(source: str, key: str, learned: dict[str, Learned]) -> str:
    return f"learned {learned[key].when}" if source == "learned" and key in learned else source


def _shown(value: Any) -> str:
    from tui.core.codec import dumps
    from tui.settings.log import mask

    return mask(value if isinstance(value, str) and value else dumps(value))


async def show_models(settings: Settings, name: str) -> int:
    """The models that a server offers, with what it, the catalogue and the user say of them."""
    from tui.backends.backend import Backend
    from tui.backends.resolve import resolve

    spec = resolve(settings, name)
    backend = Backend(spec)
    try:
        models = await backend.list_models()
    finally:
        await backend.aclose()
    if not models:
        print(f"{spec.name} lists no models.")
        return 0
    print_table([("MODEL", "WINDOW", "IMAGES", "PRICE"), *(_model_row(settings, spec, model) for model in models)])
    return 0


def _model_row(settings: Settings, spec: BackendSpec, model: ModelInfo) -> Row:
    from msgspec import structs

    from tui.backends.check import price_text
    from tui.backends.models import informed
    from tui.backends.resolve import resolve

    try:
        known = resolve(settings, spec.name, model.id)
    except ConfigError:  # the level of thinking that is set is not one of its own
        known = structs.replace(spec, context_window=None, price=None)
    known = informed(known, model)
    window = f"{known.context_window:,} tokens" if known.context_window else "unknown"
    images = {True: "yes", False: "no", None: "unknown"}[known.rules.images]
    price = price_text(known.price) if known.price else "unknown"
    return f"{model.id} *" if model.id == spec.model else model.id, window, images, price


def readiness(spec: BackendSpec, settings: Settings) -> str:
    """Whether it could be asked, and if not what is missing; without asking any server."""
    if spec.embedded:
        from tui.backends.embedded.engine import has_engine, install_command
        from tui.backends.embedded.pull import is_broken, model_path

        if not has_engine():
            return f"no: xllamacpp is not installed: {install_command()}"
        if model_path(spec.model or ""):
            return "yes"
        state = "no, its file is broken" if is_broken(spec.model or "") else "no"
        return f"{state}: mimo-tui models pull {spec.model}"
    if spec.model is None:
        return f"no model is set: mimo-tui backends models {spec.name}"
    if spec.credential == "none":
        return "needs no key"
    return _key_readiness(spec, settings)


def _key_readiness(spec: BackendSpec, settings: Settings) -> str:
    from tui.settings.config import config_file
    from tui.settings.credentials import key_status, key_variable

    todo = f"mimo-tui keys set {spec.name}"
    try:
        is_there, said = key_status(spec.name, spec.base_url, spec.credential)
    except CredentialError as error:  # no keyring that could be used, so `keys set` would fail as well
        is_there, said = False, error.message
        if spec.name in settings.backends:
            way = f"set `credential` under [backends.{spec.name}] in {config_file()}"
        else:
            way = f"mimo-tui backends add {spec.name} --key-env {key_variable(spec.name)}"
        todo = f"{said.partition(':')[0]}; {way}"
    if is_there:
        return f"yes, key {said.partition(',')[0]}" if isinstance(spec.credential, dict) else "yes"
    if spec.local and spec.credential is None:
        return "has no key"  # a server of this machine mostly needs none
    return said if isinstance(spec.credential, dict) else f"no key: {todo}"


def print_table(rows: Sequence[Row]) -> None:
    """Columns as wide as what is in them."""
    for line in table_lines(rows):
        print(line)


def table_lines(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    cleaned = [[clean_line(cell, 500) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cleaned) for column in range(len(cleaned[0]) - 1)]
    for row in cleaned:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
