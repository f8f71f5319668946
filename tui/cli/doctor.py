"""`mimo-tui doctor`: what works on this machine and what does not, and what could be done about it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from tui import __version__
from tui.core.errors import MimoError
from tui.core.text import clean_line

_WIDTH = 2000
_MARKS = {"ok": "ok     ", "note": "note   ", "broken": "BROKEN "}


class Finding(NamedTuple):
    """One thing that was looked at. `note`: the program works without it; `broken`: it does not."""

    state: Literal["ok", "note", "broken"]
    what: str
    words: str


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show what works here. The exit code is 1 if something that is needed does not."


def run(args: argparse.Namespace) -> int:
    findings = list(_all(Path.cwd()))
    for finding in findings:
        print(f"{_MARKS[finding.state]}{finding.what:<12} {clean_line(finding.words, _WIDTH)}")
    return int(any(finding.state == "broken" for finding in findings))


def _all(folder: Path) -> Iterator[Finding]:
    looks: tuple[tuple[str, Callable[[Path], Iterator[Finding]]], ...] = (
        ("program", _program),
        ("settings", _settings),
        ("places", _places),
        ("sandbox", _sandbox),
        ("limits", _limits),
        ("ripgrep", _ripgrep),
        ("keyring", _keyring),
        ("embedded", _embedded),
        ("mcp", _servers),
        ("terminal", _terminal),
    )
    for what, look in looks:
        try:
            yield from look(folder)
        except MimoError as error:
            yield Finding("broken", what, f"{error.message}. {error.hint}")


def _program(folder: Path) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", "program", f"mimo-tui {__version__}, Python {version}, {sys.platform}")


def _settings(folder: Path) -> Iterator[Finding]:
    from tui.backends.resolve import presets
    from tui.settings.config import config_file, examine

    _, errors = examine(folder, presets())
    for error in errors:
        yield Finding("broken", "settings", f"{error.message}. {error.hint}")
    if not errors:
        path = config_file()
        yield Finding("ok", "settings", f"{path}{'' if path.exists() else ' is not there, which is fine'}")


def _places(folder: Path) -> Iterator[Finding]:
    """Whether the program could write where it keeps things; nothing is made for that."""
    from tui.settings.log import log_file
    from tui.settings.paths import cache_dir, config_dir, data_dir, state_dir

    for path in (config_dir(), data_dir(), state_dir(), cache_dir()):
        there = next(place for place in (path, *path.parents) if os.path.lexists(place))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            yield Finding("broken", "places", f"{path} cannot be written, because of {there}")
        elif there == path and hasattr(os, "geteuid") and path.stat().st_uid not in (os.geteuid(), 0):
            yield Finding("broken", "places", f"{path} belongs to another user")
    yield Finding("ok", "log", str(log_file()))


def _sandbox(folder: Path) -> Iterator[Finding]:
    from tui.tools.sandbox import find_sandbox, why_no_sandbox

    sandbox = find_sandbox()
    if sandbox is None:
        yield Finding("note", "sandbox", f"none works here, so each command is asked about: {why_no_sandbox()}")
        return
    if sandbox.gaps:
        yield Finding("note", "sandbox", f"{sandbox.name}, which has gaps, so each command is asked about:")
        yield from (Finding("note", "", f"- {gap}") for gap in sandbox.gaps)
    else:
        yield Finding("ok", "sandbox", sandbox.name)
    if objection := sandbox.objection(folder):
        yield Finding("note", "sandbox", f"not in this folder: {objection}")


def _limits(folder: Path) -> Iterator[Finding]:
    from tui.tools.limits import PROCESSES, file_bytes, memory_bytes
    from tui.tools.text_file import size_words

    memory = memory_bytes() if sys.platform == "linux" else None
    size = file_bytes(folder)
    parts = [f"{size_words(memory)} of memory a process"] if memory else []
    parts += [f"{size_words(size)} a file"] if size else []
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    parts += [] if is_root else [f"{PROCESSES} processes"]
    yield Finding("ok", "limits", f"a command may take {', '.join(parts)}, and its time")
    missing = "CPU, and memory of all its processes together"
    yield Finding("note", "limits", f"not limited here: {'processes (you are root), ' if is_root else ''}{missing}")


def _ripgrep(folder: Path) -> Iterator[Finding]:
    from tui.tools.errors import ToolError
    from tui.tools.ripgrep import ripgrep_path

    try:
        yield Finding("ok", "ripgrep", ripgrep_path())
    except ToolError as error:
        yield Finding("broken", "ripgrep", str(error))


def _keyring(folder: Path) -> Iterator[Finding]:
    from tui.settings.credentials import keyring_name

    try:
        yield Finding("ok", "keyring", keyring_name())
    except MimoError as error:
        yield Finding("note", "keyring", f"{error.message}. Keys can come from variables or commands")


def _embedded(folder: Path) -> Iterator[Finding]:
    from importlib.util import find_spec

    from tui.backends.embedded.pull import installed

    if find_spec("xllamacpp") is None:
        yield Finding("note", "embedded", "the extra [local] is not installed, so there is no built-in model")
        return
    names = ", ".join(model.name for model in installed())
    yield Finding("ok" if names else "note", "embedded", names or "no model is here: `mimo-tui models pull`")


def _servers(folder: Path) -> Iterator[Finding]:
    """Servers of tools that are configured: whether what starts or reaches them is there; none is started."""
    from tui.settings.config import examine
    from tui.settings.log import mask
    from tui.tools.mcp.library import is_installed, not_installed
    from tui.tools.mcp.programs import find_program

    servers = {name: server for name, server in examine(folder)[0].mcp.items() if server.enabled}
    if servers and not is_installed():
        yield Finding("note", "mcp", f"{not_installed().message}. {not_installed().hint}")
    for name, server in servers.items():
        try:
            where = find_program(server.command)[0] if server.command else mask(server.url or "")
            yield Finding("ok", "mcp", f"{name}: {where}")
        except MimoError as error:
            yield Finding("note", "mcp", f"{name}: {error.message}. {error.hint}")


def _terminal(folder: Path) -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding("note", "terminal", "this is none: only `mimo-tui run` and the like can be used")
        return
    columns, lines = shutil.get_terminal_size()
    term, colours = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "no COLORTERM")
    is_small = columns < 60 or lines < 15 or term in ("", "dumb")
    yield Finding("note" if is_small else "ok", "terminal", f"{term or 'no TERM'}, {colours}, {columns}x{lines}")
