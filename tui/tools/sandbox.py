"""The sandbox that commands run in: bubblewrap, where it works.

Inside, the project folder can be written, /tmp is private, all else is read-only; there is no network unless it is
allowed, no other process, no key, and `.git/hooks`, `.git/config` and `.mimo` in the project cannot be changed.
"""

from __future__ import annotations

import functools
import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tui.tools.environment import tool_environment, trusted_which
from tui.tools.mount_points import HeldMountPoints
from tui.tools.paths import git_folder
from tui.tools.seals import SandboxRefused, Seals, cover
from tui.tools.secret_places import homes, secret_places

_TRY_TIMEOUT_S = 10

_ALONE = (
    *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--new-session", "--die-with-parent"),
)

_PRIVATE = ("/tmp", "/var/tmp", "/run", "/var/run")  # noqa: S108
"""Empty inside: sockets of other programs lie there, and a read-only mount does not keep a socket from being used."""

_OF_RUN = ("systemd/resolve", "resolvconf", "NetworkManager", "current-system", "booted-system", "opengl-driver")
"""What of /run is shown: how names are resolved, and the programs of NixOS."""

_BROAD = ("/usr", "/etc", "/var", "/dev", "/proc", "/sys", "/boot", "/home", *_PRIVATE)

_FOR_FILES_OF_OTHERS = ("CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_CHOWN")


class Enclosure:
    """A sandbox made ready for one command: start `argv`, and `close` when all that it started has ended."""

    def __init__(self, argv: list[str], seals: Seals, points: HeldMountPoints) -> None:
        self.argv = argv
        self._seals, self._points = seals, points

    def close(self) -> tuple[str, ...]:
        """Remove what the sandbox had to make. The names of what a command made that no mount could hold back."""
        try:
            return self._seals.undo()
        finally:
            self._points.release()


class Sandbox:
    """Bubblewrap, as the program at `path`."""

    name = "bubblewrap"

    def __init__(self, path: str) -> None:
        self._path = path

    def objection(self, folder: Path) -> str | None:
        """Why commands in `folder` cannot be confined, as words after a colon; None when they can. Blocking, short."""
        try:
            _seals(Path(os.path.realpath(folder)))
        except (SandboxRefused, OSError) as error:
            return str(error)
        return None

    def enclose(self, argv: Sequence[str], folder: Path, network: bool, status_fd: int | None = None) -> Enclosure:
        """Make ready to run `argv` in `folder`; to `status_fd` bubblewrap writes `child-pid`, at the end `exit-code`.

        Blocking, under a millisecond. Raises SandboxRefused, OSError.
        """
        root = Path(os.path.realpath(folder))
        seals = _seals(root)
        again = tuple(_shown_again(root))
        options = [self._path, *_system(), *(part for path in again for part in ("--ro-bind", path, path))]
        options += _covers((*map(str, secret_places()), *_sockets()), str(root), again)
        options += ["--bind", str(root), str(root), *seals.arguments, *_ALONE, *_privileges(root)]
        options += [] if network else ["--unshare-net"]
        options += [] if status_fd is None else ["--json-status-fd", str(status_fd)]
        return Enclosure([*options, "--chdir", str(root), "--", *argv], seals, HeldMountPoints(seals.points))


def find_sandbox() -> Sandbox | None:
    """The sandbox of this machine; None where none works (`why_no_sandbox`). Tried once; blocking, about 10 ms."""
    return _tried()[0]


def why_no_sandbox() -> str:
    """Why `find_sandbox` found none, and what would help; empty when there is one."""
    return _tried()[1]


@functools.cache
def _tried() -> tuple[Sandbox | None, str]:
    if sys.platform != "linux":
        return None, "the sandbox, bubblewrap, exists on Linux only"
    path = trusted_which("bwrap")
    if path is None:
        return None, "bubblewrap is not installed (the package is usually named `bubblewrap`)"
    options = [path, *_system(), *_ALONE, "--unshare-net", *_privileges(Path("/"))]
    try:
        result = subprocess.run(
            [*options, "--", "true"],
            env=tool_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRY_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"bubblewrap does not work here: {error}"
    if result.returncode != 0:
        words = result.stderr.decode(errors="replace").strip().removeprefix("bwrap: ")
        return None, f"bubblewrap does not work here: {words or f'it ended with {result.returncode}'}"
    return Sandbox(path), ""


def _system() -> list[str]:
    """All of the file system, read-only, with /dev, /proc and what is private made new."""
    options = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    if os.geteuid() == 0:  # the settings of the whole machine: bubblewrap leaves them open to root without privileges
        options += ["--ro-bind", "/proc/sys", "/proc/sys"]
    for path in _PRIVATE:
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 (half the time)
            options += ["--tmpfs", path]
    for name in _OF_RUN:
        options += ["--ro-bind-try", f"/run/{name}", f"/run/{name}"]
    return options


def _shown_again(root: Path) -> Iterator[str]:
    """What commands need although it lies in a private place: home, the project's git data, the folders of PATH."""
    places = [*homes(), os.path.realpath(sys.prefix), os.environ.get("VIRTUAL_ENV", ""), git_folder(root) or ""]
    places += os.environ.get("PATH", "").split(os.pathsep)
    for place in dict.fromkeys(map(str, places)):
        if _is_private(place) and place not in _PRIVATE and not _within(place, str(root)) and Path(place).is_dir():
            yield os.path.realpath(place)


def _covers(places: Iterable[str], root: str, again: Sequence[str]) -> Iterator[str]:
    """The mounts that hide `places`, but for what does not exist, is not shown anyway or lies in the project."""
    hidden: list[str] = []
    for place in places:
        try:
            mode = os.lstat(place).st_mode
            if stat.S_ISLNK(mode):
                place = os.path.realpath(place)
                mode = os.lstat(place).st_mode
        except OSError:
            continue
        is_shown = not _is_private(place) or any(_within(place, shown) for shown in again)
        if is_shown and not _within(place, root) and not any(_within(place, folder) for folder in hidden):
            yield from cover(place, is_folder=stat.S_ISDIR(mode))
            hidden.append(place)


def _sockets() -> Iterator[str]:
    """Sockets in the file system that somebody listens on: docker, tmux, D-Bus, agents, wherever they are put."""
    try:
        text = Path("/proc/net/unix").read_text(errors="surrogateescape")
    except OSError:
        return
    found = (line.split(maxsplit=7)[7:] for line in text.splitlines()[1:])
    yield from dict.fromkeys(path for fields in found for path in fields if path.startswith("/"))


def _seals(root: Path) -> Seals:
    """Raises SandboxRefused, OSError."""
    _refuse_broad(str(root))
    hidden = [place for place in secret_places() if _within(str(place), str(root))]
    program = os.path.realpath(sys.prefix)  # what runs outside must not be changed from inside
    return Seals(
        root, hide=hidden, keep=[Path(program)] if _within(program, str(root)) and program != str(root) else ()
    )


def _refuse_broad(root: str) -> None:
    for home in homes():
        if _within(str(home), root):
            raise SandboxRefused(
                f"{root} holds the home folder, where commands could change what starts by itself: "
                "work in the project's own folder"
            )
    if any(_within(path, root) for path in _BROAD) or _within(root, "/proc") or _within(root, "/sys"):
        raise SandboxRefused(f"{root} belongs to the system: work in the project's own folder")
    for place in secret_places():
        if _within(root, str(place)):
            raise SandboxRefused(f"{root} is in {place}, which is hidden from commands since keys may be there")


def _privileges(root: Path) -> list[str]:
    """Root keeps none, but for files of others in the project: bubblewrap lets it keep all, with which it gets out."""
    if os.geteuid() != 0:
        return []
    options = ["--cap-drop", "ALL"]
    if root.stat().st_uid != 0:
        options += [part for name in _FOR_FILES_OF_OTHERS for part in ("--cap-add", name)]
    return options


def _is_private(path: str) -> bool:
    return any(_within(path, private) for private in _PRIVATE)


def _within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or in it. (`Path.is_relative_to` takes 3 µs, and there are hundreds to check.)"""
    return path == folder or folder == "/" or path.startswith(f"{folder}/")
