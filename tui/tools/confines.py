"""Which folders commands can be confined to at all, and small questions about paths that every sandbox asks."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tui.tools.seals import SandboxRefused
from tui.tools.secret_places import homes, secret_places

PRIVATE = ("/tmp", "/var/tmp", "/run", "/var/run")  # noqa: S108
"""Not shown: sockets of other programs lie there, and a read-only mount does not keep a socket from being used."""

OF_RUN = ("systemd/resolve", "resolvconf", "NetworkManager", "current-system", "booted-system", "opengl-driver")
"""What of /run is shown: how names are resolved, and the programs of NixOS."""

_BROAD = ("/usr", "/etc", "/var", "/dev", "/proc", "/sys", "/boot", "/home", *PRIVATE)


def within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or in it. (`Path.is_relative_to` takes 3 µs, and there are hundreds to check.)"""
    return path == folder or folder == "/" or path.startswith(f"{folder}/")


def is_private(path: str) -> bool:
    return any(within(path, private) for private in PRIVATE)


def refuse_broad(root: str) -> None:
    """Raises SandboxRefused for a folder that holds more than a project, or keys."""
    for home in homes():
        if within(str(home), root):
            raise SandboxRefused(
                f"{root} holds the home folder, where commands could change what starts by itself: "
                "work in the project's own folder"
            )
    if any(within(path, root) for path in _BROAD) or within(root, "/proc") or within(root, "/sys"):
        raise SandboxRefused(f"{root} belongs to the system: work in the project's own folder")
    for place in secret_places():
        if within(root, str(place)):
            raise SandboxRefused(f"{root} is in {place}, which is hidden from commands since keys may be there")


def hidden_places() -> Iterator[tuple[str, bool]]:
    """The secret places that exist, their links followed, and whether each is a folder."""
    for place in map(str, secret_places()):
        try:
            mode = os.lstat(place).st_mode
            if stat.S_ISLNK(mode):
                place = os.path.realpath(place)
                mode = os.lstat(place).st_mode
        except OSError:
            continue
        yield place, stat.S_ISDIR(mode)


def secrets_in(root: str) -> list[Path]:
    """The secret places in a project folder, whether they exist or not."""
    return [place for place in secret_places() if within(str(place), root)]
