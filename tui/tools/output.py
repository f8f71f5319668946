"""The output of a command as it comes: pieces for those who watch, and an excerpt for the model."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from tui.tools.kept_outputs import KEPT_BYTES

EXCERPT_CHARACTERS = 16 * 1024
_RAW_CHARACTERS = 16 * EXCERPT_CHARACTERS
"""What each half of the excerpt is made from: progress bars shrink to a small part of what was written."""

_BLOCK_BYTES = 64 * 1024
_PIECE_CHARACTERS = 64 * 1024

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")


class Output:
    """What comes out of the pipe `number` (its reading end, which this owns), decoded. Belongs to the running loop."""

    def __init__(self, number: int, is_endless: bool = False) -> None:
        """`is_endless`: all of it comes as it comes, since it may have no end: whoever takes it keeps no more of it."""
        self._is_endless = is_endless
        self.excerpt = Excerpt()
        self.has_news, self.is_at_end = asyncio.Event(), asyncio.Event()
        self._number = number
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._news: list[str] = []
        self._seen_bytes = 0
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        os.set_blocking(number, False)
        asyncio.get_running_loop().add_reader(number, self._read)

    def take(self) -> Iterator[str]:
        """What came since the last call, in pieces; once half of what is kept has come, the rest comes at the end.

        A note stands where the middle was thrown away.
        """
        self.has_news.clear()
        news, self._news = "".join(self._news), []
        yield from _cut(news)
        if self.is_at_end.is_set() and self._tail:
            if left_out := self._seen_bytes - KEPT_BYTES // 2 - self._tail_bytes:
                yield f"\n[… {left_out} bytes left out …]\n"
            tail, self._tail = b"".join(self._tail).decode(errors="replace"), deque()
            yield from _cut(tail)

    def close(self) -> None:
        if self._number >= 0:
            asyncio.get_running_loop().remove_reader(self._number)
            os.close(self._number)
            self._number = -1
        self.is_at_end.set()
        self.has_news.set()

    def _read(self) -> None:
        try:
            data = os.read(self._number, _BLOCK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        text = self._decoder.decode(data, final=not data)
        self.excerpt.add(text)
        if self._is_endless or self._seen_bytes < KEPT_BYTES // 2:
            self._news.append(text)
            self.has_news.set()
        else:
            self._keep_tail(data)
        self._seen_bytes += len(data)

    def _keep_tail(self, data: bytes) -> None:
        self._tail.append(data)
        self._tail_bytes += len(data)
        while self._tail_bytes - len(self._tail[0]) > KEPT_BYTES // 2:
            self._tail_bytes -= len(self._tail.popleft())


def _cut(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE_CHARACTERS):
        yield text[start : start + _PIECE_CHARACTERS]


class Excerpt:
    """The beginning and the end of a text, as a terminal without colours would show it."""

    def __init__(self) -> None:
        self._head = ""
        self._tail = ""
        self._characters = 0
        self._line_ends, self._is_at_line_start = 0, True

    @property
    def lines(self) -> int:
        """Of all of it."""
        return self._line_ends + (not self._is_at_line_start)

    def add(self, text: str) -> None:
        self._characters += len(text)
        if text:
            self._line_ends += text.count("\n")
            self._is_at_line_start = text.endswith("\n")
        room = _RAW_CHARACTERS - len(self._head)
        self._head += text[:room]
        self._tail += text[max(room, 0) :]
        if len(self._tail) > 2 * _RAW_CHARACTERS:
            self._tail = self._tail[-_RAW_CHARACTERS:]

    def text(self, whole: Path | None = None) -> str:
        """At most about `EXCERPT_CHARACTERS`, whole lines where they are not longer than half of that.

        `whole` is the file that has all of it, if there is one.
        """
        is_whole = len(self._head) + len(self._tail) == self._characters
        if is_whole and len(shown := plain(self._head + self._tail)) <= EXCERPT_CHARACTERS:
            return shown
        head = _first_lines(plain(self._head), EXCERPT_CHARACTERS // 2)
        tail = _last_lines(plain(self._tail if not is_whole else self._head + self._tail), EXCERPT_CHARACTERS // 2)
        hint = (
            f"All of it is in {whole}, parts of which read_file and search_files show"
            if whole
            else "Send it to a file to see it all"
        )
        return f"{head}\n[… the middle is left out: the output has {self._characters} characters. {hint} …]\n{tail}"


def plain(text: str) -> str:
    """`text` without escape sequences and NUL, and of lines that were written over only the last state."""
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\0", "")
    if "\r" not in text:
        return text
    return "\n".join(map(_last_state, text.replace("\r\n", "\n").split("\n")))


def _last_state(line: str) -> str:
    states = [state for state in line.split("\r") if state.strip()]
    return states[-1] if states else ""


def _first_lines(text: str, limit: int) -> str:
    cut = text[:limit]
    return cut[: cut.rfind("\n")] if cut.rfind("\n") > limit // 2 else cut


def _last_lines(text: str, limit: int) -> str:
    cut = text[-limit:]
    return cut[cut.find("\n") + 1 :] if 0 <= cut.find("\n") < limit // 2 else cut
