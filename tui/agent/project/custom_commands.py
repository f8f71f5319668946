"""Slash commands of the user's or the project's own: Markdown files whose text is sent with what follows the name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from tui.agent.project.front_matter import read_document
from tui.agent.project.reading import names_in, read_text
from tui.settings.paths import config_dir
from tui.settings.project import project_root
from tui.settings.schema import Mode
from tui.settings.trust import trust_state

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\.md")
_CALL = re.compile(r"/([a-z][a-z0-9-]{0,39})(?!\S)")
_PLACE = re.compile(r"\$(ARGUMENTS|[1-9])")
_LONGEST_HELP = 100


class CustomCommand(NamedTuple):
    """A command that is a prompt."""

    name: str
    help: str
    """One line."""
    template: str
    mode: Mode | None = None
    model: str | None = None
    is_projects: bool = False

    def text(self, words: str) -> str:
        """What is sent for `/name words`."""
        return expand(self.template, words)


def find_commands(root: Path, *, is_trusted: bool) -> list[CustomCommand]:
    """By name. Those of the project at `root` only when it is trusted; the user's own go before them. Blocking."""
    found = {command.name: command for command in project_commands(root)} if is_trusted else {}
    found |= {command.name: command for command in _in_folder(config_dir() / "commands", None)}
    return [found[name] for name in sorted(found)]


def called_in(prompt: str, folder: Path) -> tuple[CustomCommand, str] | None:
    """The command that a prompt begins with, `/name`, and the words behind it. Blocking."""
    if (match := _CALL.match(prompt)) is None:
        return None
    root = project_root(folder)
    commands = find_commands(root, is_trusted=trust_state(root) == "trusted")
    command = next((command for command in commands if command.name == match[1]), None)
    return None if command is None else (command, prompt[match.end() :].strip())


def project_commands(root: Path) -> list[CustomCommand]:
    """Those that the project at `root` brings, trusted or not."""
    return _in_folder(root / ".mimo" / "commands", root)


def expand(template: str, words: str) -> str:
    """`template` with what was written after the name: `$ARGUMENTS` is all of it, `$1` its first word.

    Words are as a shell splits them. Where neither is in the template, `words` follow it. What is put in is not looked
    through again.
    """
    values = [words, *_split(words)]

    def value(match: re.Match[str]) -> str:
        place = 0 if match[1] == "ARGUMENTS" else int(match[1])
        return values[place] if place < len(values) else ""

    text, count = _PLACE.subn(value, template)
    return text.strip() if count or not words else f"{template.strip()}\n\n{words}"


def _split(words: str) -> Sequence[str]:
    try:
        return shlex.split(words)
    except ValueError:  # a quote that is not closed
        return words.split()


def _in_folder(folder: Path, within: Path | None) -> list[CustomCommand]:
    names = [name for name in names_in(folder) if _NAME.fullmatch(name)]
    commands = [_command(folder / name, within) for name in names]
    return [command for command in commands if command is not None]


def _command(path: Path, within: Path | None) -> CustomCommand | None:
    fields, body = read_document(read_text(path, within=within))
    if not body.strip():
        return None
    mode = fields.get("mode")
    help = " ".join((fields.get("description") or body.strip().partition("\n")[0].lstrip("# ")).split())
    return CustomCommand(
        path.stem,
        help[:_LONGEST_HELP],
        body,
        cast(Mode, mode) if mode in ("chat", "agent") else None,
        fields.get("model") or None,
        within is not None,
    )
