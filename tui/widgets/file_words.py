"""`@path` in the prompt: the word at the cursor, and what it becomes when a file is chosen."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(r"(?:^|(?<=\s))@(\S*)$")


class FileWord(NamedTuple):
    """The word that begins with `@` in column `start`; `path` is what follows, up to the cursor."""

    start: int
    path: str


def file_word(line: str, column: int) -> FileWord | None:
    """The word that is being written at `column` of a line, if it is one."""
    match = _WORD.search(line[:column])
    return FileWord(match.start(), match[1]) if match else None


def written(path: str) -> str:
    """A path as it stands among words."""
    return f'"{path}"' if any(char.isspace() for char in path) else path
