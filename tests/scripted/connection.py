"""HTTP/1.1 on one connection: requests are read, actions of the replies carried out, faults included."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.scripted.asked import Wire
from tests.scripted.elements import Break, Pause
from tests.scripted.render import Action, Bytes, Wait

POLL_S = 0.002
LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Received:
    """A request as it came. Times are from `time.monotonic()`, which all processes of a machine share."""

    method: str
    target: str
    """As in the first line: a path with its query, or a whole URL when the client takes this server for a proxy."""
    headers: dict[str, str]
    """Names in lower case."""
    raw: bytes
    arrived_s: float
    body: Any = None
    """The JSON of `raw`; None if it is none."""
    refused: int | None = None
    """The status, if the server itself refused the request."""
    answered_s: float | None = None
    """When the last byte of the reply was given to the socket; None before that."""
    wire: Wire | None = None
    """Which of the wires it speaks, if it asks for a completion."""
    prompt_tokens: int = 0
    """The whole prompt, as this server counts it."""
    cached_tokens: int = 0
    """How many of those it had seen before."""
    abandoned: bool = False
    """The client closed the connection before all of the reply was sent."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Messages, or what Responses has for them."""
        return list(self.body["messages"] if "messages" in self.body else self.body["input"])


class Protocol(asyncio.StreamReaderProtocol):
    """A stream that also tells when the client has closed its side, though nobody reads at that moment."""

    def __init__(self, handle: Callable[[Protocol, asyncio.StreamReader, asyncio.StreamWriter], Any]) -> None:
        reader = asyncio.StreamReader(limit=LIMIT_BYTES)
        super().__init__(reader, lambda reader, writer: handle(self, reader, writer))
        self.client_left = False

    def eof_received(self) -> bool | None:
        self.client_left = True
        return super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self.client_left = True
        super().connection_lost(error)


async def read_request(reader: asyncio.StreamReader) -> Received | None:
    """The next request; None when the client has closed the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        arrived_s = time.monotonic()
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            raw = await _read_chunked(reader)
        else:
            raw = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    request = Received(method, target, headers, raw, arrived_s)
    try:
        request.body = json.loads(raw)
    except ValueError:
        request.body = None
    return request


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return b"".join(parts)


class Sender:
    """Carries out the actions of replies on one connection."""

    def __init__(
        self, protocol: Protocol, writer: asyncio.StreamWriter, released: Callable[[Pause], Callable[[], bool]]
    ) -> None:
        """`released` is told of each pause that begins and gives the test of its end."""
        self.protocol = protocol
        self.writer = writer
        self.released = released

    async def send(self, actions: Iterable[Action]) -> bool:
        """True if the reply came to its end and the connection can be used again."""
        began = time.monotonic()
        for action in actions:
            if self.protocol.client_left:
                return False
            if isinstance(action, Bytes):
                self.writer.write(action.data)
                await self.writer.drain()
            elif isinstance(action, Wait):
                await asyncio.sleep(max(0.0, began + action.until_s - time.monotonic()))
            elif isinstance(action, Pause):
                await self._until(self.released(action))
            else:
                await self._break(action)
                return False
        return not self.protocol.client_left

    async def _break(self, fault: Break) -> None:
        if fault.kind == "stall":
            await self._until(lambda: False)
        elif fault.kind == "reset":
            linger = struct.pack("ii", 1, 0)
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.writer.transport.abort()

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Until then, or until the client has left."""
        while not reached() and not self.protocol.client_left:  # noqa: ASYNC110 (any thread may set it)
            await asyncio.sleep(POLL_S)
