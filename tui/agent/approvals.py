"""What runs unasked: policies, rules and the one function that judges a tool call."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tui.core.messages import Json
from tui.settings.config import AllowRule
from tui.tools.base import Tool
from tui.tools.paths import Location, locate
from tui.tools.secret_places import is_secret

Policy = Literal["ask", "edits", "plan", "auto"]
SandboxState = Literal["on", "off", "missing"]
"""`on`: commands run inside; `off`: the user switched it off; `missing`: wanted, but it does not work here."""

# A rule on words never matches what a shell would do more with than to split it.
_SHELL_SYNTAX = frozenset(";|&<>$`(){}[]*?~#!\\\n\r\"'=")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`allow`, `ask` or `deny` a call, why, and the rule that `always` would add (None: always asked)."""

    action: Literal["allow", "ask", "deny"]
    reason: str = ""
    rule: Json | None = None
    places: tuple[Path, ...] = ()
    """What was judged: the paths of the call, with their links followed."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """The user's standing word about tool calls in `folder`."""

    policy: Policy
    folder: Path
    sandbox: SandboxState
    rules: Sequence[AllowRule] = ()
    gaps: tuple[str, ...] = ()
    """What the sandbox that is `on` cannot hold back: where there is something, commands are asked for."""
    kept: Path | None = None
    """The folder of outputs that were too long for the model: they may be read, though no other file beside them."""

    def judge(self, tool: Tool, arguments: Json) -> Verdict:
        """Whether a valid call runs. Blocking: paths are resolved on the disk."""
        places = [locate(self.folder, path) for path in tool.paths(arguments)]
        verdict = self._judge(tool, arguments, places)
        return replace(verdict, places=tuple(place.path for place in places))

    def _judge(self, tool: Tool, arguments: Json, places: Sequence[Location]) -> Verdict:
        if tool.effect != "read" and (place := next((p for p in places if p.protected), None)):
            return Verdict("deny", f"{place.path} is read-only to tools")
        if self.policy == "plan" and tool.effect != "read":
            return Verdict("deny", "the policy is `plan`: nothing that changes anything runs")
        if tool.name == "read_file" and all(place.path.parent == self.kept for place in places):
            return Verdict("allow")
        if secret := [place for place in places if is_secret(place.path)]:
            return Verdict("ask", _named("where keys or the program's own files lie", secret))
        if outside := [place for place in places if not place.inside]:
            return Verdict("ask", _named("outside the folder", outside))
        if tool.effect == "read" or any(self._allows(rule, tool, arguments) for rule in self.rules):
            return Verdict("allow")
        if tool.effect == "edit":
            return self._judge_edit(tool)
        if tool.effect == "foreign":  # in every policy: no sandbox holds it, and what it says of itself is not trusted
            rule: Json = {"tool": tool.name, "folder": str(self.folder)}
            return Verdict("ask", "a tool of a server runs outside the sandbox", rule)
        return self._judge_command(tool, arguments)

    def _allows(self, rule: AllowRule, tool: Tool, arguments: Json) -> bool:
        """Whether a rule allows a call. One on words relies on the sandbox: without it only exact commands count."""
        if (self.sandbox == "missing" or self.gaps) and rule.words is not None:
            return False
        return _matches(rule, tool, arguments, self.folder)

    def _judge_edit(self, tool: Tool) -> Verdict:
        if self.policy in ("edits", "auto"):
            return Verdict("allow")
        return Verdict("ask", "changes a file", {"tool": tool.name, "folder": str(self.folder)})

    def _judge_command(self, tool: Tool, arguments: Json) -> Verdict:
        rule: Json | None = None
        if "command" in arguments:  # what has none, like input for a command that runs, is never the same again
            rule = {"tool": tool.name, "command": arguments["command"], "folder": str(self.folder)}
        if self.policy != "auto":
            return Verdict("ask", "runs a command", rule)
        if self.sandbox == "missing":
            return Verdict("ask", "no sandbox works here, so commands are asked for", rule)
        if self.gaps:
            return Verdict("ask", f"the sandbox that works here has gaps: {'; '.join(self.gaps)}", rule)
        return Verdict("allow")


def _named(what: str, places: Sequence[Location]) -> str:
    return f"{what}: " + ", ".join(str(place.path) for place in places)


def _matches(rule: AllowRule, tool: Tool, arguments: Json, folder: Path) -> bool:
    if rule.tool != tool.name or (rule.folder is not None and Path(rule.folder) != folder):
        return False
    if tool.effect != "run":
        return rule.command is None and rule.words is None
    if "command" not in arguments:
        return False
    command = str(arguments["command"])
    if rule.command is not None:
        return command.strip(" \n") == rule.command.strip(" \n")
    return rule.words is not None and _words_match(rule.words, command)


def _words_match(pattern: Sequence[str], command: str) -> bool:
    """`*` stands for any one word, and at the end for any number of words."""
    if _SHELL_SYNTAX & set(command):
        return False
    words = shlex.split(command)
    if pattern and pattern[-1] == "*":
        pattern = pattern[:-1]
        words = words[: len(pattern)] if len(words) >= len(pattern) else words
    return len(pattern) == len(words) and all(p in ("*", word) for p, word in zip(pattern, words, strict=True))
