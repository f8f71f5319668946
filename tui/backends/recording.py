"""A reply's bytes as they came, for people to look at: the beginning and the end of what is long."""

from __future__ import annotations

from collections import deque

from tui.settings.log import without_secrets

HEAD_BYTES = TAIL_BYTES = 32 * 1024


class Recording:
    """Takes in the chunks of a body; keeps no more than HEAD_BYTES and TAIL_BYTES and a chunk of them."""

    def __init__(self) -> None:
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._head_size = self._tail_size = self._left_out = 0

    def add(self, chunk: bytes) -> None:
        if self._head_size < HEAD_BYTES:
            self._head.append(chunk)
            self._head_size += len(chunk)
            return
        self._tail.append(chunk)
        self._tail_size += len(chunk)
        while self._tail_size - len(self._tail[0]) > TAIL_BYTES:
            gone = len(self._tail.popleft())
            self._tail_size -= gone
            self._left_out += gone

    def text(self) -> str:
        """All that is kept, with the keys in it masked."""
        head, tail = b"".join(self._head), b"".join(self._tail)
        left_out = self._left_out
        if len(head) + len(tail) > HEAD_BYTES + TAIL_BYTES:  # a chunk may be larger than all that is kept
            rest = head[HEAD_BYTES:] + tail
            cut = max(0, len(rest) - TAIL_BYTES)
            head, tail, left_out = head[:HEAD_BYTES], rest[cut:], left_out + cut
        marker = f"\n[... {left_out:,} bytes left out ...]\n".encode() if left_out else b""
        return without_secrets((head + marker + tail).decode("utf-8", "replace"))
