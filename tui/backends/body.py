"""The body of a reply: all that one read of the network brought in one piece, unpacked, never without end."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator

from tui.core.errors import BackendError

LIMIT_BYTES = 512 * 1024 * 1024
"""No answer has a body of this size; a server that sends one would fill the memory in the end."""
AHEAD_BYTES = 256 * 1024
"""What is read ahead of the reader of a body."""
UNPACKED_BYTES = 256 * 1024
"""A packed body is unpacked in pieces of this size: a few bytes can become gigabytes."""
_PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Body:
    """Reads a stream in a task of its own. `close` it, whatever happens.

    A fast server packs hundreds of HTTP chunks into each packet. Taken one by one through the layers of the HTTP
    library and ours, each costs as much as a packet; the task takes in what is there, and `take` gives it out as one.
    """

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._task: asyncio.Task[None] | None = None
        self._pieces: list[bytes] = []
        self._size = self._total = 0
        self._came = asyncio.Event()
        self._has_room = asyncio.Event()

    async def take(self) -> bytes | None:
        """What has come since the last time, waited for if it is nothing; None at the end.

        Raises what the stream raises, after all that came before it has been taken.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._read())
            self._task.add_done_callback(lambda task: self._came.set())
        while not self._pieces:
            if self._task.done():
                self._task.result()
                return None
            self._came.clear()
            await self._came.wait()
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._has_room.set()
        return taken

    async def close(self) -> None:
        """Stop reading. What has come is gone."""
        if self._task is None:
            return
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # so that nobody complains that it was not looked at

    async def _read(self) -> None:
        async for piece in self._stream:
            self._pieces.append(piece)
            self._size += len(piece)
            self._total += len(piece)
            if self._total > LIMIT_BYTES:
                raise BackendError("protocol", f"the server sent more than {LIMIT_BYTES} bytes and no end")
            self._came.set()
            if self._size > AHEAD_BYTES:
                self._has_room.clear()
                await self._has_room.wait()


def unpacked(stream: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """The stream without its `content-encoding`. Raises BackendError for one that is not known, or twofold."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return stream
    if "," in encoding:
        raise BackendError("protocol", "the server compresses its answer more than once")
    if encoding not in _PACKED:
        raise BackendError("protocol", f"the server compresses its answer as {encoding!r}, which it was not asked to")
    return _unpack(stream, _PACKED[encoding])


async def _unpack(stream: AsyncIterator[bytes], format: int) -> AsyncGenerator[bytes, None]:
    unpacker = zlib.decompressobj(format)
    try:
        async for packed in stream:
            while packed and not unpacker.eof:
                if piece := unpacker.decompress(packed, UNPACKED_BYTES):
                    yield piece
                packed = unpacker.unconsumed_tail
        if rest := unpacker.flush():
            yield rest
    except zlib.error as error:
        raise BackendError("protocol", f"the server's compressed answer cannot be unpacked: {error}") from error
