"""The sandbox of Linux: bubblewrap, which makes namespaces and mounts without being root.

Inside, the project folder can be written, /tmp is private, all else is read-only; there is no network unless it is
allowed, no other process, no key, and `.git/hooks`, `.git/config` and `.mimo` in the project cannot be changed.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tui.tools import system_calls
from tui.tools.confines import OF_RUN, PRIVATE, is_private, refuse_broad, secrets_in, within
from tui.tools.environment import tool_environment, trusted_which
from tui.tools.mount_points import HeldMountPoints, remove_leftovers
from tui.tools.paths import git_folder
from tui.tools.seals import SandboxRefused, Seals, cover
from tui.tools.secret_places import homes, secret_places

_TRY_TIMEOUT_S = 10

_ALONE = (
    *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--new-session", "--die-with-parent"),
)

_FOR_FILES_OF_OTHERS = ("CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_CHOWN")


class Enclosure:
    """A sandbox made ready for one command: start `argv`, and `close` when all that it started has ended."""

    is_told_to_end = False
    tells_exit_code = True

    def __init__(self, argv: list[str], seals: Seals, points: HeldMountPoints, descriptors: tuple[int, ...]) -> None:
        self.argv, self.descriptors = argv, descriptors
        self.environment: dict[str, str] = {}
        self._seals, self._points = seals, points

    def close(self) -> tuple[str, ...]:
        """Remove what the sandbox had to make. Sentences about what a command made that no mount could hold back."""
        for number in self.descriptors:
            os.close(number)
        self.descriptors = ()
        try:
            undone = self._seals.undo()
            return tuple(f"{name} was removed: nothing but the user may put it there" for name in undone)
        finally:
            self._points.release()


class Bubblewrap:
    """The program `bwrap` at `path`; `has_filter` says whether it can be given a filter of system calls."""

    name = "bubblewrap"
    gaps: tuple[str, ...] = ()

    def __init__(self, path: str, has_filter: bool) -> None:
        self._path, self._has_filter = path, has_filter

    def objection(self, folder: Path) -> str | None:
        """Why commands in `folder` cannot be confined, as words after a colon; None when they can. Blocking, short.

        What a program that was killed has left of its mount points there is removed.
        """
        try:
            remove_leftovers(_seals(Path(os.path.realpath(folder))).points)
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
        points = HeldMountPoints(seals.points)
        descriptors = (_filter_file(),) if self._has_filter else ()
        options += [part for number in descriptors for part in ("--seccomp", str(number))]
        return Enclosure([*options, "--chdir", str(root), "--", *argv], seals, points, descriptors)


def find_bubblewrap() -> tuple[Bubblewrap | None, str]:
    """The sandbox, else why there is none. Blocking, about 10 ms."""
    path = trusted_which("bwrap")
    if path is None:
        return None, "bubblewrap is not installed (the package is usually named `bubblewrap`)"
    has_filter = system_calls.is_supported()
    number = _filter_file() if has_filter else -1
    options = [path, *_system(), *_ALONE, "--unshare-net", *_privileges(Path("/"))]
    try:
        result = subprocess.run(
            [*options, *(("--seccomp", str(number)) if has_filter else ()), "--", "true"],
            env=tool_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRY_TIMEOUT_S,
            pass_fds=(number,) if has_filter else (),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"bubblewrap does not work here: {error}"
    finally:
        if has_filter:
            os.close(number)
    if result.returncode != 0:
        words = result.stderr.decode(errors="replace").strip().removeprefix("bwrap: ")
        return None, f"bubblewrap does not work here: {words or f'it ended with {result.returncode}'}"
    return Bubblewrap(path, has_filter), ""


def _filter_file() -> int:
    """The filter of system calls as an open file; each reader needs one of its own, since it reads to the end."""
    number = os.memfd_create("filter")
    os.write(number, system_calls.guard())
    os.lseek(number, 0, os.SEEK_SET)
    return number


def _system() -> list[str]:
    """All of the file system, read-only, with /dev, /proc and what is private made new."""
    options = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    if os.geteuid() == 0:  # the settings of the whole machine: bubblewrap leaves them open to root without privileges
        options += ["--ro-bind", "/proc/sys", "/proc/sys"]
    for path in PRIVATE:
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 (half the time)
            options += ["--tmpfs", path]
    for name in OF_RUN:
        options += ["--ro-bind-try", f"/run/{name}", f"/run/{name}"]
    return options


def _shown_again(root: Path) -> Iterator[str]:
    """What commands need although it lies in a private place: home, the project's git data, the folders of PATH."""
    places = [*homes(), os.path.realpath(sys.prefix), os.environ.get("VIRTUAL_ENV", ""), git_folder(root) or ""]
    places += os.environ.get("PATH", "").split(os.pathsep)
    for place in dict.fromkeys(map(str, places)):
        if is_private(place) and place not in PRIVATE and not within(place, str(root)) and Path(place).is_dir():
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
        is_shown = not is_private(place) or any(within(place, shown) for shown in again)
        if is_shown and not within(place, root) and not any(within(place, folder) for folder in hidden):
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
    refuse_broad(str(root))
    program = os.path.realpath(sys.prefix)  # what runs outside must not be changed from inside
    kept = [Path(program)] if within(program, str(root)) and program != str(root) else ()
    return Seals(root, hide=secrets_in(str(root)), keep=kept)


def _privileges(root: Path) -> list[str]:
    """Root keeps none, but for files of others in the project: bubblewrap lets it keep all, with which it gets out."""
    if os.geteuid() != 0:
        return []
    options = ["--cap-drop", "ALL"]
    if root.stat().st_uid != 0:
        options += [part for name in _FOR_FILES_OF_OTHERS for part in ("--cap-add", name)]
    return options
