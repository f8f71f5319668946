"""Signing in at a server that wants OAuth, with a browser that does what the page says."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend

from tests.mcp.conftest import ROOT, Servers
from tui.core.errors import UsageError
from tui.settings.schema import McpConfig

pytestmark = pytest.mark.slow


class Memory(KeyringBackend):
    """A keyring of this test alone."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


@pytest.fixture
def kept() -> Iterator[dict[str, str]]:
    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    yield memory.kept
    keyring.set_keyring(before)


@pytest.fixture
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.mcp.guarded"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout and process.stderr
    port = int(process.stdout.readline())
    assert any("running on" in line for line in process.stderr)
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()
    process.communicate()


async def test_the_browser_is_opened_on_the_users_word_only_and_the_tokens_are_kept(
    servers: Servers, kept: dict[str, str], address: str
) -> None:
    opened: list[str] = []

    async def open_page(url: str) -> None:
        opened.append(url)  # who is signed in already is sent back before the page is said to be open
        await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())

    config = McpConfig(url=address)
    assert await servers.start(far=config) == []
    server = servers.servers.get("far")
    assert server is not None and server.state == "sign_in" and not opened and not kept
    assert "wants its user to sign in" in servers.told[-1]

    await servers.servers.sign_in("far", open_page)
    await server.settled()
    assert server.state == "ready" and len(opened) == 1, server.why
    ((name, value),) = kept.items()
    assert name == f"name:oauth:far@{address.removesuffix('/mcp')}" and "access_token" in json.loads(value)["tokens"]

    again = Servers(servers.folder)
    assert "mcp__far__add" in await again.start(far=config)
    assert (await again.call("mcp__far__add", a=1, b=2)).content == "3"
    await again.servers.close()
    assert len(opened) == 1


async def test_there_is_nothing_to_sign_in_at_for_a_program(servers: Servers) -> None:
    await servers.start(gone=McpConfig(command=("no-such-server",)))

    async def never(url: str) -> None:
        raise AssertionError(url)

    with pytest.raises(UsageError, match="nothing to sign in"):
        await servers.servers.sign_in("gone", never)
