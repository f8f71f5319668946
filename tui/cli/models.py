"""`mimo-tui models`: which models the program can serve by itself, fetching and removing them."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import signal
import sys
from collections.abc import Iterator

from tui.backends.embedded.catalogue import DEFAULT, EmbeddedModel
from tui.backends.embedded.engine import has_engine, install_command
from tui.backends.embedded.pull import (
    check_name,
    find,
    is_broken,
    known,
    model_path,
    models_dir,
    pull,
    pull_file,
    remove,
)
from tui.core.errors import ModelFileError, UsageError
from tui.core.text import clean_line


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|pull|remove")
    commands.add_parser("list", help="show the known models and which of them are here")
    fetch = commands.add_parser("pull", help="fetch a model", description="Fetch a model, or take in any GGUF file.")
    fetch.add_argument(
        "source",
        nargs="?",
        default=DEFAULT.name,
        metavar="NAME|PATH|URL",
        help=f"a known model (default: {DEFAULT.name}), or a GGUF file: with --name and --sha256",
    )
    fetch.add_argument("--name", metavar="NAME", help="what a GGUF of your own shall be called")
    fetch.add_argument("--sha256", metavar="HEX", help="its checksum, from a source that you trust")
    fetch.add_argument("--yes", "-y", action="store_true", help="do not ask")
    drop = commands.add_parser(
        "remove", help="remove a fetched model", description="Remove the file of a model. It can be fetched again."
    )
    drop.add_argument("name", metavar="NAME", help="its name in `mimo-tui models list`")


def run(args: argparse.Namespace) -> int:
    match args.command:
        case "list":
            return _list()
        case "pull":
            with _ended_cleanly():
                return _pull(args)
        case _:
            return _remove(args.name)


def _list() -> int:
    rows = [("NAME", "DOWNLOAD", "ON DISK", "LICENCE", "HERE", "WHERE")]
    for model in known():
        path = model_path(model.name)
        place = str(path) if path else f"from {model.source}"
        here = "yes" if path else "no"
        if is_broken(model.name):
            here, place = "broken", f"fetch it again: mimo-tui models pull {model.name}"
        download = _size(model.package.size if model.package else model.size)
        rows.append((model.name, download, _size(model.size), model.licence or "unknown", here, place))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [clean_line(cell).ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        print("  ".join(cells).rstrip())
    return 0


def _pull(args: argparse.Namespace) -> int:
    model = None if args.name or args.sha256 else find(args.source)
    if model is None and not (args.name and args.sha256):
        raise _not_enough(args.source)
    if not has_engine():
        raise UsageError(
            "a model that is fetched could not be used: xllamacpp is not installed",
            f"Install it first: {install_command()}",
        )
    name = model.name if model else args.name
    if model and (path := model_path(name)):
        print(f"{name} is here already: {clean_line(str(path), 500)}")
        return 0
    check_name(name, new=model is None)
    source, sha256 = (model.source, model.sha256) if model else (args.source, args.sha256)
    _describe(name, model, source)
    if not (args.yes or _agreed()):
        print("Nothing was fetched.", file=sys.stderr)
        return 1
    with _Progress(name) as progress:
        if model and model.package:
            path = pull(model, progress.show)
        else:
            path = pull_file(source, name, sha256, progress.show)
    print(f"{name} is here: {clean_line(str(path), 500)}")
    return 0


def _remove(name: str) -> int:
    if remove(name):
        print(f"{name} is removed.")
        return 0
    names = [model.name for model in known()]
    if name in names:
        raise ModelFileError(f"{name} is not here", "mimo-tui models list")
    raise UsageError(f"there is no model {clean_line(name)}{_meant(name, names)}", "mimo-tui models list")


def _describe(name: str, model: EmbeddedModel | None, source: str) -> None:
    """What will be fetched, before anything is: on standard error, like the question that follows."""
    if model and model.package:
        size = f"{_size(model.package.size)} to download, {_size(model.size)} on disk"
    else:
        size = "not known before"
    lines = {
        "model": name,
        "size": size,
        "licence": (model.licence if model else "") or "not known",
        "from": model.source if model else source,
        "to": str(models_dir()),
    }
    for word, value in lines.items():
        print(f"  {word:<8} {clean_line(value, 500)}", file=sys.stderr)


def _agreed() -> bool:
    """Ask on the terminal; raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("fetching a model needs your word, and this is not a terminal", "Say it with --yes.")
    print("Fetch it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _not_enough(source: str) -> UsageError:
    names = [model.name for model in known()]
    if "/" in source or source.endswith(".gguf"):
        return UsageError(
            "a GGUF of your own needs --name NAME and --sha256 HEX",
            "The checksum is on the page where the file is from; `sha256sum FILE` (macOS: `shasum -a 256`) prints it.",
        )
    return UsageError(
        f"there is no model {clean_line(source)}{_meant(source, names)}",
        f"Known: {', '.join(names)}. Any other GGUF: mimo-tui models pull PATH|URL --name NAME --sha256 HEX",
    )


def _meant(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f", did you mean {close[0]}?" if close else ""


def _size(size: int) -> str:
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size < 10e6 else f"{size / 1e6:.0f} MB"


class _Progress:
    """How far a fetch has come, on standard error: one line that changes, or without a terminal a line each quarter."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changes = sys.stderr.isatty()
        self._last = ""

    def show(self, done: int, total: int) -> None:
        part = done / total if total else 0
        if not self._changes:
            part = part * 4 // 1 / 4
            done = int(total * part) if total else 0
        share = f" of {_size(total)}  {part:4.0%}" if total else ""
        line = f"{self._name}: {_size(done)}{share}"
        if line != self._last and (total or self._changes):
            print(f"\r{line}\x1b[K" if self._changes else line, end="" if self._changes else "\n", file=sys.stderr)
            sys.stderr.flush()
            self._last = line

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._changes and self._last:
            print(file=sys.stderr)


@contextlib.contextmanager
def _ended_cleanly() -> Iterator[None]:
    """While fetching, `kill` and a closed terminal are like ctrl+c: what came is removed before the program ends."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signals = [signal.SIGTERM] + ([signal.SIGHUP] if sys.platform != "win32" else [])
    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
