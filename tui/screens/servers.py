"""The servers of tools: how each is, what it offers, and the end of its log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.core.text import clean_line
from tui.screens import backstage
from tui.screens.reporting import ReportsBrokenWorkers

if TYPE_CHECKING:
    from tui.tools.mcp.server import McpServer
    from tui.tools.mcp.servers import McpServers

_LOG_LINES = 12
_LOOKED_AT_S = 0.5
_KEYS = "r: start anew   d: switch off or on   s: sign in   esc: close"
_SIGNS = {"ready": "●", "starting": "○", "ended": "↻", "failed": "✗", "sign_in": "?", "off": "■"}
_STATES = {
    "ready": "works",
    "starting": "is being started",
    "ended": "is being started again",
    "off": "is switched off",
}
_STATES |= {"failed": "does not work", "sign_in": "wants you to sign in: s opens its page in the browser"}


class ServersScreen(ReportsBrokenWorkers, ModalScreen[None]):
    CSS_PATH = "servers.tcss"
    AUTO_FOCUS = "OptionList"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape,q", "dismiss(None)", show=False),
        Binding("r", "restart", show=False),
        Binding("d", "switch", show=False),
        Binding("s", "sign_in", show=False),
    ]

    def __init__(self, servers: McpServers) -> None:
        super().__init__()
        self._servers = servers
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="servers"):
            yield Static("Servers of tools", id="servers-title", markup=False)
            yield OptionList(id="servers-list", markup=False, compact=True)
            with VerticalScroll(id="servers-about", can_focus=False):
                yield Static(markup=False)
            yield Static(_KEYS, id="servers-keys", markup=False)

    def on_mount(self) -> None:
        self._look()
        self.set_interval(_LOOKED_AT_S, self._look)

    def action_restart(self) -> None:
        if server := self._chosen():
            self._work(self._servers.restart(server.name))

    def action_sign_in(self) -> None:
        if (server := self._chosen()) and server.state == "sign_in":
            self._work(self._servers.sign_in(server.name, self._open_page))

    async def _open_page(self, address: str) -> None:
        """The user has said that they want to sign in: now the browser may be opened."""
        if not await asyncio.to_thread(backstage.open_link, address):
            self.app.copy_to_clipboard(address)
            self.notify("No browser could be opened: the address is in the clipboard.")

    def action_switch(self) -> None:
        if server := self._chosen():
            way = self._servers.restart if server.state == "off" else self._servers.switch_off
            self._work(way(server.name))

    @on(OptionList.OptionHighlighted)
    def _look(self) -> None:
        """Show how things are now."""
        servers, choices = self._servers.all, self.query_one(OptionList)
        lines = [_line(server) for server in servers]
        if lines != self._shown:
            at, self._shown = choices.highlighted or 0, lines
            choices.clear_options()
            choices.add_options([Option(line) for line in lines])
            choices.highlighted = min(at, len(lines) - 1) if lines else None
        if server := self._chosen():
            self.query_one("#servers-about Static", Static).update(_about(server))

    def _chosen(self) -> McpServer | None:
        at, servers = self.query_one(OptionList).highlighted, self._servers.all
        return servers[at] if at is not None and at < len(servers) else None

    def _work(self, work: Awaitable[None]) -> None:
        self.run_worker(work, group="server", exit_on_error=False)


def _line(server: McpServer) -> str:
    tools = f", {len(server.offer.tools)} tools" if server.state == "ready" else ""
    return f"{_SIGNS[server.state]} {server.name}  {_STATES[server.state]}{tools}"


def _about(server: McpServer) -> str:
    """Several lines, cleaned."""
    config, offer = server.config, server.offer
    where = " ".join(config.command) if config.command else config.url or ""
    facts = [
        ("at", where),
        ("protocol", server.era),
        ("why", server.why if server.state != "ready" else ""),
        ("tools", ", ".join(tool.name for tool in offer.tools)),
        ("resources", ", ".join(f"@{server.name}:{resource.uri}" for resource in offer.resources)),
        ("prompts", ", ".join(f"/{server.name}:{prompt.name}" for prompt in offer.prompts)),
        ("log", str(server.log.path or "")),
    ]
    lines = [f"{name:<10}{clean_line(words, 600)}" for name, words in facts if words]
    return "\n".join([*lines, *list(server.log.last)[-_LOG_LINES:]])
