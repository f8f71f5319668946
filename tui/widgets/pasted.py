"""What is pasted: its lines, and what it may be: the paths that a terminal writes when files are dropped on it."""

from __future__ import annotations

import re
import shlex
from urllib.parse import unquote, urlsplit

_LONGEST = 8192
_MOST_LINES = 20
_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_PLACE = re.compile(r"(/|~|\.{1,2}/|file://)")


def as_lines(text: str) -> str:
    """A pasted text with line feeds at its line ends: terminals paste them as carriage returns."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def looks_like_image(name: str) -> bool:
    """By its name alone; what it holds decides when it is read."""
    return name.casefold().endswith(_SUFFIXES)


def readings(text: str, is_meant: bool = False) -> list[list[str]]:
    """The ways in which a text can be read as paths and nothing else, the likeliest first; empty when in none.

    One path with bare spaces; or several, quoted, with escaped spaces, or a `file://` address a line. With `is_meant`
    a relative path need not look like one: the first reading is then the text itself.
    """
    text = text.strip()
    lines = text.splitlines()
    if not text or len(text) > _LONGEST or len(lines) > _MOST_LINES:
        return []
    try:
        split = [word for line in lines for word in shlex.split(line)]
    except ValueError:  # a quote that is not closed
        split = []
    found = [[text]] if len(lines) == 1 else [lines]
    if split and split not in found:
        found.append(split)
    return [[_path(word) for word in words] for words in found if is_meant or all(map(_may_be_path, words))]


def _may_be_path(word: str) -> bool:
    return _PLACE.match(word) is not None or looks_like_image(word)


def _path(word: str) -> str:
    """The path that a `file://` address names; anything else as it is."""
    if not word.startswith("file://"):
        return word
    try:
        return unquote(urlsplit(word).path)
    except ValueError:
        return word
