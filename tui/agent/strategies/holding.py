"""Keeps from the screen what may become a tool call: the words before it are shown as they come, the call is not."""

from __future__ import annotations

import re

from tui.agent.strategies.tagged import START

_FENCE = re.compile(r"^(?:```|~~~)[ \t]*(?:json|tool_code|tool_calls?|tool|function_call|)[ \t]*\n\s*", re.IGNORECASE)
_LOOSE = re.compile(
    r"(?:^|(?<=\n))(?:(?:```|~~~)(?:json|tool|function_call|[ \t]*\n|[ \t]*\Z)|[ \t]*[\[{])", re.IGNORECASE
)
_KEY = re.compile(r"[\[{\s]*['\"]?(?:tool|name|function|action|recipient_name|type|id)\w*['\"]?\s*:", re.IGNORECASE)
_CODE = re.compile(r"(?:print\(|\[)?\w+\(")
_BEHIND_FENCE = re.compile(r"\n(?:```|~~~)\s*[^\s`~]")
_BEHIND_JSON = re.compile(r"[}\]]\s*\n\s*[^\s{}\[\],;\"'`]")
_DECIDED_CHARACTERS = 60
"""So much of a fence or of bare JSON tells whether it may be a call."""
_LONGEST_START = 48
"""Characters of the longest tag that a call begins with."""


class Holding:
    """Take each piece of text through `feed`; `held` is what was kept back, and is the caller's to show or not."""

    def __init__(self) -> None:
        self.held = ""
        self.is_tagged = False
        """What is held begins with a tag of a call."""
        self._goes_on: re.Pattern[str] | None = None
        """What is held looks like a call without a tag, until this is in it: then it was not the last thing said."""

    def feed(self, piece: str) -> str:
        """What of the text so far can be shown now."""
        self.held += piece
        if self.is_tagged:
            return ""
        if self._goes_on is not None:
            start = max(0, len(self.held) - len(piece) - _LONGEST_START)
            return self.release() if self._goes_on.search(self.held, start) else ""
        if tag := START.search(self.held):
            self.is_tagged, shown = True, self.held[: tag.start()]
            self.held = self.held[tag.start() :]
            return shown
        end = self._undecided()
        shown, self.held = self.held[:end], self.held[end:]
        return shown

    def release(self) -> str:
        """What is held, which is then not held any more."""
        held, self.held, self.is_tagged, self._goes_on = self.held, "", False, None
        return held

    def _undecided(self) -> int:
        """Where that begins which may be, or become, the start of a call."""
        for match in _LOOSE.finditer(self.held):
            text = self.held[match.start() :]
            if (is_call := _is_call_so_far(text)) is not False:
                if is_call:
                    self._goes_on = _BEHIND_FENCE if text.startswith(("```", "~~~")) else _BEHIND_JSON
                return match.start()
        tail = max(0, len(self.held) - _LONGEST_START)
        found = [place for mark in "<[`~✿" if (place := self.held.find(mark, tail)) >= 0]
        return min(found, default=len(self.held))


def _is_call_so_far(text: str) -> bool | None:
    """Whether a fence, or bare JSON, begins as a call does; None when it is too short to tell."""
    fence = _FENCE.match(text)
    if fence is None and text.startswith(("```", "~~~")):
        return None if len(text) < _DECIDED_CHARACTERS else False
    inner = text[fence.end() :] if fence else text
    if _KEY.match(inner) or (fence and _CODE.match(inner)):
        return True
    return None if len(inner) < _DECIDED_CHARACTERS and "\n\n" not in inner.strip() else False
