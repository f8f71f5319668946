"""`mimo-tui backends`: which models can be asked, adding one, trying one out."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.core.errors import ConfigError, CredentialError, UsageError
from tui.core.text import clean_line

if TYPE_CHECKING:
    from tui.backends.resolve import Preset
    from tui.backends.spec import BackendSpec
    from tui.settings.schema import BackendConfig, Settings


_SHOWN = (
    *("preset", "wire", "base_url", "model", "strategy", "context_window", "max_output", "price", "thinking"),
    *("timeouts", "retries", "proxy", "ca_file", "headers", "body", "system_prompt", "key_page", "key"),
)
"""What `show` shows of a spec, before its rules."""


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|add|show|test|models|remove")
    commands.add_parser("list", help="show all backends, and which are ready to be asked (asks no server)")
    adding = commands.add_parser("add", help="keep a new backend", description="Keep a backend in a file of its own.")
    adding.add_argument("name", metavar="NAME", help="what it shall be called")
    adding.add_argument("--preset", metavar="P", help="start from what is known of a vendor; NAME may be a preset's")
    adding.add_argument("--base-url", metavar="URL", help="where its server is, with the /v1")
    adding.add_argument("--model", metavar="ID", help="the model to ask")
    adding.add_argument(
        "--wire", metavar="W", help="the protocol it speaks; default: the preset's, or chat-completions"
    )
    key = adding.add_mutually_exclusive_group()
    key.add_argument("--key-env", metavar="VAR", help="its key is in this environment variable, not in the keyring")
    key.add_argument("--no-key", action="store_true", help="it needs no key")
    for name, help in {
        "show": "show what is known and set of a backend, and by whom",
        "test": "try a backend out, point by point (three small requests); exit code 1 if it does not work",
        "models": "list the models that its server offers",
        "remove": "forget a backend that was added, and its key",
    }.items():
        command = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        command.add_argument("name", metavar="NAME", help="a backend of the settings, or a preset")
        if name in ("show", "test"):
            command.add_argument("--model", metavar="ID", help="another model than the one that is set")


def run(args: argparse.Namespace) -> int:
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import load

    settings = load(Path.cwd(), presets())
    match args.command:
        case "list":
            return _list(settings)
        case "add":
            return _add(settings, args)
        case "show":
            return _show(settings, args.name, args.model)
        case "test":
            return asyncio.run(_test(resolve(settings, args.name, args.model)))
        case "models":
            return asyncio.run(_models(resolve(settings, args.name)))
        case _:
            return _remove(settings, args.name)


def _list(settings: Settings) -> int:
    from tui.backends.resolve import known_names, resolve

    rows = [("NAME", "MODEL", "ADDRESS", "READY")]
    for name in known_names(settings):
        shown = f"{name} *" if name == settings.defaults.backend else name
        try:
            spec = resolve(settings, name)
        except ConfigError as error:
            rows.append((shown, "-", "-", f"no: {error.message}"))
            continue
        address = "in this program" if spec.embedded else spec.base_url
        rows.append((shown, spec.model or "-", address, _readiness(spec, settings)))
    _print_table(rows)
    if settings.defaults.backend:
        print("\n* is used when no other is named")
    return 0


def _readiness(spec: BackendSpec, settings: Settings) -> str:
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


def _add(settings: Settings, args: argparse.Namespace) -> int:
    from msgspec import structs

    from tui.backends.resolve import presets, resolve
    from tui.settings.checking import Problem, check
    from tui.settings.config import save_backend
    from tui.settings.schema import BackendConfig

    name = args.name
    if name in settings.backends:
        raise UsageError(
            f"there is a backend {name} already",
            f"Look at it with `mimo-tui backends show {name}`. "
            f"If it was added by this command, `mimo-tui backends remove {name}` makes room.",
        )
    table: dict[str, Any] = {
        "preset": args.preset or (name if name in presets() and not args.base_url else None),
        "wire": args.wire,
        "base_url": args.base_url,
        "model": args.model,
        "credential": {"env": args.key_env} if args.key_env is not None else "none" if args.no_key else None,
    }
    table = {key: value for key, value in table.items() if value is not None}
    problems: list[Problem] = []
    backend = check(table, BackendConfig, problems)
    for problem in problems:
        option = {"credential": "key-env"}.get(str(problem.key[0]), str(problem.key[0]).replace("_", "-"))
        raise UsageError(f"--{option}: {problem.message}", problem.hint)
    spec = resolve(structs.replace(settings, backends={**settings.backends, name: backend}), name)
    path = save_backend(name, table)
    print(f"Added {name}: {clean_line(spec.model or 'no model yet')} at {clean_line(spec.base_url)}")
    print(f"It is kept in {clean_line(str(path), 1000)}")
    print(_next_steps(spec))
    return 0


def _next_steps(spec: BackendSpec) -> str:
    steps = []
    if spec.embedded:
        steps.append(f"fetch its model: mimo-tui models pull {spec.model}")
    elif spec.credential is None:
        page = f" (made at {spec.key_page})" if spec.key_page else ""
        word = "if it wants a key, set it" if spec.local else "set its key"
        steps.append(f"{word}: mimo-tui keys set {spec.name}{page}")
    elif isinstance(spec.credential, dict) and "env" in spec.credential:
        steps.append(f"put its key into the environment variable {spec.credential['env']}")
    if spec.model is None:
        steps.append(f"see its models: mimo-tui backends models {spec.name}; name one with --model")
    steps.append(f"try it out: mimo-tui backends test {spec.name}")
    steps.append(f"use it: mimo-tui --backend {spec.name}")
    return "\n".join(["Next:", *(f"  {clean_line(step)}" for step in steps)])


def _show(settings: Settings, name: str, model: str | None) -> int:
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import plain
    from tui.settings.schema import BackendConfig

    spec = resolve(settings, name, model)
    own = settings.backends.get(name) or BackendConfig()
    preset = presets().get(spec.preset)
    values = plain(spec) | {"key": "none is sent" if spec.credential == "none" else _key_readiness(spec, settings)}
    values["headers"] = dict.fromkeys(spec.headers, "...")  # some carry secrets
    values["rules"]["thinking"] = list(spec.rules.thinking)
    rows = []
    for key in _SHOWN:
        if values.get(key) not in (None, "", {}):
            is_option = key == "model" and model is not None
            source = "--model" if is_option else _source(own, preset, spec, key)
            rows.append((key, source, _shown(values[key])))
    for rule, value in values["rules"].items():
        if rule in (own.rules or {}):
            source = "you"
        else:
            source = "preset" if preset and rule in preset.rules else ""
        rows.append((f"rules.{rule}", source, _shown(value)))
    _print_table([("WHAT", "FROM", "VALUE"), *rows])
    return 0


def _source(own: BackendConfig, preset: Preset | None, spec: BackendSpec, key: str) -> str:
    """Who set a value: you, the preset, the catalogue of models, or (empty) nobody."""
    if getattr(own, key, None):
        return "you"
    if getattr(preset, key, None):
        return "preset"
    if spec.embedded and key in ("body", "system_prompt"):
        return "the model"
    return "catalogue" if key in ("price", "context_window") else ""


def _shown(value: Any) -> str:
    from tui.core.codec import dumps
    from tui.settings.log import mask

    return mask(value if isinstance(value, str) and value else dumps(value))


async def _test(spec: BackendSpec) -> int:
    from tui.backends.backend import Backend
    from tui.backends.check import checks

    backend = Backend(spec)
    is_good = True
    try:
        async for result in checks(backend):
            is_good = is_good and result.ok
            print(f"{'ok' if result.ok else 'FAILED':<8}{result.name:<8}{clean_line(result.detail, 2000)}", flush=True)
    finally:
        await backend.aclose()
    return 0 if is_good else 1


async def _models(spec: BackendSpec) -> int:
    from tui.backends.backend import Backend

    backend = Backend(spec)
    try:
        models = await backend.list_models()
    finally:
        await backend.aclose()
    if not models:
        print(f"{spec.name} lists no models.")
    rows = [
        (
            f"{model.id} *" if model.id == spec.model else model.id,
            f"{model.context_window:,} tokens" if model.context_window else "",
        )
        for model in models
    ]
    _print_table(rows)
    return 0


def _remove(settings: Settings, name: str) -> int:
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import config_file, load, remove_backend

    spec = resolve(settings, name)
    if not remove_backend(name):
        where = "is built in" if name not in settings.backends else f"is in {config_file()}, which is yours to change"
        raise UsageError(f"{name} was not added by `mimo-tui backends add`: it {where}")
    print(f"Removed {name}.")
    left = load(Path.cwd(), None)
    if name in left.backends or name in presets():
        print(f"The name still means the {'one in your config file' if name in left.backends else 'preset'}.")
    elif _forgot_key(spec):
        print("Its key was removed from the keyring.")
    return 0


def _forgot_key(spec: BackendSpec) -> bool:
    from tui.settings.credentials import remove_key

    if spec.embedded or spec.credential not in (None, "keyring"):
        return False
    try:
        return remove_key(spec.name, spec.base_url)
    except CredentialError:
        return False


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as what is in them."""
    if not rows:
        return
    cleaned = [[clean_line(cell, 500) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cleaned) for column in range(len(cleaned[0]) - 1)]
    for row in cleaned:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
