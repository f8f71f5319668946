"""One conversation and the servers of several vendors, each with a backend that has its vendor's preset."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.scripted import Received, Reply, ScriptedServer, reasoning, tool_call
from tests.scripted.vendors import VENDORS, Vendor
from tui.agent.conversation import Conversation
from tui.agent.wishes import Wishes
from tui.core.events import Event
from tui.core.messages import Image
from tui.settings.schema import BackendConfig, Settings

BACKENDS = {
    "mimo": ("mimo", "xiaomi-mimo", "/v1"),
    "claude": ("claude", "anthropic", ""),
    "deepseek": ("deepseek", "deepseek", ""),
    "gemini": ("gemini", "gemini", "/v1beta/openai"),
    "ollama": ("ollama", "ollama", ""),
    "openai": ("openai", "openai", "/v1"),
    "kimi": ("kimi", "kimi", "/v1"),
    "mistral": ("mistral", "mistral", "/v1"),
    "qwen": ("qwen", "qwen", "/compatible-mode/v1"),
    "openrouter": ("openrouter", "openrouter", "/api/v1"),
    "mimo-messages": ("mimo", "xiaomi-mimo-anthropic", "/anthropic"),
    "deepseek-messages": ("deepseek", "deepseek-anthropic", "/anthropic"),
    "openai-chat": ("openai", "openai-chat", "/v1"),
    "llama-cpp": ("llama-cpp", "llama-cpp", "/v1"),
    "vllm": ("vllm", "vllm", "/v1"),
}
"""For each backend of the tour its vendor, the preset, and the path behind the root of its server."""


class Model:
    """Answers every turn in three steps: two calls side by side, one more with words before it, then the answer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers = 0

    def __call__(self, request: Received) -> Reply:
        turn, step = divmod(self.answers, 3)
        self.answers += 1
        thought = reasoning(f"{self.name} thinks of step {step} in turn {turn}.")
        if step == 0:
            return Reply(thought, tool_call("list_files", {"path": "."}), tool_call("read_file", {"path": "notes.txt"}))
        if step == 1:
            return Reply(thought, f"{self.name} looks again.", tool_call("search_files", {"pattern": "milk"}))
        return Reply(thought, f"{self.name} has found the milk.")


class Forgetful(Model):
    """Thinks in none of its steps."""

    def __init__(self) -> None:
        super().__init__("unknown")

    def __call__(self, request: Received) -> Reply:
        thoughtful = super().__call__(request)
        return Reply(*thoughtful.elements[1:])


class Tour:
    """The servers by name, and conversations between them and a folder with a file."""

    def __init__(self, folder: Path, start: Callable[..., ScriptedServer]) -> None:
        self.folder = folder
        self._start = start
        self.servers: dict[str, ScriptedServer] = {}
        self._backends: dict[str, BackendConfig] = {}
        self._open: list[Conversation] = []

    def visit(self, *names: str) -> None:
        """Start the servers of these backends."""
        for name in names:
            self.visit_as(name, VENDORS[BACKENDS[name][0]]())

    def visit_as(self, name: str, vendor: Vendor) -> ScriptedServer:
        """Start the server of a backend, as it is given."""
        _, preset, path = BACKENDS[name]
        server = self.servers[name] = self._start(Model(name), vendor=vendor)
        config = {"model": vendor.models[0].id} if name in ("ollama", "openrouter", "vllm") else {}
        self.add(name, preset=preset, base_url=server.root + path, thinking="high", **config)
        return server

    def visit_unknown(self, vendor: Vendor, model: Any = None, **config: Any) -> ScriptedServer:
        """Start a server that no preset knows."""
        server = self.servers["unknown"] = self._start(model or Model("unknown"), vendor=vendor)
        self.add("unknown", wire="chat-completions", base_url=server.base_url, model="mystery", **config)
        return server

    def plain_server(self, answer: Callable[[Received], Any], **config: Any) -> ScriptedServer:
        """Start a server without rules, as the backend `plain`."""
        server = self.servers["plain"] = self._start(answer)
        self.add("plain", wire="chat-completions", base_url=server.base_url, model="scripted", **config)
        return server

    def add(self, name: str, **config: Any) -> None:
        """A backend, or more about one that there is."""
        known = self._backends.get(name, BackendConfig(credential="none"))
        self._backends[name] = structs.replace(known, **config)

    def think(self, level: Any) -> None:
        """What the backends of conversations yet to come are asked for."""
        self._backends = {name: structs.replace(config, thinking=level) for name, config in self._backends.items()}

    def conversation(self, backend: str, **wishes: Any) -> Conversation:
        """A new one, with the backends as they are now."""
        settings = Settings(backends=dict(self._backends))
        wished = Wishes(mode="agent", backend=backend, policy="auto", **wishes)
        conversation = Conversation.open(settings, self.folder, wished)
        self._open.append(conversation)
        return conversation

    def refusals(self) -> list[str]:
        """Every request that was refused, with what the server minds about it."""
        found = []
        for name, server in self.servers.items():
            for i, request in enumerate(server.requests):
                if request.refused:
                    words = [complaint.message for complaint in server.vendor.complaints(request)]
                    found.append(f"{name} {i} {request.refused}: {'; '.join(words)}")
        return found

    async def close(self) -> None:
        for conversation in self._open:
            await conversation.close()


async def turn(conversation: Conversation, words: str, images: tuple[Image, ...] = ()) -> list[Event]:
    return [record.event async for record in conversation.send(words, images=images)]


@pytest.fixture
async def tour(home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]) -> AsyncIterator[Tour]:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("eggs\nmilk\n")
    tour = Tour(folder, scripted)
    yield tour
    await tour.close()
