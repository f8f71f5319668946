"""What is remembered from one session to the next: about a project, and about the user everywhere.

    memory/NAME-HASH.md in the data folder     about one project, by the tool `remember`
    memory/everywhere.md in the data folder    for all folders, by the same tool
    memory.md beside config.toml               the user's own, which the program never writes

All are Markdown that people may edit.
"""

from __future__ import annotations

from pathlib import Path

from tui.core.errors import UsageError
from tui.settings.paths import config_dir, data_dir, write_private
from tui.settings.project import memory_file

LIMIT_CHARACTERS = 8000
"""Of each file so much is given to the model."""
_LONGEST_NOTE = 1000
_LARGEST_FILE = 64_000


def read_memory(folder: Path) -> str:
    """All that is remembered for work in `folder`; empty when that is nothing. Blocking, raises nothing."""
    files = (config_dir() / "memory.md", notes_file(folder, everywhere=True), notes_file(folder))
    texts = [_text(path) for path in files]
    return "\n\n".join(text for text in texts if text)


def notes_file(folder: Path, everywhere: bool = False) -> Path:
    """Where notes are put: those about the project of `folder`, or those for all folders."""
    return data_dir() / "memory" / "everywhere.md" if everywhere else memory_file(folder)


def add_memory(folder: Path, text: str, everywhere: bool = False) -> Path:
    """Remember a note about the project of `folder`, or for all, once; returns the file. Blocking.

    Raises UsageError for a note that is empty or too long, or one too many; MimoError when it cannot be written.
    """
    note = " ".join(text.split())
    if not note or len(note) > _LONGEST_NOTE:
        raise UsageError(f"a note has 1 to {_LONGEST_NOTE:,} characters, not {len(note):,}")
    path, line = notes_file(folder, everywhere), f"- {note}"
    old = _read(path)
    if line not in old.splitlines():
        if len(old) + len(line) > _LARGEST_FILE:
            raise UsageError("the memory is full", "Remove what is not needed any more: /memory opens it.")
        write_private(path, f"{old.rstrip()}\n{line}\n".lstrip())
    return path


def read_notes(folder: Path, everywhere: bool = False) -> str:
    """The notes as they are in their file; empty when there are none. Blocking, raises nothing."""
    return _read(notes_file(folder, everywhere))


def write_notes(folder: Path, text: str, everywhere: bool = False) -> None:
    """Put these notes in place of those that are there. Blocking; raises MimoError."""
    write_private(notes_file(folder, everywhere), f"{text.strip()}\n" if text.strip() else "")


def _text(path: Path) -> str:
    text = _read(path).strip()
    if len(text) <= LIMIT_CHARACTERS:
        return text
    return f"[The beginning was left out.]\n{text[-LIMIT_CHARACTERS:].partition(chr(10))[2]}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
