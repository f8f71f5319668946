"""Places within a line that is too long to be shown whole; a column is the number of a character in it, from 1."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from tui.tools.errors import ToolError
from tui.tools.opening import open_regular

_INNER = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""
_BLOCK_BYTES = 64 * 1024
_PREVIEW_END = re.compile(rb" \[\.\.\. (?:\d+ more match(?:es)?|omitted end of long line)\]$")


def columns_in(data: bytes) -> int:
    """How many characters begin in it."""
    return len(data.translate(None, _INNER))


def skip_columns(file: BinaryIO, count: int) -> int | None:
    """Read over `count` characters of a line; None when more follow in it, else how many it has."""
    left = count
    while left > 0:
        block = file.readline(min(left, _BLOCK_BYTES))  # a character has at least a byte
        left -= columns_in(block.rstrip(b"\r\n"))
        if not block or block.endswith(b"\n"):
            return count - left
    while (byte := file.read(1)) and byte in _INNER:
        pass
    file.seek(-len(byte), 1)
    return None if byte not in (b"", b"\n") else count


def around_match(preview: bytes, path: Path, line_at: int, match_at: int, width: int) -> str | None:
    """What stands around a match in a long line, `width` characters, with its column.

    `preview` is what ripgrep shows of the line, `line_at` where it begins in the file, `match_at` the match in it, in
    bytes. None where the preview shows the match, or the file is no longer what was searched, or no UTF-8.
    """
    cut = _PREVIEW_END.search(preview)
    if cut is None or match_at + width // 3 < cut.start():
        return None
    try:
        with open_regular(path) as file:
            file.seek(line_at)
            if file.read(cut.start()) != preview[: cut.start()]:
                return None
            return _around(file, line_at, match_at, width)
    except (ToolError, OSError):
        return None


def _around(file: BinaryIO, line_at: int, match_at: int, width: int) -> str:
    begin = max(match_at - 4 * width, 0)
    file.seek(line_at)
    column, left = 1, begin
    while left and (block := file.read(min(left, _BLOCK_BYTES))):
        column, left = column + columns_in(block), left - len(block)
    before, after = file.read(match_at - begin), file.readline(4 * width).rstrip(b"\r\n")
    column += columns_in(before)
    shown_before = before.decode(errors="replace")[-width // 2 :]
    shown_after = after.decode(errors="replace")[: width - len(shown_before)]
    return f"[column {column - len(shown_before)}] …{shown_before}{shown_after}…"
