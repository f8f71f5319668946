"""What the model is told of the day and the folder, at the end of a message and only when it has changed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tui.tools.environment import tool_environment, trusted_which
from tui.tools.paths import git_folder

_TIMEOUT_S = 0.5
"""In a repository where git takes longer the number of changed files is left out."""
# git runs programs that a repository's configuration names; these are the ones that `status` would.
_QUIET_GIT = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=keep")


def folder_state(root: Path, *, is_trusted: bool) -> str:
    """The date, the branch, and in a trusted project how many files have changed. Blocking, raises nothing.

    Elsewhere git is not run: filters in a repository's own configuration are programs. The branch is read from a file.
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
        head = (git / "HEAD").read_text(encoding="utf-8", errors="replace")[:300].strip()
    except OSError:
        return ""
    name = head.removeprefix("ref: refs/heads/")
    if not name.isprintable():
        return ""
    return f"branch {name}" if name != head else f"at commit {name[:12]}"


def _changed(root: Path) -> int | None:
    git = trusted_which("git")
    if git is None:
        return None
    command = [git, *_QUIET_GIT, "--no-optional-locks", "status", "--porcelain", "-z", "--no-renames"]
    try:
        done = subprocess.run(
            command, cwd=root, env=tool_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.count(b"\0") if done.returncode == 0 else None
