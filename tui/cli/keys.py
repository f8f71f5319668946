"""`mimo-tui keys`: put the key of a backend into the system keyring, see whether it is there, take it out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.errors import UsageError
from tui.core.text import clean_line

if TYPE_CHECKING:
    from tui.backends.spec import BackendSpec
    from tui.settings.credentials import Secret
    from tui.settings.schema import Settings

_LONGEST_KEY_BYTES = 10_000
_NAMED = "name:"
"""How what belongs to no backend is written: `{ keyring = "github" }` in the settings is `name:github` here."""
_BACKEND = "a backend of the settings, or a preset: mimo-tui backends list; or name:NAME, for servers of tools"


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="set|status|remove")
    description = (
        "Keep the key of a backend in the system keyring. "
        "Asks for it without showing it, or reads it from standard input: mimo-tui keys set NAME < file"
    )
    setting = commands.add_parser("set", help="keep a key", description=description)
    setting.add_argument("backend", metavar="BACKEND", help=_BACKEND)
    # What follows is taken in only to be refused in words of our own: argparse would print it, and it may be the key.
    rest = setting.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    rest.required = False  # else argparse asks for it by this name when BACKEND is missing
    for name, help, description in (
        (
            "status",
            "say whether there is a key; exit code 1 if there is none",
            "Say whether there is a key, and where it comes from; it is not shown. "
            "Exit code 0 if there is one, 1 if there is none, 2 if it cannot be told: no keyring, no such backend.",
        ),
        ("remove", "forget a key", "Take the key of a backend out of the keyring. Exit code 1 if there is none."),
    ):
        command = commands.add_parser(name, help=help, description=description)
        command.add_argument("backend", metavar="BACKEND", help=_BACKEND)


def run(args: argparse.Namespace) -> int:
    from tui.backends.resolve import presets, resolve
    from tui.settings.config import load

    if getattr(args, "rest", None):
        raise UsageError(
            "a key is not taken as an argument: others on this machine could read it, and it would stay in the history",
            "Give the backend's name alone: the key is asked for, or read from standard input.",
        )
    if args.backend.startswith(_NAMED):
        return _named(args.command, args.backend.removeprefix(_NAMED))
    settings = load(Path.cwd(), presets())
    spec = _search_engine(settings, args.backend) or resolve(settings, args.backend)
    match args.command:
        case "set":
            return _set(spec)
        case "status":
            return _status(spec)
        case _:
            return _remove(spec)


def _named(command: str, name: str) -> int:
    from tui.settings.named_keys import has_named_key, remove_named_key, set_named_key

    shown = clean_line(name)
    is_there = has_named_key(name)  # whoever has no usable keyring learns it before typing a key
    if command == "set":
        secret = _asked(f"The value named {shown}", f"{_NAMED}{shown}") if sys.stdin.isatty() else _piped()
        set_named_key(name, secret)
        print(f"It is in the keyring, for who names it: {{ keyring = {shown!r} }}.")
        return 0
    if command == "remove":
        is_there = remove_named_key(name)
        print(f"{shown} is not in the keyring{' any more' if is_there else ''}.")
    else:
        print(f"{shown} is {'in' if is_there else 'not in'} the keyring.")
    return 0 if is_there else 1


def _search_engine(settings: Settings, name: str) -> BackendSpec | None:
    """The search engine of the tool `web_search`, which has a key like a backend; one's own backend is before it."""
    from tui.backends.spec import BackendSpec
    from tui.settings.schema import WebSearch
    from tui.tools.web_search import ENGINES, search_url

    config = settings.agent.web_search
    if name in settings.backends or (name not in ENGINES and (config is None or config.kind != name)):
        return None
    if config is None or config.kind != name:
        config = WebSearch(kind=name)  # type: ignore[arg-type]
    return BackendSpec(name, "", "", search_url(config), None, credential=config.credential)  # type: ignore[arg-type]


def _set(spec: BackendSpec) -> int:
    from tui.settings.credentials import key_status, origin_of, set_key

    _refuse_other_sources(spec)
    origin = clean_line(origin_of(spec.base_url))
    key_status(spec.name, spec.base_url, None)  # whoever has no usable keyring learns it before typing a key
    if spec.key_page and sys.stdin.isatty():
        print(f"A key can be made at {clean_line(spec.key_page)}", file=sys.stderr)
    secret = _asked(f"Key of {spec.name} for {origin}", spec.name) if sys.stdin.isatty() else _piped()
    keyring = set_key(spec.name, spec.base_url, secret)
    print(f"The key of {spec.name} is in the keyring ({keyring}). It will be sent to {origin} and nowhere else.")
    return 0


def _status(spec: BackendSpec) -> int:
    from tui.settings.credentials import key_status

    is_there, line = key_status(spec.name, spec.base_url, spec.credential)
    print(f"{spec.name}: {clean_line(line)}")
    return 0 if is_there else 1


def _remove(spec: BackendSpec) -> int:
    from tui.settings.credentials import origin_of, remove_key

    if spec.embedded:  # has no address that a key could belong to
        _refuse_other_sources(spec)
    origin = clean_line(origin_of(spec.base_url))
    if not remove_key(spec.name, spec.base_url):
        print(f"There is no key of {spec.name} for {origin} in the keyring.")
        return 1
    print(f"The key of {spec.name} for {origin} is not in the keyring any more.")
    return 0


def _refuse_other_sources(spec: BackendSpec) -> None:
    """A key in the keyring would lie there unused, and its owner would wonder."""
    match spec.credential:
        case "none":
            source = "needs no key, so none is kept for it"
        case {"env": name}:
            source = f"takes its key from the environment variable {name}, not from the keyring"
        case {"command": _}:
            source = "takes its key from a command, not from the keyring"
        case _:
            return
    hint = f'To change that, set `credential = "keyring"` under [backends.{spec.name}] in the config file.'
    raise UsageError(f"backend {spec.name} {source}", "" if spec.embedded else hint)


def _asked(what: str, name: str) -> Secret:
    import warnings
    from getpass import GetPassWarning, getpass

    from tui.settings.credentials import secret_from

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            return secret_from(getpass(f"{what} (it is not shown): "))
    except EOFError as error:
        raise UsageError("no key was given") from error
    except GetPassWarning as error:
        hint = f"Read it from a file or a program instead: mimo-tui keys set {name} < file"
        raise UsageError("this terminal cannot hide what is typed, so no key is asked for", hint) from error


def _piped() -> Secret:
    from tui.settings.credentials import secret_from

    data = sys.stdin.buffer.read(_LONGEST_KEY_BYTES + 1)
    if len(data) > _LONGEST_KEY_BYTES:
        raise UsageError("that is not a key: it is too long", "Standard input is to be the key and nothing else.")
    return secret_from(data.decode(errors="replace"))
