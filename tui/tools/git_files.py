"""Which files of a git folder make git run a program, send something or write elsewhere, and which contents do not.

What is not plainly understood is not harmless: git must never read something else in a file than is read here.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

KEPT = frozenset(
    {"hooks", "config", "config.worktree", "commondir", "modules", "worktrees"}
    | {"rebase-merge", "rebase-apply", "sequencer", "remotes", "branches"}
)
"""What in a git folder makes git run programs, or leads git to another configuration or server."""

MARKS = frozenset({"head", "objects", "refs", "commondir"})
"""What makes a folder one of git."""

_LIMIT_BYTES = 256 * 1024

_HARMLESS = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol"
    r"|safecrlf|sparsecheckout|sparsecheckoutcone|untrackedcache|worktree|quotepath|compression)"
    r"|remote\.(url|fetch|tagopt|mirror)|branch\.(remote|merge|rebase|autosetuprebase|description)|user\.(name|email)"
    r"|init\.defaultbranch|extensions\.(objectformat|refstorage)|submodule\.(url|active|branch|path)"
    r"|lfs\.repositoryformatversion|pull\.(rebase|ff)|push\.default|gc\.(auto|autodetach)"
    r"|index\.(version|threads|sparse|skiphash)|color\.ui|advice\.[a-z]+|maintenance\.auto"
)
"""Of the keys of a configuration, those that a new repository has and that can make git neither run nor send anything:
an allow list. `url` is fetched from and pushed to only when the user says so; with a promisor it would be unasked."""

_HARMLESS_OF_STEPS = re.compile(
    r"options\.(no-commit|edit|allow-empty|allow-empty-message|keep-redundant-commits|drop-redundant-commits|signoff"
    r"|record-origin|allow-ff|mainline|strategy|strategy-option|allow-rerere-auto|default-msg-cleanup|commit-use-reference)"
)
"""The same of `sequencer/opts`."""

_SECTION = re.compile(r'\[([A-Za-z][A-Za-z0-9-]*)(?: "(?:[^"\\]|\\["\\])*")?\]')
_SETTING = re.compile(r'([A-Za-z][A-Za-z0-9-]*)(?:[ \t]*=[ \t]*("?)((?:[^"\\]|\\["\\ntb])*)\2)?')
_PLAIN = re.compile(r"[^\"\\#;]+")

_STRATEGIES = frozenset({"ort", "recursive", "resolve", "octopus", "ours", "subtree"})
"""Any other one is a program."""

_STEP = re.compile(
    r"(?:#.*|(?:p|pick|r|reword|e|edit|s|squash|f|fixup|d|drop|l|label|t|reset|m|merge|u|update-ref|b|break|noop)"
    r"(?:[ \t].*)?)?"
)
"""A line of a list of steps, but for `exec`, which runs a program."""

_APPLY_OPTIONS = re.compile(r"(?: ?'(?:-[Cp]\d+|--whitespace=[a-z-]+|--ignore-(?:whitespace|space-change))')*\s*")
_STEPS = "git-rebase-todo"
_STATES = {
    "rebase-merge": (_STEPS, "strategy"),
    "rebase-apply": ("strategy", "apply-opt"),
    "sequencer": ("opts",),
}
"""What git remembers of work that was stopped, by its folder."""
_REMOTES = ("remotes", "branches")
"""Where old gits kept what is in the configuration today; each file in them says where git pushes to."""
_FOLDERS = ("modules", "worktrees", *_REMOTES)
"""In which git makes repositories: a link, which is none of git's, would have it make them elsewhere."""
_SET_ASIDE = re.compile(r".*\.set-aside-[0-9a-f]{6}")
_ACTIVE_HOOK = re.compile(r"[A-Za-z0-9-]+")


class GitFile(NamedTuple):
    """A file in the folder of a repository, by which git can come to run something."""

    repository: Path
    name: str

    @property
    def path(self) -> Path:
        return self.repository / self.name

    def is_harmless(self, own_steps: Collection[str] = ()) -> bool:
        """Whether what it holds is understood and harmless. `own_steps`: the user's, which may run a program."""
        if self.name.split("/")[0] in ("hooks", *_REMOTES) or self.name in _STATES:
            return False
        text = _text(self.path)
        if text is None:
            return False
        if self.name == "commondir":
            return text == "../..\n"
        if self.name.endswith("/strategy"):
            return text.strip("\n") in _STRATEGIES
        if self.name.endswith("/apply-opt"):
            return _APPLY_OPTIONS.fullmatch(text) is not None
        if self.name.endswith(_STEPS):
            return not programs_in(text) - set(own_steps)
        settings = _settings(text)
        if self.name == "sequencer/opts":
            return settings is not None and all(_is_harmless_of_steps(key, value) for key, value in settings)
        return settings is not None and all(self._is_harmless(key, value) for key, value in settings)

    def work_trees(self) -> Iterator[Path]:
        """The folders that a configuration has git write to, other than the one around the repository."""
        text = _text(self.path) if self.name in ("config", "config.worktree") else None
        for key, value in _settings(text or "") or ():
            if key == "core.worktree":
                yield Path(os.path.realpath(self.repository / (value or "")))

    def _is_harmless(self, key: str, value: str | None) -> bool:
        if not _HARMLESS.fullmatch(key):
            return key in ("commit.gpgsign", "tag.gpgsign") and value == "false"
        if key == "core.worktree":
            return value is not None and _PLAIN.fullmatch(value) is not None
        return "::" not in (value or "")


def is_git_folder(names: Collection[str]) -> bool:
    """Whether git takes a folder that holds `names` (folded) for a repository, or for what some have in common."""
    has_objects = "objects" in names and ("head" in names or "refs" in names)
    return has_objects or ("head" in names and "commondir" in names)


def files_of(repository: Path, only_states: bool = False) -> Iterator[GitFile]:
    """Those that are there. Raises OSError after the last one when others could not be looked at."""
    failure: OSError | None = None
    names = ["config.worktree"] if only_states else ["config", "config.worktree", "commondir"]
    names += [folder for folder in _FOLDERS if (repository / folder).is_symlink()]
    for folder, files in _STATES.items():  # a link is none of git's
        is_link = (repository / folder).is_symlink()
        names += [folder] if is_link else [f"{folder}/{name}" for name in files]
    if not only_states:
        names += ["hooks"] if (repository / "hooks").is_symlink() else []  # also one that leads nowhere yet
    for folder in _REMOTES if only_states else ("hooks", *_REMOTES):
        try:
            names += _active(repository, folder)
        except OSError as error:
            failure = error
    for name in names:
        try:
            (repository / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            failure = error
        else:
            yield GitFile(repository, name)
    if failure:
        raise failure


def programs_in(text: str) -> set[str]:
    """The lines of a list of steps that are not known to run nothing."""
    lines = (line.strip(" \t") for line in text.split("\n"))
    return {line for line in lines if not _STEP.fullmatch(line)}


def steps_of(repository: Path) -> set[str]:
    """The lines that run a program in the steps of a rebase that was stopped."""
    return programs_in(_text(repository / "rebase-merge" / _STEPS) or "")


def _active(repository: Path, folder: str) -> list[str]:
    """What in a folder of hooks has the name of one, or what in another is not set aside. Raises OSError."""
    try:
        names = sorted(os.listdir(repository / folder))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    if folder == "hooks":
        return [f"{folder}/{name}" for name in names if _ACTIVE_HOOK.fullmatch(name)]
    return [f"{folder}/{name}" for name in names if not _SET_ASIDE.fullmatch(name)]


def _text(path: Path) -> str | None:
    """None for what is no regular file, is too large or cannot be read, and for control characters in it."""
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > _LIMIT_BYTES:
            return None
        text = path.read_bytes().decode()
    except (OSError, ValueError):
        return None
    return text if text.replace("\n", "").replace("\t", "").isprintable() else None


def _settings(text: str) -> list[tuple[str, str | None]] | None:
    """The settings of a configuration that is written as git itself writes it; None when it is not."""
    found: list[tuple[str, str | None]] = []
    section = ""
    for line in text.split("\n"):
        rest = line.strip(" \t")
        if not rest or rest[0] in "#;":
            continue
        if match := _SECTION.fullmatch(rest):
            section = match[1].lower()
        elif not (match := _SETTING.fullmatch(rest)):
            return None
        else:
            found.append((f"{section}.{match[1].lower()}", match[3]))
    return found


def _is_harmless_of_steps(key: str, value: str | None) -> bool:
    return _HARMLESS_OF_STEPS.fullmatch(key) is not None and (key != "options.strategy" or value in _STRATEGIES)
