"""Which protocol a server speaks and whose rules it keeps, as far as its address and its answers tell."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from tui.backends.presets import presets
from tui.backends.spec import BackendSpec
from tui.core.errors import MimoError

_OLLAMA_PORT = 11434
_OTHER = ("model_not_found", "protocol", "bad_request", "permission")
"""Errors of a server that answers, but does not have what was asked for."""


def by_address(url: str) -> tuple[str, str]:
    """The wire and the preset that fit an address; no preset where none has this host."""
    parts = urlsplit(url)
    is_messages = "anthropic" in f"{parts.hostname}{parts.path}"
    same = [preset for preset in presets().values() if not preset.local and _host(preset.base_url) == parts.hostname]
    same.sort(key=lambda preset: (preset.wire == "messages") != is_messages)
    if same:
        return same[0].wire, same[0].name
    if parts.port == _OLLAMA_PORT and not parts.path.strip("/"):
        return "ollama", "ollama"
    return ("messages" if is_messages else "chat-completions"), ""


def tells_more(error: MimoError) -> bool:
    """Whether, after this error, another protocol may be tried at the same address."""
    return error.kind in _OTHER


async def by_answers(url: str, spec_for: Callable[[str, str], BackendSpec]) -> tuple[str, str] | None:
    """The first wire, and the address for it, on which the server lists models; None when it is none.

    `spec_for` makes a spec of a wire and a base URL. May raise ConfigError.
    """
    from tui.backends.backend import Backend

    base = url.rstrip("/")
    for wire, address in (
        ("ollama", base.removesuffix("/v1")),  # first, as it has the others' list, too
        ("chat-completions", base if base.endswith("/v1") else f"{base}/v1"),
        ("messages", base.removesuffix("/v1")),
        ("chat-completions", base.removesuffix("/v1")),
    ):
        backend = Backend(spec_for(wire, address))
        try:
            if await backend.list_models():
                return wire, address
        except MimoError:
            continue
        finally:
            await backend.aclose()
    return None


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
