"""The user's own git, outside of any sandbox, which attempts want to run a program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.tools.confined import Place

EVIL = "touch {proof}"
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@b.c")


def git(place: Place, *arguments: str, folder: Path | None = None) -> None:
    """The user's own git, outside of any sandbox, by their own rights; it may fail."""
    command = ["git", "-c", "safe.directory=*", "-c", "core.editor=true", *AUTHOR, *arguments]
    user = place.user if os.getuid() == 0 else None
    subprocess.run(command, cwd=folder or place.project, capture_output=True, user=user, timeout=20)


def use_git(place: Place) -> None:
    """What a user does next: a look at the state, at the differences, in the project and below it."""
    for folder in (place.project, place.project / "sub"):
        if folder.is_dir():
            for arguments in (["status"], ["diff"], ["add", "-A"], ["st"], ["log"]):
                git(place, *arguments, folder=folder)
