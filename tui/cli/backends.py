"""`mimo-tui backends`: which models can be asked, adding one, trying one out."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.core.errors import CredentialError, UsageError
from tui.core.text import clean_line

if TYPE_CHECKING:
    from tui.backends.spec import BackendSpec
    from tui.settings.schema import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|add|show|test|models|remove")
    listing = commands.add_parser("list", help="show all backends, and which are ready to be asked (asks no server)")
    listing.add_argument("--all", action="store_true", help="also other regions, plans and wires of the same vendors")
    adding = commands.add_parser("add", help="keep a new backend", description="Keep a backend in a file of its own.")
    adding.add_argument("name", metavar="NAME", help="what it shall be called")
    adding.add_argument("--preset", metavar="P", help="start from what is known of a vendor; NAME may be a preset's")
    adding.add_argument("--base-url", metavar="URL", help="where its server is, with the /v1 if it has one")
    adding.add_argument("--model", metavar="ID", help="the model to ask")
    adding.add_argument(
        "--wire",
        metavar="W",
        help="its protocol: chat-completions, messages, responses or ollama; default: the preset's, or the first",
    )
    adding.add_argument("--thinking", metavar="LEVEL", help="off, low, medium, high or max, as far as the model has it")
    key = adding.add_mutually_exclusive_group()
    key.add_argument("--key-env", metavar="VAR", help="its key is in this environment variable, not in the keyring")
    key.add_argument("--no-key", action="store_true", help="it needs no key")
    for name, help in {
        "show": "show what is known and set of a backend, its rules too, and by whom",
        "test": "try a backend out, point by point (a few small requests); exit code 1 if it does not work",
        "models": "list the models that its server offers, with what is known of them",
        "remove": "forget a backend that was added, and its key",
    }.items():
        command = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        command.add_argument("name", metavar="NAME", help="a backend of the settings, or a preset")
        if name in ("show", "test"):
            command.add_argument("--model", metavar="ID", help="another model than the one that is set")
        if name == "show":
            command.add_argument("--forget", action="store_true", help="forget what the server taught of this model")


def run(args: argparse.Namespace) -> int:
    from tui.backends.resolve import presets, resolve
    from tui.cli import backends_shown
    from tui.settings.config import load

    settings = load(Path.cwd(), presets())
    match args.command:
        case "list":
            return backends_shown.show_list(settings, args.all)
        case "add":
            return _add(settings, args)
        case "show":
            shown = backends_shown.forget if args.forget else backends_shown.show
            return shown(settings, args.name, args.model)
        case "test":
            return asyncio.run(_test(resolve(settings, args.name, args.model)))
        case "models":
            return asyncio.run(backends_shown.show_models(settings, args.name))
        case _:
            return _remove(settings, args.name)


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
        "thinking": args.thinking,
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


async def _test(spec: BackendSpec) -> int:
    from tui.backends.backend import Backend
    from tui.backends.check import checks

    backend = Backend(spec)
    is_good = True
    try:
        async for result in checks(backend):
            is_good = is_good and result.ok
            print(f"{'ok' if result.ok else 'FAILED':<8}{result.name:<10}{clean_line(result.detail, 2000)}", flush=True)
    finally:
        await backend.aclose()
    return 0 if is_good else 1


def _remove(settings: Settings, name: str) -> int:
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import config_file, load, remove_backend

    spec = resolve(settings, name)
    if not remove_backend(name, presets()):
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
