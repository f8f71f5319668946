"""What is dangerous about the words of git. `danger_programs` asks it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tui.agent.command_words import Word
from tui.agent.danger_places import Places
from tui.agent.danger_words import GIT_LOOKS, KEPT, LOST, OUTSIDE, WHOLE, has, operands, short, values

_NEW_PLACES = {"clone": 1, "init": 0, "worktree": 1}
"""From which of its operands on they are folders that a subcommand makes, moves or removes."""
_VALUED = ("-C", "-c", "--attr-source", "--config-env", "--git-dir", "--namespace", "--work-tree")
"""Of its options before the subcommand, those with a value in a word of its own."""
_PUSHES = ("push", "send-pack", "http-push")
_WHOLE_TREE = frozenset((".", "./", ":/", ":", "*"))


def why_dangerous_git(words: Sequence[Word], places: Places) -> str | None:
    """Why git is always asked about with these words after its name; None when nothing was found."""
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        at += 2 if words[at].text in _VALUED else 1
    before, after = words[:at], words[at + 1 :]
    command, rest = (words[at].text, [word.text for word in after]) if at < len(words) else ("", [])
    settings = [word.text for word in values(before, "c", "--config-env")]
    if any(setting.lower().startswith("alias.") for setting in settings):
        return "hides what git does behind another name"
    if command in _PUSHES:
        rest += _pushed_by(settings)
    if why := _history(command, rest) or _work(command, rest):
        return why
    elsewhere = places.are_outside(values(before, "C", "--git-dir --work-tree"))
    if elsewhere and command not in GIT_LOOKS:
        return f"changes {OUTSIDE}"
    for folder in values(before, "C", ""):
        places = places.within(folder)
    written = values(after, "o", "--output --output-directory")
    if command in _NEW_PLACES:
        written += operands(after, "bBcjo", "--branch --depth --jobs --origin")[_NEW_PLACES[command] :]
    if command == "config" and not any(word.startswith(("--get", "--list", "-l")) for word in rest):
        written += values(after, "f", "--file")
    return f"writes {OUTSIDE}" if places.are_outside(written) else None


def _history(command: str, rest: Sequence[str]) -> str | None:
    """Remotes, settings, and what only git has."""
    if command in _PUSHES:
        return _push(rest)
    if command in ("filter-branch", "filter-repo") or (command == "reflog" and {"expire", "delete"} & set(rest[:1])):
        return "rewrites the history"
    if command == "config" and any(short(word, long, 4) for word in rest for long in ("--global", "--system")):
        return "changes git's settings for all projects"
    if command == "branch" and (has(rest, "D", "--D") or (has(rest, "d", "--delete", 4) and has(rest, "f", "--force"))):
        return KEPT
    if command == "prune" and not has(rest, "n", "--dry-run"):
        return KEPT
    if command == "gc" and any(word.startswith("--pr") for word in rest):
        return KEPT
    if command == "update-ref" and has(rest, "d", "--delete"):
        return KEPT
    return None


def _work(command: str, rest: Sequence[str]) -> str | None:
    """What is not committed."""
    is_whole = bool(_WHOLE_TREE & set(rest))
    if command == "reset" and any(short(word, long, 4) for word in rest for long in ("--hard", "--merge")):
        return LOST
    if command == "stash" and {"clear", "drop"} & set(rest[:1]):
        return LOST
    if command in ("checkout", "switch"):
        options = [word for word in rest if not re.match(r"-[bBcC]", word)]  # `-bfix` names a branch
        if has(options, "f", "--force", 4) or any(short(word, "--discard-changes", 5) for word in options):
            return LOST
    if command == "checkout" and is_whole:
        return LOST
    if command == "restore" and is_whole and (not has(rest, "S", "--staged", 4) or has(rest, "W", "--worktree", 4)):
        return LOST
    if command == "worktree" and rest[:1] == ["remove"] and has(rest, "f", "--force"):
        return LOST
    if command == "rm" and is_whole and has(rest, "r", "--recursive") and not has(rest, "n", "--cached", 4):
        return WHOLE
    if command == "clean" and has(rest, "f", "--force"):
        return "deletes files that git does not know"
    return None


def _pushed_by(settings: Sequence[str]) -> Iterator[str]:
    """What settings of a remote add to the words of a push."""
    for setting in settings:
        key, _, value = setting.partition("=")
        if re.fullmatch(r"remote\..*\.push", key, re.IGNORECASE):
            yield value
        elif re.fullmatch(r"remote\..*\.mirror", key, re.IGNORECASE) and value.lower() not in ("false", "no", "0"):
            yield "--mirror"


def _push(words: Sequence[str]) -> str | None:
    if has(words, "f", "--force", 4) or any(word.startswith(("--force", "--mirror", "+")) for word in words):
        return "overwrites what is on the remote"
    if has(words, "d", "--delete", 4) or any(re.match(r":.|--prune", word) for word in words):
        return "deletes on the remote"
    return None
