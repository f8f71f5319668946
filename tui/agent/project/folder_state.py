"""What the model is told of the day and the folder, at the end of a message and only when it has changed."""

from __future__ import annotations

import subprocess
import time
from contextlib import closing
from pathlib import Path

from tui.settings.regular_files import NotRegularError, TooLongError, read_regular
from tui.tools.environment import tool_environment, trusted_which
from tui.tools.paths import git_folder
from tui.tools.sandbox import find_sandbox
from tui.tools.seals import SandboxRefused

_TIMEOUT_S = 0.5
"""In a repository where git takes longer the number of changed files is left out."""
# git runs programs that a repository's configuration names, and of those in it: these are the ones that `status` would.
_QUIET_GIT = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=keep")
_STATUS = ("--no-optional-locks", "status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
_HEAD_BYTES = 4096


def folder_state(root: Path, *, is_trusted: bool) -> str:
    """The date, the branch, and in a trusted project how many files have changed. Blocking, raises nothing.

    Elsewhere git is not run, nor where no sandbox without gaps works: filters in a repository's own configuration are
    programs. The branch is read from a file.
    """
    parts = [f"Today is {time.strftime('%A, %Y-%m-%d')}."]
    git = git_folder(root)
    if git is not None and (branch := _branch(git)):
        changed = _changed(root) if is_trusted else None
        count = {None: "", 0: ", nothing changed", 1: ", 1 file changed"}.get(changed, f", {changed} files changed")
        parts.append(f"Git: {branch}{count}.")
    return " ".join(parts)


def _branch(git: Path) -> str:
    try:
        head = read_regular(git / "HEAD", _HEAD_BYTES).decode("utf-8", "replace")[:300].strip()
    except (OSError, NotRegularError, TooLongError):
        return ""
    name = head.removeprefix("ref: refs/heads/")
    if not name.isprintable():
        return ""
    return f"branch {name}" if name != head else f"at commit {name[:12]}"


def _changed(root: Path) -> int | None:
    git, sandbox = trusted_which("git"), find_sandbox()
    if git is None or sandbox is None or sandbox.gaps:
        return None
    try:
        with closing(sandbox.enclose([git, *_QUIET_GIT, *_STATUS], root, network=False)) as enclosure:
            done = subprocess.run(
                enclosure.argv,
                cwd=root,
                env=tool_environment() | _ENVIRONMENT | enclosure.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                pass_fds=enclosure.descriptors,
            )
    except (OSError, SandboxRefused, subprocess.TimeoutExpired):
        return None
    return done.stdout.count(b"\0") if done.returncode == 0 else None
