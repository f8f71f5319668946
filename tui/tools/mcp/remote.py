"""A server at an address: streamable HTTP, or the transport with two addresses (SSE) that came before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2
    from mcp.client._transport import TransportStreams

_BODY_BYTES = 8 * 1024 * 1024
"""A longer body is not read to its end. The package itself bounds the events of a stream, but not a body of JSON."""
_CONNECT_S = 30.0
_SILENT_S = 3600.0
"""Between two bytes: how long a call takes is seen to by who makes it."""


@dataclass(slots=True)
class Remote:
    """Where a server is, and what each request to it has. `status` is that of its last reply."""

    url: str
    headers: dict[str, str]
    auth: httpx2.Auth | None = None
    status: int = 0

    @property
    def may_be_old(self) -> bool:
        """It refused the first message: it may speak the transport of before."""
        return self.status in (400, 404, 405, 406, 415)

    @property
    def wants_sign_in(self) -> bool:
        return self.status == 401

    def client(self) -> httpx2.AsyncClient:
        """For one connection. Blocking: it reads the system's certificates."""
        import httpx2

        async def look(response: httpx2.Response) -> None:
            self.status = response.status_code
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                response.stream = _bounded(response.stream)

        timeout = httpx2.Timeout(_CONNECT_S, read=_SILENT_S)
        headers = {"Accept-Encoding": "identity"} | self.headers  # what is packed could be of any size
        return httpx2.AsyncClient(headers=headers, auth=self.auth, timeout=timeout, event_hooks={"response": [look]})


@asynccontextmanager
async def remote_streams(remote: Remote) -> AsyncIterator[TransportStreams]:
    from mcp.client.streamable_http import streamable_http_client

    async with (
        await asyncio.to_thread(remote.client) as client,
        streamable_http_client(remote.url, http_client=client, max_sse_event_size=_BODY_BYTES) as streams,
    ):
        yield streams


@asynccontextmanager
async def old_remote_streams(remote: Remote) -> AsyncIterator[TransportStreams]:
    """Revision 2024-11-05: a stream of events says where messages are to be sent."""
    from mcp.client.sse import sse_client

    client = await asyncio.to_thread(remote.client)

    def made(headers: Any = None, timeout: Any = None, auth: Any = None) -> httpx2.AsyncClient:
        return client

    async with sse_client(remote.url, httpx_client_factory=made) as streams:
        yield streams


def _bounded(stream: Any) -> Any:
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            count = 0
            async for piece in stream:
                count += len(piece)
                if count > _BODY_BYTES:
                    raise httpx2.StreamError(f"the reply is larger than {_BODY_BYTES >> 20} MB")
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
