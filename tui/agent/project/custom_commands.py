"""Slash commands of the user's or the project's own: Markdown files whose text is sent with what follows the name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast, get_args

from tui.agent.project.front_matter import head_problem, read_document
from tui.agent.project.reading import names_in, read_text
from tui.settings.paths import config_dir
from tui.settings.project import project_root
from tui.settings.schema import Mode
from tui.settings.trust import trust_state

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_CALL = re.compile(r"/([a-z][a-z0-9-]{0,39})(?!\S)")
_PLACE = re.compile(r"\$(ARGUMENTS|[1-9]|\$)")
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


def find_commands(root: Path, *, is_trusted: bool, taken: Collection[str] = ()) -> list[CustomCommand]:
    """By name. Those of the project at `root` only when it is trusted; the user's own go before them. Blocking.

    `taken` are the names that the program's own commands have.
    """
    found = {command.name: command for command in project_commands(root, taken)} if is_trusted else {}
    found |= {command.name: command for command in _in_folder(_own_folder(), None, taken)}
    return [found[name] for name in sorted(found)]


def called_in(prompt: str, folder: Path, taken: Collection[str] = ()) -> tuple[CustomCommand, str] | None:
    """The command that a prompt begins with, `/name`, and the words behind it. Blocking."""
    if (match := _CALL.match(prompt)) is None:
        return None
    root = project_root(folder)
    commands = find_commands(root, is_trusted=trust_state(root) == "trusted", taken=taken)
    command = next((command for command in commands if command.name == match[1]), None)
    return None if command is None else (command, prompt[match.end() :].strip())


def why_unusable(prompt: str, folder: Path, taken: Collection[str] = ()) -> str | None:
    """Why a prompt that begins with `/name` calls no command though there is a file of that name. Blocking."""
    if (match := _CALL.match(prompt)) is None:
        return None
    root, file = project_root(folder), f"{match[1]}.md"
    is_trusted = trust_state(root) == "trusted"
    for place, within in ((_own_folder(), None), (_folder_in(root), root)):
        path = place / file
        if not path.exists():
            continue
        if within is not None and not is_trusted:
            return f"{path.relative_to(within)} does not count before you trust the folder (mimo-tui trust)"
        if isinstance(why := _command(path, within, taken), str):
            return f"{path.relative_to(within) if within else path} cannot be used: {why}"
    return None


def unusable_commands(root: Path, *, is_trusted: bool, taken: Collection[str] = ()) -> list[str]:
    """`FILE: why`, of each file that is no command; those of the project at `root` only when it is trusted."""
    brought = project_unusable_commands(root, taken) if is_trusted else []
    return [*_unusable(_own_folder(), None, taken), *brought]


def project_commands(root: Path, taken: Collection[str] = ()) -> list[CustomCommand]:
    """Those that the project at `root` brings, trusted or not."""
    return list(_in_folder(_folder_in(root), root, taken))


def project_unusable_commands(root: Path, taken: Collection[str] = ()) -> list[str]:
    """`FILE: why`, of what the project at `root` brings, trusted or not; the files as they are in it."""
    return _unusable(_folder_in(root), root, taken)


def expand(template: str, words: str) -> str:
    """`template` with what was written after the name: `$ARGUMENTS` is all of it, `$1` its first word, `$$` a `$`.

    Words are as a shell splits them. Where there is no place for them in the template, `words` follow it. What is put
    in is not looked through again.
    """
    values = [words, *_split(words)]
    has_place = False

    def value(match: re.Match[str]) -> str:
        nonlocal has_place
        if match[1] == "$":
            return "$"
        has_place = True
        place = 0 if match[1] == "ARGUMENTS" else int(match[1])
        return values[place] if place < len(values) else ""

    text = _PLACE.sub(value, template).strip()
    return text if has_place or not words else f"{text}\n\n{words}"


def _split(words: str) -> Sequence[str]:
    try:
        return shlex.split(words)
    except ValueError:  # a quote that is not closed
        return words.split()


def _own_folder() -> Path:
    return config_dir() / "commands"


def _folder_in(root: Path) -> Path:
    return root / ".mimo" / "commands"


def _in_folder(folder: Path, within: Path | None, taken: Collection[str]) -> Iterator[CustomCommand]:
    for path in _files(folder):
        if isinstance(command := _command(path, within, taken), CustomCommand):
            yield command


def _unusable(folder: Path, within: Path | None, taken: Collection[str]) -> list[str]:
    found = ((path, _command(path, within, taken)) for path in _files(folder))
    return [f"{path.relative_to(within) if within else path}: {why}" for path, why in found if isinstance(why, str)]


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in names_in(folder) if name.lower().endswith(".md") and name[0] != "."]


def _command(path: Path, within: Path | None, taken: Collection[str]) -> CustomCommand | str:
    """The command in a file, or why it is none."""
    if not _NAME.fullmatch(path.stem) or path.suffix != ".md":
        return "a command's name has small letters, digits and hyphens, at most 40, and then `.md`"
    if path.stem in taken:
        return f"/{path.stem} is a command of the program's own"
    text = read_text(path, within=within)
    if not text.strip():
        return "it is empty, no regular file, not readable, or leads out of the project"
    if "\ufffd" in text.rstrip("\ufffd"):  # at the end of a long one a character may be cut
        return "it is not UTF-8 text"
    if problem := head_problem(text):
        return problem
    fields, body = read_document(text)
    if not body.strip():
        return "there is no text below its head"
    mode = fields.get("mode") or None
    if mode is not None and mode not in get_args(Mode):
        return f"its `mode` is {mode[:40]!r}: it is {' or '.join(get_args(Mode))}"
    help = " ".join((fields.get("description") or body.strip().partition("\n")[0].lstrip("# ")).split())
    return CustomCommand(
        path.stem, help[:_LONGEST_HELP], body, cast(Mode | None, mode), fields.get("model") or None, within is not None
    )
