"""Where a path that the model wrote leads: inside the folder or out of it, and whether it is kept from change."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tui.settings.regular_files import open_regular
from tui.tools.errors import ToolError
from tui.tools.git_files import KEPT, MARKS, is_git_folder

_SOURCE = Path(__file__).resolve().parents[1]
_GITDIR_LIMIT_BYTES = 4096
_NAME_BYTES, _PATH_BYTES = 255, 4096
"""File systems take no longer names, and Linux no longer path."""
_NAMES_LIMIT = 5000
_NEAR = 3
_ALIKE = 65
"""Of 100: names that are less like the one that was written are not what was meant."""
_PART_CHARACTERS = 3


class Location(NamedTuple):
    """A path with every link in it followed, its missing part included."""

    path: Path
    inside: bool
    """In the folder, or the folder itself. A link in the folder that leads out of it is outside."""
    protected: bool
    """Read-only to tools and commands in every policy: `.git/hooks`, `.git/config` and the like, `.mimo`, and what the
    program itself runs from."""
    error: str = ""
    """Why this can be no path at all: a sentence for the model. `inside` is False then."""


def locate(folder: Path, path: str) -> Location:
    """Where `path` leads, relative ones from `folder`; `~` is a name like any other. Blocking, raises nothing."""
    if "\0" in path:
        return Location(folder, False, False, "A path cannot have a NUL character in it.")
    try:
        root = os.path.realpath(folder)
        resolved = Path(os.path.realpath(Path(root) / path))  # an absolute path replaces the root
    except (OSError, ValueError) as error:  # characters that the file system's encoding does not have
        return Location(folder, False, False, f"{shown(path)} is not a usable path: {error}.")
    if len(encoded := os.fsencode(resolved)) >= _PATH_BYTES or max(map(len, encoded.split(b"/"))) > _NAME_BYTES:
        return Location(
            folder, False, False, f"The path has too long a name in it, or is too long: {shown(path)[:80]} …"
        )
    inside = resolved.is_relative_to(root)
    names = resolved.relative_to(root).parts if inside else resolved.parts
    protected = _is_protected(names) or _is_in_moved_git(Path(root), resolved) or _is_in_git_like(resolved)
    protected = protected or _is_in_own_environment(root, resolved)
    return Location(resolved, inside, protected)


def located(folder: Path, path: str, *, for_change: bool = False, places: tuple[Path, ...] | None = None) -> Path:
    """The path that a tool works on. Raises ToolError for what can be no path, `for_change` for a protected one too,
    and for one that leads to none of `places`, where the call's paths led when it was judged (None: it was not).
    """
    location = locate(folder, path)
    if location.error:
        raise ToolError(location.error)
    if places is not None and location.path not in places:
        raise ToolError(f"{shown(path)} has come to lead elsewhere since this was allowed, so nothing was done.")
    if for_change and location.protected:
        raise ToolError(f"{shown(path)} is read-only to tools, so that nothing but the user changes what runs there.")
    return location.path


def shown(path: str | Path, folder: Path | None = None) -> str:
    """A path as text for the model: from `folder` where it is inside, and on one line whatever is in its name."""
    if folder is not None:
        with contextlib.suppress(ValueError):
            path = Path(path).relative_to(os.path.realpath(folder))
    text = str(path)
    return text if text.isprintable() else repr(text)


def missing(path: Path, folder: Path) -> ToolError:
    """The error for a path that does not exist, with the names that are nearest to it."""
    name, parent = path.name, path.parent
    while not parent.is_dir() and parent != parent.parent:
        if parent.exists():
            return _in_a_file(path, parent, folder)
        name, parent = parent.name, parent.parent
    hint = ""
    if near := _nearest(name, parent):
        hint = f" Near it in {shown(parent, folder)}: {', '.join(shown(name) for name in near)}."
    return ToolError(f"{shown(path, folder)} does not exist.{hint}")


def refuse_in_a_file(path: Path, folder: Path) -> None:
    """Raise ToolError for a new file where a folder on its way is a file."""
    above = next((parent for parent in path.parents if os.path.lexists(parent)), path.parent)
    if not above.is_dir():
        raise _in_a_file(path, above, folder)


def _in_a_file(path: Path, file: Path, folder: Path) -> ToolError:
    return ToolError(f"{shown(file, folder)} is a file, not a folder, so {shown(path, folder)} cannot be in it.")


def _nearest(name: str, parent: Path) -> list[str]:
    from rapidfuzz import fuzz, utils

    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in itertools.islice(entries, _NAMES_LIMIT)]
    except OSError:
        return []
    wanted = utils.default_process(name)
    scores = {}
    for there in names:
        plain = utils.default_process(there)
        shorter = min(wanted, plain, key=len)
        is_part = len(shorter) >= _PART_CHARACTERS and shorter in wanted and shorter in plain
        scores[there] = max(fuzz.ratio(wanted, plain), fuzz.token_sort_ratio(wanted, plain), _ALIKE * is_part)
    near = [there for there in names if scores[there] >= _ALIKE]
    return sorted(near, key=lambda there: (-scores[there], there))[:_NEAR]


def git_folder(folder: Path) -> Path | None:
    """The folder's own git data with links and `gitdir:` files followed; None when there is none. Blocking."""
    dot_git = folder / ".git"
    try:
        if dot_git.is_dir():
            return Path(os.path.realpath(dot_git))
        with open_regular(dot_git) as file:  # never waits for a pipe
            text = os.fsdecode(file.read(_GITDIR_LIMIT_BYTES))
        label, _, target = text.partition(":")
        if label != "gitdir" or not target.strip():
            return None
        return Path(os.path.realpath(folder / target.strip()))
    except (OSError, ValueError):
        return None


def led_to(dot_git: Path) -> set[Path]:
    """Where a `.git` that is no folder leads; blocking. With and without spaces at the ends: some gits drop them."""
    places = {Path(os.path.realpath(dot_git))} if dot_git.is_symlink() else set[Path]()
    with contextlib.suppress(OSError, ValueError), open_regular(dot_git) as file:
        label, _, target = file.read(2 * _GITDIR_LIMIT_BYTES).rstrip(b"\r\n").partition(b":")
        exact = target.removeprefix(b" ").split(b"\0")[0]
        if label == b"gitdir" and exact:
            places |= {Path(os.path.realpath(dot_git.parent / os.fsdecode(text))) for text in (exact, exact.strip())}
    return places


def _is_protected(names: tuple[str, ...]) -> bool:
    folded = [name.casefold() for name in names]  # macOS: `.GIT` is `.git`
    if ".mimo" in folded or folded[-1:] == [".git"]:
        return True
    return any(first == ".git" and second in KEPT for first, second in itertools.pairwise(folded))


def _is_in_own_environment(root: str, resolved: Path) -> bool:
    """Whether it belongs to the Python environment that this program runs in, when that lies in the project."""
    environment = Path(os.path.realpath(sys.prefix))
    return Path(root) in environment.parents and resolved.is_relative_to(environment)


def is_the_programs_source(path: Path) -> bool:
    """Whether this program itself runs from there, as where it was installed from a clone that can be edited."""
    return path.is_relative_to(_SOURCE)


def _is_in_moved_git(root: Path, resolved: Path) -> bool:
    """Whether it is a protected part of git data that is not in a folder named `.git`."""
    git = git_folder(root)
    if git is None or git == root / ".git" or not resolved.is_relative_to(git):
        return False
    names = resolved.relative_to(git).parts
    return not names or names[0].casefold() in KEPT


def _is_in_git_like(resolved: Path) -> bool:
    """Whether it is a protected part of a folder, whatever its name, that is one of git or would be with it."""
    for folder, name in zip(resolved.parents, reversed(resolved.parts), strict=False):
        part = name.casefold()
        if part in KEPT | MARKS and is_git_folder({part, *_marks_in(folder)}):
            return True
    return False


def _marks_in(folder: Path) -> Iterator[str]:
    for mark in MARKS:
        if os.path.lexists(folder / mark) or os.path.lexists(folder / mark.upper()):
            yield mark
