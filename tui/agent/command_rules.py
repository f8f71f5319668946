"""Whether rules allow a shell command: to the letter, or each of its simple commands by its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui.agent.command_words import parse
from tui.agent.prefix_limits import why_not_covered
from tui.settings.config import AllowRule
from tui.tools.paths import locate

_HARMLESS = frozenset(("true", "false", ":", "echo", "pwd", "exit"))
"""Builtins that need no rule as a part of a command that is allowed otherwise; `cd` within the folder is another."""
_MOST_PLACES = 16


def allows(rules: Sequence[AllowRule], command: str, folder: Path) -> bool:
    """Whether `rules`, all of them for this tool and folder, allow the command. Blocking: follows links."""
    if any(rule.command is not None and rule.command.strip(" \n") == command.strip(" \n") for rule in rules):
        return True
    by_words = [rule.words for rule in rules if rule.words is not None and rule.command is None]
    if not by_words:
        return False
    parts = unallowed(by_words, command, folder)
    return parts is not None and not parts


def unallowed(patterns: Sequence[Sequence[str]], command: str, folder: Path) -> list[tuple[str, ...]] | None:
    """The words of each simple command that none of the patterns allows; None when rules on words cannot allow it.

    Nothing is allowed by being harmless alone: at least one part has to be there for a rule.
    """
    parsed = parse(command)
    if parsed is None or not parsed.is_plain:
        return None
    parts = [simple.exact for simple in parsed.commands]
    exact = [words for words in parts if words is not None]
    moves = [words for words in exact if words[0] == "cd"]
    if len(exact) < len(parts) or not _stay_inside(moves, folder):
        return None
    needed = [words for words in exact if words not in moves and words[0] not in _HARMLESS]
    if moves and any("/" in words[0] and not words[0].startswith("/") for words in needed):
        return None  # another file than the one that the rule meant
    if not needed:
        needed = [words for words in exact if words not in moves]
    if not needed:
        return None
    missing = [words for words in needed if not any(matches(pattern, words) for pattern in patterns)]
    return list(dict.fromkeys(missing))


def matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words are those of the pattern. `*` stands for any one word, and at the end for any number of words.

    What the stars stand for must be nothing that runs programs or writes anywhere.
    """
    if not fits(pattern, words):
        return False
    if "*" not in pattern:
        return True
    return why_not_covered(words, pattern.index("*")) is None


def fits(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words are those of the pattern, whatever they do."""
    if pattern and pattern[-1] == "*":
        pattern = pattern[:-1]
        if len(words) < max(1, len(pattern)):
            return False
        words = words[: len(pattern)]
    return len(pattern) == len(words) and all(p in ("*", word) for p, word in zip(pattern, words, strict=True))


def _stay_inside(moves: Sequence[Sequence[str]], folder: Path) -> bool:
    """Whether every `cd` leads to a place in the folder, whichever of those before it was done."""
    places = {folder}
    for words in moves:
        if len(words) != 2 or words[1].startswith("-") or not words[1]:
            return False
        found = [locate(folder, str(place / words[1])) for place in places]
        if not all(place.inside for place in found):
            return False
        places |= {place.path for place in found}
        if len(places) > _MOST_PLACES:
            return False
    return True
