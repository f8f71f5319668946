"""The command palette over the registry."""

from __future__ import annotations

from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands.registry import COMMANDS, Command, Front


class CommandProvider(Provider):
    """Finds commands by name and by what they do, in place of Textual's own list."""

    async def discover(self) -> Hits:
        for command in COMMANDS:
            yield DiscoveryHit(title(command), partial(command.run, self._front, ""), command.name, command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in COMMANDS:
            text = f"{command.name} {command.help}"
            if (score := matcher.match(text)) > 0:
                yield Hit(
                    score, matcher.highlight(title(command)), partial(command.run, self._front, ""), None, command.help
                )

    @property
    def _front(self) -> Front:
        return cast(Front, self.screen)


def title(command: Command) -> str:
    return f"/{command.name}"
