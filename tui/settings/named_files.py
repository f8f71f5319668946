"""The files of a project that the commands in its configuration name, and so may run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

_SPLIT = re.compile(r"[\s;|&()<>=`'\"$,:{}\[\]]+")
_WRITTEN = re.compile(r">[>|]?\s*[^\s;|&()<>]+")
"""What a shell only writes to: a hook's own output does not make it another hook."""
_MODULE = re.compile(r"(?:-m)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_READ_BY = {
    **dict.fromkeys(("make", "gmake"), _MAKEFILES),
    **dict.fromkeys(("npm", "npx", "yarn", "pnpm", "bun"), ("package.json",)),
    "just": ("justfile", "Justfile", ".justfile"),
}
"""By program, the files that say what it runs, in the folder that it works in."""
_ENTRIES = ("__main__.py", "index.js", "package.json")
"""What is run of a folder that is named to an interpreter."""
_MADE_BY_RUNNING = {".git", "__pycache__"}
_FOLDER_FILES = 500
_TRIES = 50_000
"""So many paths are looked for at most: with a longer list nobody would read the command either."""


def named_files(root: Path, commands: Iterable[Sequence[str]], whole_folders: bool) -> set[Path]:
    """The regular files in `root` that `commands` name, in whatever place: words of a shell's script, too.

    A word is looked for in the project's root and in each folder that the command names. With `whole_folders` these
    count with their files, up to a limit; else with those that an interpreter begins at. Blocking, raises nothing.
    """
    return {path for command in commands for path in islice(_of(root, command, whole_folders), _TRIES)}


def _of(root: Path, command: Sequence[str], whole_folders: bool) -> Iterator[Path]:
    words = list(dict.fromkeys(word for argument in command for word in _words(argument)))
    named = [path for word in words if (path := _inside(root, root, word)) is not None and os.path.isdir(path)]  # noqa: PTH112
    folders = list(dict.fromkeys([root, *named]))
    for folder in folders:
        candidates = [*words, *(name for word in words for name in _READ_BY.get(os.path.basename(word), ()))]  # noqa: PTH119
        for word in islice(candidates, _TRIES // len(folders)):
            if (path := _inside(root, folder, word)) is not None and _is_file(path):
                yield path
        if any(word.startswith("-m") for word in words):
            for word in words:
                if match := _MODULE.fullmatch(word):
                    yield from _files_of_module(folder, match[1])
        if folder != root:
            yield from _files_below(folder) if whole_folders else _existing(folder, _ENTRIES)


def _words(argument: str) -> Iterator[str]:
    """An argument, its parts as a shell would see them, and of each path also what follows its first folders."""
    for word in (argument, *_SPLIT.split(_WRITTEN.sub(" ", argument))):
        yield word
        while "/" in word:
            word = word.partition("/")[2]
            yield word


def _inside(root: Path, folder: Path, word: str) -> Path | None:
    if not word or len(word) > 4096 or "\0" in word:
        return None
    path = Path(os.path.normpath(folder / word))
    return path if path.is_relative_to(root) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _existing(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    yield from (path for name in names if _is_file(path := folder / name))


def _files_of_module(folder: Path, name: str) -> Iterator[Path]:
    """`srv` is srv.py or all of the folder srv; `a.srv` also what is run of `a` before it."""
    place = folder
    for part in name.split("."):
        yield from _existing(place, (f"{part}.py", f"{part}/__init__.py"))
        place /= part
    yield from _files_below(place)


def _files_below(folder: Path) -> Iterator[Path]:
    return islice(_walk(folder), _FOLDER_FILES)


def _walk(folder: Path) -> Iterator[Path]:
    for place, names, files in os.walk(folder):
        names[:] = sorted(set(names) - _MADE_BY_RUNNING)
        yield from _existing(Path(place), sorted(files))
