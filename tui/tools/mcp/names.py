"""What tools of servers are called for the model: `mcp__SERVER__TOOL`, in the characters that every vendor takes."""

from __future__ import annotations

import hashlib
import re

LONGEST = 64


def tool_name(server: str, tool: str) -> str:
    """The same for the same tool, always; no other tool of any server has it.

    A name that had to be changed ends with a part of its hash, so that `a/b` and `a.b` stay two.
    """
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", tool)
    name = f"mcp__{server}__{plain}"
    if plain == tool and len(name) <= LONGEST:
        return name
    mark = hashlib.sha256(f"{server}\0{tool}".encode("utf-8", "replace")).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}_{mark}"
