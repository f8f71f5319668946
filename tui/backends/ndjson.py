"""JSON objects, one a line (Ollama): bytes as they come, cut anywhere, to the text of each object."""

from __future__ import annotations

import json

from tui.backends.sse import LIMIT_BYTES
from tui.core.errors import BackendError

_BOM = b"\xef\xbb\xbf"


class Parser:
    """Feed it the body; it returns the lines that are complete.

    A body whose first line is no JSON object of its own (a web page, an error written over several lines) is one
    event, given out by `close`. A last line that was cut is dropped: the end mark is missing then, which says it all.
    """

    def __init__(self) -> None:
        self._is_lines: bool | None = None
        """The body is an object a line, or else one document; None until the first line is complete."""
        self._pieces: list[bytes] = []  # of the line, or of the document, that is not complete
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes. Raises BackendError for one of more than LIMIT_BYTES."""
        if self._is_lines is False or b"\n" not in chunk:
            self._keep(chunk)
            return []
        whole = b"".join([*self._pieces, chunk])
        self._pieces, self._size = [], 0
        if self._is_lines is None:
            whole = whole.removeprefix(_BOM).lstrip()
            first, newline, _ = whole.partition(b"\n")
            if newline:
                self._is_lines = _is_object(first)
            if not self._is_lines:
                self._keep(whole)
                return []
        *lines, rest = whole.split(b"\n")
        self._keep(rest)
        return [text for line in lines if (text := line.decode("utf-8", "replace").strip())]

    def close(self) -> list[str]:
        """What is left at the end of the body: the whole document, or a last line without its line break."""
        rest = b"".join(self._pieces).removeprefix(_BOM).strip()
        is_cut = self._is_lines and not _is_object(rest)
        return [] if is_cut or not rest else [rest.decode("utf-8", "replace")]

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > LIMIT_BYTES:
                raise BackendError("protocol", f"the server sent more than {LIMIT_BYTES} bytes in one piece")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode("utf-8", "replace"), strict=False), dict)
    except (ValueError, RecursionError):
        return False
