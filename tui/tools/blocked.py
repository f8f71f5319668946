"""Whether a command probably failed because of the sandbox, so that the user can be offered to run it outside, once."""

from __future__ import annotations

import os
import re
from pathlib import Path

_READ_ONLY = re.compile(r"Read-only file system|\bEROFS\b|\[Errno 30\]")
_NETWORK = re.compile(
    r"Network is unreachable|Could not resolve|name resolution|Name or service not known|No address associated"
    r"|\bENETUNREACH\b|\bEAI_AGAIN\b|\bENOTFOUND\b|getaddrinfo|nodename nor servname|No route to host"
)
_OWN_SERVER = re.compile(
    r"(?:localhost|127\.0\.0\.1|::1)\b.*(?:refused|ECONNREFUSED)|(?:refused|ECONNREFUSED).*localhost"
)
_DENIED = re.compile(
    r"(?<![\w.~-])(?P<before>/[^\s'\":,;()]+)['\"’]?: (?:Permission denied|Operation not permitted)"
    r"|(?:Permission denied|Operation not permitted|EACCES|EPERM)[^/\n]{0,40}(?<![\w.~-])(?P<after>/[^\s'\":,;()]+)"
)


def why_blocked(output: str, folder: Path, network: bool) -> str | None:
    """What the sandbox held back, in a few words, guessed from what a failed command has said; None: nothing."""
    if _READ_ONLY.search(output):
        return "it wrote to a place that is read-only in the sandbox"
    if not network and (_NETWORK.search(output) or _OWN_SERVER.search(output)):
        return "it needed the network, which is off in the sandbox"
    root = os.path.realpath(folder)
    for match in _DENIED.finditer(output):
        path = os.path.normpath(match["before"] or match["after"])  # its links may lead where they cannot be followed
        if not Path(path).is_relative_to(root):
            return "it needed a place outside of the folder that the sandbox closes"
    return None
