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
    LocalServer("ollama", "ollama", "http://127.0.0.1:11434"),
    LocalServer("llama-cpp", "llama-cpp", "http://127.0.0.1:8080/v1"),
    LocalServer("llama-cpp", "llama-cpp-9931", "http://127.0.0.1:9931/v1"),
    LocalServer("lm-studio", "lm-studio", "http://127.0.0.1:1234/v1"),
    LocalServer("vllm", "vllm", "http://127.0.0.1:8000/v1"),
    LocalServer("sglang", "sglang", "http://127.0.0.1:30000/v1"),
    LocalServer("openclaw", "openclaw", "http://127.0.0.1:18789/v1"),
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
    from tui.backends.discovery import kind_of
    from tui.backends.presets import presets

    preset = presets().get(server.preset)
    backend = Backend(
        BackendSpec(
            server.name,
            server.preset,
            preset.wire if preset else "chat-completions",
            server.base_url,
            None,
            timeouts=Timeouts(connect=LIMIT_S, first_byte=LIMIT_S, idle=LIMIT_S),
            credential="none",
            local=True,
            models_page=preset.models_page if preset else "",
        )
    )
    try:
        models = tuple(await backend.list_models())
        kind = "" if preset and preset.wire == "ollama" else await kind_of(backend.page)
    except MimoError:
        return None
    finally:
        await backend.aclose()
    if not models:
        return None
    if kind in presets() and kind != server.preset:  # they let themselves be started on each other's ports
        port = server.base_url.removesuffix("/v1").rpartition(":")[2]
        return LocalServer(kind, f"{kind}-{port}", server.base_url, models)
    return LocalServer(server.preset, server.name, server.base_url, models)


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
