"""A server with everything that one may offer, made with the official package; run as a process of its own.

python -m tests.mcp.helpful              over its standard input and output
python -m tests.mcp.helpful http|sse     at an address, whose port it prints
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, Image, MCPServer

server = MCPServer("helpful")
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(name="files/read.all", structured_output=False)
def read_all(count: int) -> str:
    """Say something long."""
    return "x" * count


@server.tool(structured_output=False)
def environment() -> str:
    """What this process has in its environment, and its id."""
    return "\n".join([f"pid={os.getpid()} folder={Path.cwd()}", *(f"{k}={v}" for k, v in sorted(os.environ.items()))])


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("the disk is on fire")


@server.tool(structured_output=False)
def picture() -> Image:
    """Show a picture."""
    return Image(data=_PIXEL, format="png")


@server.tool(structured_output=False)
async def slow(path: str, context: Context) -> str:
    """Report progress, then wait forever; writes to `path` whether it was told to stop."""
    try:
        await context.report_progress(1, 3, "a third is done")
        Path(path).write_text("running")
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        Path(path).write_text("told to stop")
        raise
    return "done"


@server.tool(structured_output=False)
async def grow(context: Context) -> str:
    """Have one more tool and one more resource from now on."""
    server.add_tool(add, name="grown")
    server.resource("notes://tomorrow", name="tomorrow")(notes)
    await context.notify_tools_changed()
    await context.notify_resources_changed()
    return "grown"


@server.resource("notes://today")
def notes() -> str:
    """The notes of today."""
    return "Milk and bread."


@server.prompt()
def review(topic: str, style: str = "short") -> str:
    """Ask for a review."""
    return f"Please review {topic} in a {style} way."


def _main() -> None:
    if len(sys.argv) == 1:
        server.run("stdio")
        return
    port = int(sys.argv[2]) if len(sys.argv) > 2 else _free_port()
    print(port, flush=True)
    if sys.argv[1] == "http":
        server.run("streamable-http", port=port)
    else:
        server.run("sse", port=port)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    _main()
