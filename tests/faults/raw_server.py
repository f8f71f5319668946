"""A TCP server that sends what a test wrote, byte for byte: no HTTP of its own that could be right by itself."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Literal

Action = bytes | Iterator[bytes] | Literal["stall", "reset", "end", "next"]
"""Bytes to send; silence until the client leaves; TCP RST; the end of the connection; or the next request on it.

Without one of the words at its end a reply ends the connection.
"""


_NOT_SHOWN = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


class RawServer:
    """Gives each request the next of `replies`, the last one to all that follow. The rest is up to the bytes.

    with RawServer([b"HTTP/1.1 200 OK\\r\\n", "stall"]) as server: ...
    """

    def __init__(
        self, *replies: Sequence[Action], tls: ssl.SSLContext | None = None, shown: bytes = _NOT_SHOWN
    ) -> None:
        """`shown`: the reply to Ollama's questions for a model, which come before the first of a conversation."""
        self._shown = shown
        self.replies = replies
        self._tls = tls
        self.requests: list[bytes] = []
        """Each request as it came, head and body, but those for what Ollama tells of a model."""
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = int(self._listener.getsockname()[1])
        self.root = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> RawServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        self.connections += 1
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(self._open.discard, connection)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            stack.callback(connection.close)
            while request := _read_request(connection):
                if request.startswith((b"POST /api/show ", b"GET /api/ps ")):
                    connection.sendall(self._shown)
                    if b"connection: close" in self._shown:
                        return
                    continue
                self.requests.append(request)
                number = min(len(self.requests), len(self.replies)) - 1
                if not self._carry_out(self.replies[number], connection):
                    return

    def _carry_out(self, reply: Sequence[Action], connection: socket.socket) -> bool:
        """True if the connection takes another request."""
        for action in reply:
            if action == "stall":
                while connection.recv(4096):
                    pass
            elif action == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            elif isinstance(action, str):
                return action == "next"
            else:
                for piece in (action,) if isinstance(action, bytes) else action:
                    connection.sendall(piece)
        return False


def _read_request(connection: socket.socket) -> bytes:
    """A request, whole; nothing when the client has left."""
    came = b""
    while b"\r\n\r\n" not in came:
        if not (piece := connection.recv(65_536)):
            return b""
        came += piece
    head, _, body = came.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length and (piece := connection.recv(65_536)):
        body += piece
        came += piece
    return came
