"""The sandbox where only Landlock works: the kernel (Linux 6.2 and later) refuses what no rule allows.

It knows no exceptions inside of what is allowed. So secrets are left out by allowing all that lies beside them, and
what must stay as it is inside the project is put back afterwards. What it cannot hold back is in `gaps`.
See landlock(7) and the kernel's `Documentation/userspace-api/landlock.rst`.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tui.core.messages import Json
from tui.tools import system_calls
from tui.tools.confines import OF_RUN, PRIVATE, hidden_places, is_private, refuse_broad, secrets_in, within
from tui.tools.environment import tool_environment
from tui.tools.kept import Kept
from tui.tools.paths import git_folder
from tui.tools.seals import SandboxRefused
from tui.tools.secret_places import homes
from tui.tools.supervised import Supervised, can_supervise

_CREATE_RULESET, _VERSION = 444, 1
_LEAST_ABI = 3
"""Before it, files anywhere can be emptied (`truncate`)."""

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << n for n in range(4))
_REMOVE = 0b11 << 4  # folders and files
_MAKE = 0b1_0111_1000_0000  # all but devices
_REFER, _TRUNCATE, _DEVICE_CONTROL = (1 << n for n in range(13, 16))
_ALL = (1 << 15) - 1
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2

_READ = _READ_FILE | _READ_DIR | _EXECUTE
_WRITE = _READ | _WRITE_FILE | _REMOVE | _MAKE | _REFER | _TRUNCATE
_ONLY_OF_FOLDERS = _READ_DIR | _REMOVE | _MAKE | _REFER

_DEVICES = ("null", "zero", "full", "random", "urandom")
_FOR_FILES_OF_OTHERS = [0, 1, 3]  # CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER

ATTRIBUTES = "the modes, owners and times of files of yours outside of the project can be changed"
NAMES = "that a hidden file exists, its size and times can be seen, and the command lines of other programs"
KEPT = (
    "`.git/hooks`, `.git/config` and `.mimo` can be changed while a command runs; they are put back when it has ended"
)
SIGNALS = "other programs of yours can be sent signals, so ended"


class Landlock:
    """The rules for the version `abi` of Landlock."""

    name = "Landlock"

    def __init__(self, abi: int) -> None:
        self._abi = abi

    @property
    def gaps(self) -> tuple[str, ...]:
        return (KEPT, ATTRIBUTES, NAMES, *(() if self._abi >= 6 else (SIGNALS,)))

    def objection(self, folder: Path) -> str | None:
        """Why commands in `folder` cannot be confined, as words after a colon; None when they can. Blocking, short."""
        try:
            _refuse(os.path.realpath(folder))
            Kept(Path(os.path.realpath(folder)))
        except (SandboxRefused, OSError) as error:
            return str(error)
        return None

    def enclose(self, argv: Sequence[str], folder: Path, network: bool, status_fd: int | None = None) -> Supervised:
        """Make ready to run `argv` in `folder`. Blocking, some milliseconds. Raises SandboxRefused, OSError."""
        root = os.path.realpath(folder)
        _refuse(root)
        kept = Kept(Path(root))
        temporary = os.path.realpath(tempfile.mkdtemp(prefix="mimo-"))
        confines: Json = {
            "ruleset": self._ruleset(network).hex(),
            "rules": [(access, access & ~_ONLY_OF_FOLDERS, path) for access, path in self._rules(root, temporary)],
            "filter": system_calls.guard_sockets(network).hex(),
            "keep": _kept_rights(root),
        }

        def undo() -> tuple[str, ...]:
            shutil.rmtree(temporary, ignore_errors=True)
            return kept.put_back()

        try:
            return Supervised(argv, status_fd, confines, dict.fromkeys(("TMPDIR", "TMP", "TEMP"), temporary), undo)
        except OSError:
            undo()
            raise

    def _ruleset(self, network: bool) -> bytes:
        access = _ALL | (_DEVICE_CONTROL if self._abi >= 5 else 0)
        ports = 0 if network or self._abi < 4 else _BIND_TCP | _CONNECT_TCP
        scope = _ABSTRACT_SOCKETS | _SIGNALS
        return struct.pack("=QQQ", access, ports, scope)[: 8 if self._abi < 4 else 16 if self._abi < 6 else 24]

    def _rules(self, root: str, temporary: str) -> Iterator[tuple[int, str]]:
        """What is allowed, and where."""
        devices = _READ_FILE | _WRITE_FILE | (_DEVICE_CONTROL if self._abi >= 5 else 0)
        yield from ((devices, f"/dev/{name}") for name in _DEVICES)
        yield from ((_READ, f"/run/{name}") for name in OF_RUN)
        yield from ((_READ, path) for path in _readable(root))
        yield from ((_WRITE, path) for path in (root, temporary))


def find_landlock() -> tuple[Landlock | None, str]:
    """The sandbox, else why there is none."""
    if not can_supervise() or not system_calls.is_supported():
        return None, f"Landlock is not used on this machine ({sys.platform}, {os.uname().machine})"
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if abi < 0:
        return None, "the kernel has no Landlock, or it is switched off"
    if abi < _LEAST_ABI:
        return None, "the kernel's Landlock is too old (Linux 6.2 or later is needed)"
    return Landlock(abi), ""


def _readable(root: str) -> Iterator[str]:
    """All but what is hidden, as the fewest folders and files; links are left out, what they lead to is not."""
    hidden = {path for path, _ in hidden_places()} | {"/dev", *PRIVATE}
    shown = {
        path for path in _shown_again(Path(root)) if not any(within(path, place) for place in hidden - set(PRIVATE))
    }
    yield from shown
    above = {str(parent) for place in (*hidden, root) for parent in Path(place).parents}
    waiting = ["/", *(str(home) for home in homes() if is_private(str(home)))]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink() or entry.path in hidden or entry.path == root:
                    continue
                if entry.path in above and entry.is_dir():
                    if os.access(entry.path, os.R_OK | os.X_OK):
                        waiting.append(entry.path)
                else:
                    yield entry.path


def _shown_again(root: Path) -> Iterator[str]:
    """What commands need although it lies in a private place: the project's git data, Python, the folders of PATH."""
    places = [
        os.path.realpath(sys.prefix),
        str(git_folder(root) or ""),
        *tool_environment().get("PATH", "").split(os.pathsep),
    ]
    for place in map(os.path.realpath, filter(None, places)):
        if is_private(place) and place not in PRIVATE and os.path.isdir(place):  # noqa: PTH112
            yield place


def _refuse(root: str) -> None:
    """Raises SandboxRefused."""
    refuse_broad(root)
    if inside := [place for place in secrets_in(root) if os.path.lexists(place)]:
        raise SandboxRefused(f"{inside[0]} is in the folder, and Landlock cannot hide it there")
    program = os.path.realpath(sys.prefix)
    if within(program, root) and program != root:
        raise SandboxRefused(f"the program itself is in the folder ({program}), and Landlock cannot keep it as it is")


def _kept_rights(root: str) -> list[int] | None:
    """Root keeps none of its rights, but for files of others in the project. None: there is nothing to drop."""
    if os.geteuid() != 0:
        return None
    return [] if os.stat(root).st_uid == 0 else _FOR_FILES_OF_OTHERS  # noqa: PTH116
