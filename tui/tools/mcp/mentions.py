"""`@server:uri` in what the user writes: a resource of a server."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

_MENTION = re.compile(r"(?:^|(?<=\s))@([A-Za-z0-9_-]+):(\S+)")
_MOST = 20


class Mention(NamedTuple):
    server: str
    uri: str

    @classmethod
    def all_in(cls, words: str, servers: Container[str]) -> list[Mention]:
        """Each once, in order; only of the `servers`: other words with `@` mean something else."""
        found = dict.fromkeys(cls(match[1], match[2]) for match in _MENTION.finditer(words) if match[1] in servers)
        return list(found)[:_MOST]
