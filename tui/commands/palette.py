"""The command palette over the registry."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tui.commands.registry import COMMANDS, Command


class CommandProvider(Provider):
    """Finds commands by name and by what they do, in place of Textual's own list. They run as their keys do."""

    async def discover(self) -> Hits:
        for command in COMMANDS:
            yield DiscoveryHit(f"/{command.name}", self._run(command), command.name, command.help)

    async def search(self, query: str) -> Hits:
        matcher, words = self.matcher(query), query.strip().casefold()
        for command in COMMANDS:
            by_name = matcher.match(command.name)
            # Scattered letters of the query are in almost every help line; what is so called comes first.
            score = 1 + by_name if by_name > 0 else float(words in command.help.casefold())
            if score > 0:
                yield Hit(score, matcher.highlight(f"/{command.name}"), self._run(command), None, command.help)

    def _run(self, command: Command) -> IgnoreReturnCallbackType:
        return partial(self.screen.run_action, f"command('{command.name}')")
