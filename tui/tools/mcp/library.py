"""The official package `mcp`: loaded in a thread when the first server is started, since its import takes a second."""

from __future__ import annotations

import asyncio
import logging
from importlib.util import find_spec

from tui.core.errors import MimoError

_DISCOVER_S = 3.0
"""How long a server may be silent about which revision it speaks. Some of the older ones answer nothing before they
were initialised; the package would wait 10 s for each."""


def is_installed() -> bool:
    return find_spec("mcp") is not None


def not_installed() -> MimoError:
    return MimoError(
        "servers of tools are configured, but the package that speaks to them is not installed",
        "Install the extra: pip install 'mimo-terminal[mcp]'. Or take the [mcp] tables out of the config file.",
    )


async def load_library() -> None:
    """Import it. Raises MimoError when it is not installed, or does not work."""
    await asyncio.to_thread(_load)


def _load() -> None:
    if not is_installed():
        raise not_installed()
    try:
        import mcp.client.auth
        import mcp.client.client
        import mcp.client.session
        import mcp.client.sse
        import mcp.client.stdio
        import mcp.client.streamable_http
    except ImportError as error:
        hint = "Install it again: pip install --upgrade 'mimo-terminal[mcp]'."
        raise MimoError(f"the package that speaks to servers of tools does not work: {error}", hint) from error
    mcp.client.session.DISCOVER_TIMEOUT_SECONDS = _DISCOVER_S
    for name in ("mcp", "client", "httpx2", "httpcore2"):  # what they warn of would be written over the screen
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
