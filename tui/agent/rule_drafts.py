"""The rule that `always` would add, as text that the user may narrow or widen before it counts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from tui.agent.approvals import Approvals
from tui.agent.command_rules import fits, matches, unallowed
from tui.agent.prefix_limits import why_not_covered
from tui.core.messages import Json


@dataclass(frozen=True, slots=True)
class CommandDraft:
    """Rules on the words of a command: a line for each part of it that no rule allows yet."""

    command: str
    rule: Json
    """The rule on the exact command."""
    approvals: Approvals
    text: str

    def read(self, text: str) -> tuple[Json, ...]:
        """The rules that `text` says. Raises ValueError with what is wrong, where they would not allow the command."""
        patterns = [_pattern(line) for line in text.split("\n") if line.strip()]
        if not patterns:
            raise ValueError("there is no rule")
        left = self._left(patterns)
        if left:
            raise ValueError(_why_left(patterns, left[0]))
        asked = self._left(())
        for pattern in patterns:
            if not any(matches(pattern, words) for words in asked):
                raise ValueError(f"`{_line(pattern)}` has nothing to do with this command")
        base = {key: value for key, value in self.rule.items() if key != "command"}
        return tuple({**base, "words": list(pattern)} for pattern in patterns)

    def _left(self, patterns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        rules = self.approvals.rules_for(str(self.rule["tool"]))
        known = [rule.words for rule in rules if rule.words is not None]
        return unallowed([*known, *patterns], self.command, self.approvals.folder) or []


def draft_of(rule: Json, approvals: Approvals) -> CommandDraft | None:
    """What the user may change of the rule that a question would add; None where it is as it is.

    Such are rules on tools, and on commands that are more than words, or where rules on words do not count. Blocking.
    """
    command = rule.get("command")
    if not isinstance(command, str) or not approvals.trusts_words:
        return None
    draft = CommandDraft(command, rule, approvals, "")
    left = draft._left(())
    if not left or any("*" in word for words in left for word in words):
        return None
    text = "\n".join(_line(words) for words in left)
    draft = CommandDraft(command, rule, approvals, text)
    try:
        draft.read(text)
    except ValueError:
        return None
    return draft


def _line(words: Sequence[str]) -> str:
    return " ".join(word if word == "*" else shlex.quote(word) for word in words)


def _pattern(line: str) -> tuple[str, ...]:
    """Raises ValueError."""
    if "'*'" in line or '"*"' in line or "\\*" in line:
        raise ValueError("a star cannot be a plain word of a rule")
    try:
        words = shlex.split(line)
    except ValueError:
        raise ValueError("a quotation mark is not closed") from None
    if not words or words[0] == "*":
        raise ValueError("the first word is the name of a program")
    if odd := next((word for word in words if "*" in word and word != "*"), None):
        raise ValueError(f"`{odd}`: a star stands for whole words")
    return tuple(words)


def _why_left(patterns: Sequence[Sequence[str]], words: Sequence[str]) -> str:
    for pattern in patterns:
        if fits(pattern, words) and (why := why_not_covered(words, pattern.index("*"))):
            return f"no rule with a star allows this: {why}"
    return f"`{_line(words)}` is not allowed by it"
