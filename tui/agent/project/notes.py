"""What a project says about itself to agents: `AGENTS.md` from its root down to the working folder, nearest last.

An open convention without a schema: https://agents.md. One file a folder: `AGENTS.override.md`, else `AGENTS.md`; only
where no folder on the way has one, `CLAUDE.md`, `GEMINI.md` or `.github/copilot-instructions.md`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from tui.agent.project.reading import cut, read_text
from tui.settings.project import project_root

LIMIT_CHARACTERS = 32 * 1024
"""Of all notes together."""
_OWN = ("AGENTS.override.md", "AGENTS.md")
_OTHERS = ("CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md")


class Note(NamedTuple):
    """A file of notes."""

    name: str
    """Its path, from the project's root."""
    text: str


def notes_of(folder: Path) -> list[Note]:
    """The notes that hold in `folder`, those of its root first. Blocking, raises nothing."""
    root = project_root(folder)
    folders = _down_to(root, Path(os.path.realpath(folder)))
    if notes := _found(root, folders, _OWN):
        return notes
    for name in _OTHERS:
        if notes := _found(root, folders, (name,)):
            return notes
    return []


def notes_below(folder: Path, path: Path) -> list[Note]:
    """The notes of the folders between `folder` and the file at `path` in it, without those of `folder` itself."""
    if not path.is_relative_to(folder):
        return []
    down = _down_to(folder, path)[1:]
    folders = list(takewhile(os.path.isdir, down))  # a model may name a path of any depth, and of any length
    return _found(project_root(folder), folders, (*_OWN, *_OTHERS))


def joined(notes: Sequence[Note], limit: int = LIMIT_CHARACTERS) -> str:
    """All notes as one text. Where they are too long the nearest keep their room, as they have the last word."""
    parts: list[str] = []
    left = limit
    for note in reversed(notes):
        if left > 0:
            text = cut(note.text, left, note.name)
            parts.insert(0, f"## {note.name}\n{text}")
            left -= len(text)
        else:
            parts.insert(0, f"## {note.name}\n[left out: the notes are too long]")
    return "\n\n".join(parts)


def _found(root: Path, folders: Sequence[Path], names: Sequence[str]) -> list[Note]:
    return [note for folder in folders if (note := _note(root, folder, names)) is not None]


def _note(root: Path, folder: Path, names: Sequence[str]) -> Note | None:
    for name in names:
        if text := read_text(folder / name, within=root).strip():
            return Note((folder / name).relative_to(root).as_posix(), text)
    return None


def _down_to(first: Path, last: Path) -> list[Path]:
    """The folders from `first` down to `last`, both included."""
    parts = last.relative_to(first).parts
    return [first.joinpath(*parts[:count]) for count in range(len(parts) + 1)]
