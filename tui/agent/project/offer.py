"""What a project brings and would be allowed to do: for the user to look at before they trust it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tui.agent.project.custom_commands import project_commands, project_unusable_commands
from tui.agent.project.notes import Note, notes_of
from tui.agent.project.reading import names_in
from tui.agent.project.skills import project_skills, project_unusable_skills
from tui.core.errors import ConfigError
from tui.core.text import clean_line, reveal
from tui.settings.agent_files import project_agents_dir
from tui.settings.project import can_be_project, project_root
from tui.settings.project_config import ProjectSettings, read_project
from tui.settings.schema import AllowRule, McpConfig, Settings
from tui.settings.trust import TrustState, changed_files, fingerprint, trust_state

_LONGEST = 10_000
"""Characters: what would be run is never cut for looks."""


class Offer(NamedTuple):
    """All that a project brings. Its texts are untrusted."""

    root: Path
    state: TrustState
    fingerprint: str
    """Of what was looked at."""
    notes: Sequence[Note]
    skills: Sequence[str]
    commands: Sequence[str]
    agents: Sequence[str]
    """Files of subagents."""
    settings: ProjectSettings
    errors: Sequence[ConfigError]
    """What is wrong with its configuration: nothing of that counts."""
    unusable: Sequence[str] = ()
    """Its skills that cannot be used, with the reason."""
    unusable_commands: Sequence[str] = ()
    unusable_agents: Sequence[str] = ()
    changed: Sequence[str] = ()
    """Files that are other ones than the user trusted."""

    @property
    def is_empty(self) -> bool:
        brings = self.notes or self.skills or self.commands or self.agents or self.errors
        return not brings and self.settings == ProjectSettings()

    def summary(self) -> str:
        """In a few words, for a line: `AGENTS.md, 2 skills, 1 hook`; cleaned."""
        settings = self.settings
        has_defaults = settings.defaults != ProjectSettings().defaults
        parts = [clean_line(self.notes[-1].name, 60)] if len(self.notes) == 1 else []
        parts += _counted(len(self.notes), "file of notes", "files of notes") if len(self.notes) > 1 else []
        parts += _counted(len(self.skills), "skill")
        parts += _counted(len(settings.hooks), "hook")
        parts += _counted(len(settings.mcp), "server of tools", "servers of tools")
        parts += _counted(len(self.commands), "command")
        parts += _counted(len(self.agents), "subagent")
        parts += _counted(len(settings.agent.allow), "rule of what runs unasked", "rules of what runs unasked")
        parts += ["a choice of its own for who answers"] if has_defaults else []
        parts += ["a configuration with mistakes"] if self.errors else []
        return ", ".join(parts)

    def news(self) -> str:
        """What has changed since the user trusted it, in words; empty where nothing has."""
        return f"Changed since: {_line(', '.join(self.changed))}." if self.changed else ""

    def lines(self) -> Iterator[str]:
        """Exactly what it would be allowed to do, a thing a line; cleaned."""
        for hook in self.settings.hooks:
            tool = f" ({hook.tool})" if hook.tool else ""
            yield _line(f"run at {hook.on}{tool}, inside the sandbox: {shlex.join(hook.command)}")
        for name, server in self.settings.mcp.items():
            yield _line(f"start or ask the server of tools {name}: {_reached(server)}")
        for rule in self.settings.agent.allow:
            yield _line(f"unasked from now on, here: {_rule(rule)}")
        defaults = self.settings.defaults
        for what, value in (("backend", defaults.backend), ("model", defaults.model), ("mode", defaults.mode)):
            if value:
                yield _line(f"begin with the {what} {value}")
        for note in self.notes:
            yield _line(f"tell the model what {note.name} says ({len(note.text):,} characters)")
        for skill in self.skills:
            yield _line(f"offer the model the skill {skill}")
        for skill in self.unusable:
            yield _line(f"(not a skill that can be used: {skill})")
        for command in self.commands:
            yield _line(f"add the command /{command}")
        for command in self.unusable_commands:
            yield _line(f"(not a command that can be used: {command})")
        for agent in self.agents:
            yield _line(f"offer the model the subagent {agent}, which may be answered by another of your backends")
        for agent in self.unusable_agents:
            yield _line(f"(not a subagent that can be used: {agent})")


def offer_of(folder: Path, taken: Collection[str] = (), user: Settings | None = None) -> Offer:
    """What the project of `folder` brings, as it is now. Blocking, raises nothing but for want of a home folder.

    `taken` are the names of the program's own commands, `user` the settings whose backends a subagent may name.
    """
    root = project_root(folder)
    if not can_be_project(root):
        return Offer(root, "unknown", "", (), (), (), (), ProjectSettings(), ())
    seen = fingerprint(root)
    settings, errors, _ = read_project(root)
    skills = [f"{skill.name}: {skill.description}" for skill in project_skills(root).values()]
    commands = [f"{command.name}: {command.help}" for command in project_commands(root, taken)]
    agents, not_agents = _agents(user or Settings(), root)
    state, notes, unusable = trust_state(root), notes_of(folder), project_unusable_skills(root)
    changed = changed_files(root) if state == "changed" else ()
    not_commands = project_unusable_commands(root, taken)
    brought = (root, state, seen, notes, skills, commands, agents, settings, errors)
    return Offer(*brought, unusable, not_commands, not_agents, changed)


def _agents(settings: Settings, root: Path) -> tuple[list[str], list[str]]:
    """The names of its subagents, and `FILE: why` of those that cannot be used."""
    if not any(names_in(project_agents_dir(root))):
        return [], []
    from tui.agent.subagents import project_agents  # not for the start of the program, which mostly needs none of it

    found = project_agents(settings, root)
    errors = [error.message.removeprefix(f"{root}{os.sep}") for error in found.errors]
    return [definition.name for definition in found.definitions], errors


def _counted(count: int, one: str, many: str = "") -> list[str]:
    return [f"1 {one}" if count == 1 else f"{count} {many or f'{one}s'}"] if count else []


def _line(text: str) -> str:
    return clean_line(reveal(text), _LONGEST)


def _reached(server: McpConfig) -> str:
    return shlex.join(server.command) if server.command else str(server.url)


def _rule(rule: AllowRule) -> str:
    what = rule.command if rule.command is not None else " ".join(rule.words or ("(every call)",))
    return f"{rule.tool} {what}"
