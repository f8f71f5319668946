"""The sandbox of macOS: `sandbox-exec` with a profile (Seatbelt).

Written from the documents and from the profiles that the system ships (`/System/Library/Sandbox/Profiles`); it was not
tried. The program is marked as deprecated there, and is what browsers and package managers use all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tui.tools.confines import hidden_places, refuse_broad, secrets_in
from tui.tools.environment import tool_environment
from tui.tools.paths import git_folder
from tui.tools.seals import SandboxRefused

_PROGRAM = "/usr/bin/sandbox-exec"
_TRY_TIMEOUT_S = 10
_IN_GIT = ("hooks", "config", "config.worktree", "commondir", "modules", "worktrees")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/dtracehelper")
_SERVICES = (
    "com.apple.system.opendirectoryd.libinfo",
    "com.apple.system.logger",
    "com.apple.system.notification_center",
)
"""What any program looks up at its start; not the keychain (`com.apple.SecurityServer`), nor the pasteboard."""

_UNTRIED = "the sandbox of macOS was written from the documents and not tried"


class _Enclosure:
    is_told_to_end = False
    tells_exit_code = False

    def __init__(self, argv: list[str], temporary: str) -> None:
        self.argv = argv
        self.descriptors: tuple[int, ...] = ()
        self.environment = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), temporary)
        self._temporary = temporary

    def close(self) -> tuple[str, ...]:
        shutil.rmtree(self._temporary, ignore_errors=True)
        return ()


class SandboxExec:
    name = "sandbox-exec"
    gaps: tuple[str, ...] = (_UNTRIED,)

    def objection(self, folder: Path) -> str | None:
        """Why commands in `folder` cannot be confined, as words after a colon; None when they can."""
        try:
            refuse_broad(os.path.realpath(folder))
        except SandboxRefused as error:
            return str(error)
        return None

    def enclose(self, argv: Sequence[str], folder: Path, network: bool, status_fd: int | None = None) -> _Enclosure:
        """Make ready to run `argv` in `folder`; nothing is written to `status_fd`. Raises SandboxRefused, OSError."""
        root = os.path.realpath(folder)
        refuse_broad(root)
        temporary = os.path.realpath(tempfile.mkdtemp(prefix="mimo-"))
        profile = "\n".join(_profile(Path(root), temporary, network))
        return _Enclosure([_PROGRAM, "-p", profile, *argv], temporary)


def find_sandbox_exec() -> tuple[SandboxExec | None, str]:
    """The sandbox, else why there is none. Blocking, short."""
    try:
        result = subprocess.run(
            [_PROGRAM, "-p", "(version 1)(allow default)", "/usr/bin/true"],
            env=tool_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRY_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"sandbox-exec does not work here: {error}"
    if result.returncode != 0:
        return None, f"sandbox-exec does not work here: {result.stderr.decode(errors='replace').strip()}"
    return SandboxExec(), ""


def _profile(root: Path, temporary: str, network: bool) -> Iterator[str]:
    """Lines of the profile language; of several rules that match the last one counts."""
    yield "(version 1)"
    yield "(deny default)"
    yield "(allow process-fork process-exec file-read* sysctl-read)"
    yield "(allow signal process-info* (target same-sandbox))"
    yield from (f'(allow mach-lookup (global-name "{name}"))' for name in _SERVICES)
    yield from (f"(allow file-write-data file-ioctl (literal {_quoted(path)}))" for path in _DEVICES)
    yield from (f"(allow file-write* (subpath {_quoted(path)}))" for path in (str(root), temporary))
    for path, _ in hidden_places():
        yield f"(deny file-read* file-write* (subpath {_quoted(path)}))"
    for place in secrets_in(str(root)):
        yield f"(deny file-read* file-write* (subpath {_quoted(str(place))}))"
    for path in _kept(root):
        yield f"(deny file-write* (subpath {_quoted(path)}))"
    yield f"(deny file-write-unlink (literal {_quoted(str(root / '.git'))}))"  # moved away with all that is kept in it
    if network:
        yield "(allow network* (remote ip) (local ip))"
        yield '(allow mach-lookup (global-name "com.apple.trustd.agent"))'


def _kept(root: Path) -> Iterator[str]:
    yield str(root / ".mimo")
    git = git_folder(root)
    if git is not None and git.is_relative_to(root):
        yield from (str(git / name) for name in _IN_GIT)
    if git is None or git != root / ".git":
        yield str(root / ".git")


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
