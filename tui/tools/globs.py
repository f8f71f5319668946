"""Globs on names of files, as `.gitignore` and ripgrep write them: `*.py`, `src/**/*.{ts,tsx}`."""

from __future__ import annotations

import re

from tui.tools.errors import ToolError

_PIECES = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|\{|\}|,|.", re.DOTALL)
_FIXED = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def name_part(glob: str) -> str:
    """What the name of a file must match, without its folders."""
    last = glob.rpartition("/")[2]
    is_whole = last.count("{") == last.count("}")
    return last if last.strip("*") and is_whole else "*"


def path_pattern(glob: str) -> re.Pattern[str] | None:
    """For the path of a file, to match all of it; None where the glob is on the name alone. Raises ToolError."""
    if "/" not in glob:
        return None
    depth, parts = 0, []
    for piece in _PIECES.findall(glob.removeprefix("./").lstrip("/")):
        if piece in _FIXED:
            parts.append(_FIXED[piece])
        elif piece == "{":
            depth += 1
            parts.append("(?:")
        elif depth and piece in "},":
            depth -= piece == "}"
            parts.append(")" if piece == "}" else "|")
        elif len(piece) > 1:
            parts.append(piece.replace("[!", "[^").replace("\\", "\\\\"))
        else:
            parts.append(re.escape(piece))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise ToolError(f"`glob` is no glob: {error}.") from error
