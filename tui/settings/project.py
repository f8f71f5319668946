"""Which project a folder belongs to, and what is kept for it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tui.settings.paths import data_dir


def project_root(folder: Path) -> Path:
    """The repository that `folder` is in, else the folder itself; with links followed. Blocking.

    The home folder and what is above it are never one: somebody's dot files under git would make a project of all.
    """
    folder = Path(os.path.realpath(folder))
    for place in (folder, *folder.parents):
        if not can_be_project(place):
            break
        if (place / ".git").exists():
            return place
    return folder


def can_be_project(root: Path) -> bool:
    """Whether a folder, with its links followed, is neither the home folder nor above it."""
    home = Path(os.path.realpath(Path.home())) if os.environ.get("HOME") else None
    return home is None or not home.is_relative_to(root)


def memory_file(folder: Path) -> Path:
    """Where what is remembered about a project is kept: one file for each, named so that people find it."""
    from hashlib import sha256  # not at each start

    root = project_root(folder)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip(".-")[:40] or "project"
    return data_dir() / "memory" / f"{name}-{sha256(os.fsencode(root)).hexdigest()[:10]}.md"
