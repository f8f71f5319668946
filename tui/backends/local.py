"""Model servers on this machine, found on the ports where they usually listen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from tui.backends.spec import BackendSpec, ModelInfo, Timeouts
from tui.core.errors import MimoError

LIMIT_S = 1.5
"""A server of this machine that takes longer to list its models is not found."""


class LocalServer(Struct, frozen=True):
    """A server that answered. `preset` is empty where there is none for it: its `base_url` says it all."""

    preset: str
    name: str
    """What a backend for it may be called."""
    base_url: str
    models: tuple[ModelInfo, ...] = ()


USUAL = (
    LocalServer("ollama", "ollama", "http://127.0.0.1:11434/v1"),
    LocalServer("llama-cpp", "llama-cpp", "http://127.0.0.1:8080/v1"),
    LocalServer("llama-cpp", "llama-cpp-9931", "http://127.0.0.1:9931/v1"),
    LocalServer("", "lm-studio", "http://127.0.0.1:1234/v1"),
    LocalServer("", "vllm", "http://127.0.0.1:8000/v1"),
)


async def find_local_servers(usual: Sequence[LocalServer] = USUAL) -> list[LocalServer]:
    """Those that list their models now, in the given order. Never raises, takes at most LIMIT_S or so."""
    found = await asyncio.gather(*(_find(server) for server in usual))
    return [server for server in found if server is not None]


async def _find(server: LocalServer) -> LocalServer | None:
    """The server with its models, if one that lists models listens there."""
    if not await _listens(server.base_url):  # before anything that would import the HTTP library
        return None
    from tui.backends.backend import Backend

    limits = Timeouts(connect=LIMIT_S, first_byte=LIMIT_S, idle=LIMIT_S)
    backend = Backend(
        BackendSpec(
            server.name,
            server.preset,
            "chat-completions",
            server.base_url,
            None,
            timeouts=limits,
            credential="none",
            local=True,
        )
    )
    try:
        models = await backend.list_models()
    except MimoError:
        return None
    finally:
        await backend.aclose()
    return LocalServer(server.preset, server.name, server.base_url, tuple(models)) if models else None


async def _listens(base_url: str) -> bool:
    from urllib.parse import urlsplit

    address = urlsplit(base_url)
    try:
        async with asyncio.timeout(LIMIT_S):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
