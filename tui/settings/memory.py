"""What is remembered from one session to the next: about a project, and about the user everywhere.

    memory/NAME-HASH.md in the data folder     about one project, by the tool `remember`
    memory.md beside config.toml               the user's own, which the program never writes

Both are Markdown that people may edit.
"""

from __future__ import annotations

from pathlib import Path

from tui.core.errors import UsageError
from tui.settings.paths import config_dir, write_private
from tui.settings.project import memory_file

LIMIT_CHARACTERS = 8000
"""Of each file so much is given to the model."""
_LONGEST_NOTE = 1000


def read_memory(folder: Path) -> str:
    """All that is remembered for work in `folder`; empty when that is nothing. Blocking, raises nothing."""
    texts = (_text(config_dir() / "memory.md"), _text(memory_file(folder)))
    return "\n\n".join(text for text in texts if text)


def add_memory(folder: Path, text: str) -> Path:
    """Remember a note about the project of `folder`, once; returns the file. Blocking.

    Raises UsageError for a note that is empty or too long, MimoError when it cannot be written.
    """
    note = " ".join(text.split())
    if not note or len(note) > _LONGEST_NOTE:
        raise UsageError(f"a note has 1 to {_LONGEST_NOTE:,} characters, not {len(note):,}")
    path, line = memory_file(folder), f"- {note}"
    old = _read(path)
    if line not in old.splitlines():
        write_private(path, f"{old.rstrip()}\n{line}\n".lstrip())
    return path


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
