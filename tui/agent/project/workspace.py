"""The files of an OpenClaw workspace, for those who have one: who the agent is, whom it works for, what it learned.

Read only when `agent.workspace` says so. Order and limits are OpenClaw's: each file cut in its middle at 20,000
characters (70 % of it from the beginning, 20 % from the end), 60,000 in all.
"""

from __future__ import annotations

import os
from pathlib import Path

from tui.agent.project.reading import read_text

_FILES = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "BOOTSTRAP.md", "MEMORY.md")
_NEEDED = ("AGENTS.md", "SOUL.md", "IDENTITY.md", "USER.md")
"""What a workspace is expected to have: for one that is missing, there is a word."""
FILE_CHARACTERS = 20_000
TOTAL_CHARACTERS = 60_000


def workspace_folder(setting: str) -> Path:
    """Where the workspace is: `openclaw` is the one that OpenClaw itself would use."""
    if setting != "openclaw":
        return Path(setting).expanduser()
    return Path(os.environ.get("OPENCLAW_WORKSPACE_DIR") or "~/.openclaw/workspace").expanduser()


def read_workspace(folder: Path, limit: int = TOTAL_CHARACTERS) -> str:
    """The files of a workspace as one text; empty when there is none. Blocking, raises nothing."""
    texts = {name: read_text(folder / name).strip() for name in _FILES}
    if not any(texts.values()):
        return ""
    parts: list[str] = []
    left = limit
    for name, text in texts.items():
        if text:
            shortened = _shortened(text, min(FILE_CHARACTERS, max(left, 0)), name)
            left -= len(shortened)
            parts.append(f"## {name}\n{shortened}")
        elif name in _NEEDED and not (folder / name).exists():
            parts.append(f"## {name}\n[missing]")
    return "\n\n".join(parts)


def _shortened(text: str, limit: int, name: str) -> str:
    if len(text) <= limit:
        return text
    head, tail = limit * 7 // 10, limit * 2 // 10
    end = text[len(text) - tail :] if tail else ""
    return f"{text[:head]}\n[... {len(text) - head - tail:,} characters of {name} were left out here ...]\n{end}"
