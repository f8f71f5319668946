"""Server-sent events: bytes as they come, cut anywhere, to the data of each event."""

from __future__ import annotations

from tui.core.errors import BackendError

LIMIT_BYTES = 64 * 1024 * 1024
"""No answer has an event of this size; a server that sends one would fill the memory."""
STRANGE_BYTES = 1000
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b":", b"event", b"id", b"retry", b"data")
"""How the lines of an event stream begin."""


class Parser:
    """Feed it the body; it returns the data of the events that are complete.

    A body that is no event stream (JSON or HTML, known by its first character) is one event, given out by `close`; of
    plain words it is the first line.
    Comments and fields other than `data` are dropped; llama.cpp's old `error: {...}` comes out as `{"error": {...}}`.
    """

    def __init__(self) -> None:
        self._start: bytes | None = b""  # what came while it is open what the body is; None once that is known
        self._is_document = False
        self._pieces: list[bytes] = []  # of the line, or of the document, that is not complete
        self._size = 0
        self._skip_newline = False  # the last byte was \r: a \n after it belongs to it
        self._data: list[str] = []  # of the event that is not complete
        self._data_size = 0
        self._strange: bytes | None = b""  # the first line that no event stream has; None once there was an event

    def feed(self, chunk: bytes) -> list[str]:
        """The data of the events that `chunk` completes. Raises BackendError for one of more than LIMIT_BYTES."""
        if self._start is not None:
            chunk = self._recognise(self._start + chunk)
        if self._is_document:
            self._keep(chunk)
            return []
        if self._skip_newline and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._skip_newline = False
        if b"\r" in chunk:
            self._skip_newline = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        first, *lines = chunk.split(b"\n")
        lines.insert(0, b"".join([*self._pieces, first]))
        self._pieces, self._size = [], 0
        self._keep(lines.pop())
        return self._events(lines)

    def close(self) -> list[str]:
        """What is left at the end of the body: the whole document, or an event without its empty line.

        An event that was cut is dropped: the end mark is missing then, which says it all.
        """
        rest = b"".join(self._pieces) if self._start is None else self._start
        if self._is_document:
            return [rest.decode("utf-8", "replace")]
        events = [data for data in self._events([rest, b""]) if _is_whole(data)]
        return [self._strange.decode("utf-8", "replace")] if self._strange else events

    def _recognise(self, start: bytes) -> bytes:
        body = start.removeprefix(_BOM).lstrip()
        if not body or _BOM.startswith(body):
            self._start = body
            return b""
        self._start = None
        self._is_document = body.startswith((b"{", b"[", b"<"))
        return body

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > LIMIT_BYTES:
                raise BackendError("protocol", f"the server sent more than {LIMIT_BYTES} bytes in one piece")

    def _events(self, lines: list[bytes]) -> list[str]:
        events: list[str] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append("\n".join(self._data))
                    self._data, self._data_size, self._strange = [], 0, None
            elif line.startswith(b"data:"):
                self._data.append(line[6 if line.startswith(b"data: ") else 5 :].decode("utf-8", "replace"))
                self._data_size += len(line)
                if self._data_size > LIMIT_BYTES:
                    raise BackendError("protocol", f"the server sent an event of more than {LIMIT_BYTES} bytes")
            elif line.startswith(b"error:"):
                self._data.append(f'{{"error":{line[6:].decode("utf-8", "replace")}}}')
            elif self._strange == b"" and not line.startswith(_FIELDS):
                self._strange = line[:STRANGE_BYTES]
        return events


def _is_whole(data: str) -> bool:
    import json

    if data.strip() == "[DONE]":
        return True
    try:
        json.loads(data, strict=False)
    except (ValueError, RecursionError):
        return False
    return True
