"""The command palette over the registry."""

from __future__ import annotations

from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tui.commands.registry import COMMANDS, Command, Front


class CommandProvider(Provider):
    """Finds commands by name and by what they do, in place of Textual's own list. They run as their keys do."""

    async def discover(self) -> Hits:
        for command in self._commands:
            yield DiscoveryHit(f"/{command.name}", self._run(command), command.name, command.help)

    async def search(self, query: str) -> Hits:
        matcher, words = self.matcher(query), query.strip().casefold()
        for command in self._commands:
            by_name = matcher.match(command.name)
            # Scattered letters of the query are in almost every help line; what is so called comes first.
            score = 1 + by_name if by_name > 0 else float(words in command.help.casefold())
            if score > 0:
                yield Hit(score, matcher.highlight(f"/{command.name}"), self._run(command), None, command.help)

    @property
    def _commands(self) -> tuple[Command, ...]:
        """The screen is the main one: the palette opens nowhere else."""
        return (*COMMANDS, *cast("Front", self.screen.front).more_commands)  # type: ignore[attr-defined]

    def _run(self, command: Command) -> IgnoreReturnCallbackType:
        return partial(self.screen.run_action, f"command('{command.name}')")
