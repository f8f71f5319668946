"""Git repositories that a command made or changed so that the user's next `git` would run a program of its choosing.

The project's own `.git` is kept by the sandbox. Any other folder can be made to look like a repository, and its
configuration and hooks run outside of the sandbox. So after a command what is new of that kind is set aside: renamed,
with a word about it. What was there before is left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tui.tools.paths import shown

_CONFIG_LIMIT_BYTES = 256 * 1024
_LIMIT_FOLDERS = 100_000
_COARSE_CLOCK = 5
"""CLOCK_REALTIME_COARSE, which Python has no name for."""
_GRAIN_NS = 20_000_000

_HARMLESS = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol"
    r"|safecrlf|sparsecheckout|sparsecheckoutcone|untrackedcache|worktree|sharedrepository|quotepath|compression)"
    r"|remote\.(url|pushurl|fetch|push|tagopt|promisor|partialclonefilter|mirror|prune)"
    r"|branch\.(remote|merge|rebase|autosetuprebase|description)|user\.(name|email)|init\.defaultbranch"
    r"|extensions\.(objectformat|partialclone|refstorage)|submodule\.(url|active|branch|path)|lfs\.repositoryformatversion"
    r"|(commit|tag)\.gpgsign|pull\.(rebase|ff)|push\.default|gc\.\w+|index\.\w+|color\.\w+|advice\.\w+|maintenance\.auto"
)
"""Of the keys of a configuration, those that a new repository has and that cannot make git run anything."""

_SECTION = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:\s+"(?:[^"\\\n]|\\.)*")?\s*\]')
_SETTING = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?")
_ACTIVE_HOOK = re.compile(r"[a-z0-9-]+")

_known: dict[Path, dict[str, int]] = {}
"""By project folder: the repositories that were there at the last look, with the numbers (inodes) of their folders."""


class RepositoryWatch:
    """Looks at a project folder before a command, and, in `set_aside`, after it."""

    def __init__(self, root: Path) -> None:
        """Blocking; walks the folder once in the life of the program, since later what was found last is known."""
        self._root = root
        if root not in _known:
            _known[root] = {path: os.stat(path).st_ino for path in _repositories(root)}  # noqa: PTH116
        self._since_ns = _file_clock_ns()

    def set_aside(self) -> tuple[str, ...]:
        """Rename what could make git run a program; a sentence about each. Blocking: walks the folder."""
        known, found, sentences = _known.get(self._root, {}), {}, []
        for path in _repositories(self._root):
            with contextlib.suppress(OSError):
                state = os.stat(path)  # noqa: PTH116
                found[path] = state.st_ino
                is_new = known.get(path) != state.st_ino and state.st_ctime_ns >= self._since_ns
                for item in self._risky(Path(path), is_new):
                    sentences.append(_set_aside(item, self._root))
        _known[self._root] = found
        return tuple(sentences)

    def _risky(self, repository: Path, is_new: bool) -> Iterator[Path]:
        for name in ("config", "config.worktree"):
            if self._is_new(path := repository / name, is_new) and not _is_harmless_config(path):
                yield path
        if self._is_new(path := repository / "commondir", is_new) and not _is_of_worktree(path):
            yield path
        hooks = repository / "hooks"
        are_new = is_new or (hooks.is_symlink() and self._is_new(hooks, False))
        with contextlib.suppress(OSError):
            if not is_new and are_new:
                yield hooks
                return
            for name in sorted(os.listdir(hooks)):  # noqa: PTH208
                if _ACTIVE_HOOK.fullmatch(name) and self._is_new(hooks / name, are_new):
                    yield hooks / name

    def _is_new(self, path: Path, in_any_case: bool) -> bool:
        try:
            return in_any_case or path.lstat().st_ctime_ns >= self._since_ns
        except OSError:
            return False


def _file_clock_ns() -> int:
    """Now by the clock that times of files are taken from: it stands still for some milliseconds at a time."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(_COARSE_CLOCK)
    return time.time_ns() - _GRAIN_NS


def _repositories(root: Path) -> Iterator[str]:
    """Folders that git takes for a repository, without the project's own `.git`, which the sandbox keeps."""
    own, waiting, count = str(root / ".git"), [str(root)], 0
    while waiting and count < _LIMIT_FOLDERS:
        folder = waiting.pop()
        count += 1
        names = set()
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    names.add(entry.name.lower())
                elif entry.name in ("HEAD", "head", "commondir", "objects"):
                    names.add(entry.name.lower())
        if "head" in names and ("objects" in names or "commondir" in names) and folder != own:
            yield folder


def _is_harmless_config(path: Path) -> bool:
    """Whether every line of it is understood and sets something harmless; so too when there is no such file."""
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > _CONFIG_LIMIT_BYTES:
            return False
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    section = ""
    for line in text.lstrip("\ufeff").splitlines():
        rest = line.strip()
        if match := _SECTION.match(rest):
            section, rest = match[1].lower().partition(".")[0], rest[match.end() :].strip()
        if not rest or rest[0] in "#;":
            continue
        setting = _SETTING.fullmatch(rest)
        if setting is None or rest.endswith("\\") or "::" in (setting[2] or ""):
            return False
        if not _HARMLESS.fullmatch(f"{section}.{setting[1].lower()}"):
            return False
    return True


def _is_of_worktree(path: Path) -> bool:
    try:
        return not os.path.lexists(path) or path.read_bytes()[:100].strip() == b"../.."
    except OSError:
        return False


def _set_aside(path: Path, root: Path) -> str:
    aside = path.with_name(f"{path.name}.set-aside-{secrets.token_hex(3)}")
    path.rename(aside)
    return f"{shown(path, root)} could make git run a program outside of the sandbox, so it is now {shown(aside.name)}"
