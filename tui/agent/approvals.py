"""What runs unasked: policies, rules and the one function that judges a tool call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tui.agent import command_rules
from tui.agent.dangers import Ground, why_dangerous
from tui.core.messages import Json
from tui.settings.config import AllowRule
from tui.tools.base import CHANGING, Tool
from tui.tools.changes import ChangingTool
from tui.tools.errors import ToolError
from tui.tools.paths import Location, is_the_programs_source, locate
from tui.tools.secret_places import is_secret

Policy = Literal["ask", "edits", "plan", "auto"]
SandboxState = Literal["on", "off", "missing"]
"""`on`: commands run inside; `off`: the user switched it off; `missing`: wanted, but it does not work here."""

_OWN_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108
"""What is private to a command in the sandbox, and gone with it."""


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
    network: bool = False
    """Whether the network is allowed: the user's setting, for commands in the sandbox and for tools."""
    fetch_allow: tuple[str, ...] = ()
    """Hosts (`host:port`) that the user lets pages be fetched from."""
    sandbox_name: str = ""
    """What the sandbox is, where there is one."""

    def judge(self, tool: Tool, arguments: Json) -> Verdict:
        """Whether a valid call runs. Blocking: paths are resolved on the disk."""
        places = [locate(self.folder, path) for path in tool.paths(arguments)]
        verdict = self._judge(tool, arguments, places)
        return replace(verdict, places=tuple(place.path for place in places))

    def _judge(self, tool: Tool, arguments: Json, places: Sequence[Location]) -> Verdict:
        if impossible := next((place.error for place in places if place.error), ""):
            return Verdict("deny", impossible.removesuffix("."))
        if tool.effect in ("edit", "run") and (place := next((p for p in places if p.protected), None)):
            return Verdict("deny", f"{place.path} is read-only to tools")
        if self.policy == "plan" and tool.effect in CHANGING:
            return Verdict("deny", "the policy is `plan`: nothing that changes anything runs")
        if tool.name in ("read_file", "search_files") and all(place.path.parent == self.kept for place in places):
            return Verdict("allow")
        if tool.name == "remember" and places:
            return Verdict("ask", "adds a note for later sessions")
        if secret := [place for place in places if is_secret(place.path)]:
            return Verdict("ask", _named("where keys or the program's own files lie", secret))
        if outside := [place for place in places if not place.inside]:
            where = "outside the folder" + (", where nothing can be taken back" if tool.effect == "edit" else "")
            return Verdict("ask", _named(where, outside))
        if tool.effect == "edit" and (own := [place for place in places if is_the_programs_source(place.path)]):
            return Verdict("ask", _named("changes this program itself", own))
        if tool.effect in ("read", "talk"):
            return Verdict("allow")
        if tool.effect == "run":
            return self._judge_command(tool, arguments)
        if tool.name == "fetch_url" and (why := self._no_use_to_fetch(arguments)):
            return Verdict("deny", why)
        if any(self._matches(rule, tool, arguments) for rule in self.rules):
            return Verdict("allow")
        rule = {"tool": tool.name, "folder": str(self.folder)}
        if tool.effect == "edit":
            if self.policy in ("edits", "auto"):
                return Verdict("allow")
            return Verdict("ask", tool.deed(arguments) if isinstance(tool, ChangingTool) else "changes files", rule)
        if tool.effect == "network":
            if self.policy == "auto" and (self.network or tool.name == "web_search"):  # the user set whom it asks
                return Verdict("allow")
            if tool.name == "fetch_url" and self._may_fetch(arguments):
                return Verdict("allow")
            return Verdict("ask", "reaches the network", rule | ({"host": host} if (host := _host(arguments)) else {}))
        # In every policy: no sandbox holds it, and what it says of itself is not trusted.
        return Verdict("ask", "a tool of a server runs outside the sandbox", rule)

    def _may_fetch(self, arguments: Json) -> bool:
        from tui.tools.web.addresses import target_of  # not before a page is fetched

        return bool(self.fetch_allow) and target_of(str(arguments["url"])).is_in(self.fetch_allow)

    def _no_use_to_fetch(self, arguments: Json) -> str:
        """Why an address is refused in any case; empty when it may be fetched."""
        from tui.tools.web.addresses import refuse_hopeless

        try:
            refuse_hopeless(str(arguments["url"]), self.fetch_allow)
        except ToolError as error:
            return str(error).removesuffix(".")
        return ""

    def _judge_command(self, tool: Tool, arguments: Json) -> Verdict:
        """A command, or input for one that runs (`text`): that is never the same again, so there is no rule for it."""
        command = str(arguments.get("command") or arguments.get("text") or "")
        if why := why_dangerous(command, self._ground()):
            where = self._confinement()
            return Verdict("ask", f"{why} (always asked){where and f', runs{where}'}")
        rule: Json | None = None
        if "command" in arguments:
            if command_rules.allows(self.rules_for(tool.name), command, self.folder):
                return Verdict("allow")
            rule = {"tool": tool.name, "command": command, "folder": str(self.folder)}
        if self.policy != "auto":
            return Verdict("ask", f"runs a command{self._confinement()}", rule)
        if self.sandbox == "missing":
            return Verdict("ask", "no sandbox works here, so commands are asked for", rule)
        if self.gaps:
            return Verdict("ask", f"the sandbox{self._named()} has gaps: {'; '.join(self.gaps)}", rule)
        return Verdict("allow")

    def _confinement(self) -> str:
        """What the user must know of what holds a command, as words to follow; nothing where it has no gaps."""
        if self.sandbox != "on":
            return " without a sandbox, with all of your rights"
        return f" in a sandbox with gaps{self._named()}" if self.gaps else ""

    def _named(self) -> str:
        return f" ({self.sandbox_name})" if self.sandbox_name else ""

    def _ground(self) -> Ground:
        if self.sandbox != "on" or self.gaps:
            return Ground(self.folder)
        places = [os.path.realpath(place) for place in _OWN_FOLDERS]
        # What lies beside a project in one of them is not the command's own.
        return Ground(self.folder, tuple(place for place in places if not self.folder.is_relative_to(place)))

    @property
    def trusts_words(self) -> bool:
        """Whether rules on words count: they rely on a sandbox without gaps, or on the user who switched it off."""
        return self.sandbox != "missing" and not self.gaps

    def rules_for(self, tool: str) -> list[AllowRule]:
        """Those on commands that count for this tool, here."""
        return [
            rule
            for rule in self.rules
            if (rule.tool, rule.host) == (tool, None)
            and _is_here(rule, self.folder)
            and (rule.words is None or self.trusts_words)
        ]

    def _matches(self, rule: AllowRule, tool: Tool, arguments: Json) -> bool:
        """Whether a rule allows a call of a tool that runs no commands."""
        if rule.tool != tool.name or not _is_here(rule, self.folder) or rule.command is not None or rule.words:
            return False
        return rule.host is None or rule.host == _host(arguments)


def _is_here(rule: AllowRule, folder: Path) -> bool:
    return rule.folder is None or Path(rule.folder) == folder


def _host(arguments: Json) -> str | None:
    """Of the `url` that is fetched; in lower case, without its port."""
    try:
        return urlsplit(str(arguments.get("url", ""))).hostname
    except ValueError:
        return None


def _named(what: str, places: Sequence[Location]) -> str:
    return f"{what}: " + ", ".join(str(place.path) for place in places)
