"""Where a path that the model wrote leads: inside the folder or out of it, and whether it is kept from change."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import NamedTuple

_PROTECTED_IN_GIT = frozenset({"hooks", "config", "config.worktree", "commondir", "modules", "worktrees"})
"""What in a git folder makes git run programs, or leads git to another configuration."""

_GITDIR_LIMIT = 4096


class Location(NamedTuple):
    """A path with every link in it followed, its missing part included."""

    path: Path
    inside: bool
    """In the folder, or the folder itself. A link in the folder that leads out of it is outside."""
    protected: bool
    """Read-only to tools and commands in every policy: `.git/hooks`, `.git/config` and the like, `.mimo`."""
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
        return Location(folder, False, False, f"This is not a usable path: {path!r} ({error}).")
    inside = resolved.is_relative_to(root)
    names = resolved.relative_to(root).parts if inside else resolved.parts
    return Location(resolved, inside, _is_protected(names) or _is_in_moved_git(Path(root), resolved))


def git_folder(folder: Path) -> Path | None:
    """The folder's own git data with links and `gitdir:` files followed; None when there is none. Blocking."""
    dot_git = folder / ".git"
    try:
        if dot_git.is_dir():
            return Path(os.path.realpath(dot_git))
        with dot_git.open("rb") as file:
            text = os.fsdecode(file.read(_GITDIR_LIMIT))
        label, _, target = text.partition(":")
        if label != "gitdir" or not target.strip():
            return None
        return Path(os.path.realpath(folder / target.strip()))
    except (OSError, ValueError):
        return None


def _is_protected(names: tuple[str, ...]) -> bool:
    folded = [name.casefold() for name in names]  # macOS: `.GIT` is `.git`
    if ".mimo" in folded or folded[-1:] == [".git"]:
        return True
    return any(first == ".git" and second in _PROTECTED_IN_GIT for first, second in itertools.pairwise(folded))


def _is_in_moved_git(root: Path, resolved: Path) -> bool:
    """Whether it is a protected part of git data that is not in a folder named `.git`."""
    git = git_folder(root)
    if git is None or git == root / ".git" or not resolved.is_relative_to(git):
        return False
    names = resolved.relative_to(git).parts
    return not names or names[0].casefold() in _PROTECTED_IN_GIT
