"""Conversations whose model has real servers of tools, each a process of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec import structs

from tests.agent.conftest import Stage
from tests.scripted import ScriptedServer
from tui.agent.conversation import Conversation
from tui.settings.schema import McpConfig
from tui.tools.base import Outcome, ToolContext
from tui.tools.mcp.servers import McpServers

ROOT = Path(__file__).parents[2]


def helpful(**settings: Any) -> McpConfig:
    return _module("tests.mcp.helpful", **settings)


def hostile(how: str, **settings: Any) -> McpConfig:
    return _module("tests.mcp.hostile", how, **settings)


def reference(**settings: Any) -> McpConfig:
    """The official reference server of times, from the registry."""
    return McpConfig(command=(sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"), **settings)


def _module(name: str, *words: str, **settings: Any) -> McpConfig:
    settings["env"] = {"PYTHONPATH": str(ROOT)} | settings.get("env", {})
    return McpConfig(command=(sys.executable, "-m", name, *words), **settings)


class McpStage(Stage):
    """A stage whose conversations have servers."""

    def with_servers(self, replies: Any, servers: dict[str, McpConfig], **wishes: Any) -> Conversation:
        conversation = self.conversation(replies, **wishes)
        conversation.settings = structs.replace(conversation.settings, mcp=servers)
        return conversation


@pytest.fixture
async def stage(home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]) -> AsyncIterator[McpStage]:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = McpStage(folder, scripted)
    yield stage
    await stage.close()


class Servers:
    """`McpServers` without a conversation, and what they told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.folder = folder
        self.servers = McpServers(folder, self.told.append)

    async def start(self, **configs: McpConfig) -> list[str]:
        """The names of the tools."""
        return [tool.name for tool in await self.servers.tools(configs)]

    async def call(self, tool: str, pieces: list[str] | None = None, **arguments: Any) -> Outcome:
        (found,) = [known for known in await self.servers.tools({}) if known.name == tool]
        outcome = Outcome("nothing came", is_error=True)
        async for piece in found.run(arguments, ToolContext(self.folder, None)):
            if isinstance(piece, Outcome):
                outcome = piece
            elif pieces is not None:
                pieces.append(piece)
        return outcome


@pytest.fixture
async def servers(home: Path, tmp_path: Path) -> AsyncIterator[Servers]:
    folder = tmp_path / "project"  # beside the home folder: what is above that is no project
    folder.mkdir()
    servers = Servers(folder)
    yield servers
    await servers.servers.close()


def processes_of(module: str) -> list[psutil.Process]:
    """Those below this one that run a module."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if module in line and "supervise.py" not in " ".join(line):
            found.append(process)
    return found
