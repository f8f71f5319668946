"""The tool `search_files`: lines that match a regular expression."""

from __future__ import annotations

import asyncio
import glob
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError, explain
from tui.tools.paths import located, missing, shown
from tui.tools.ripgrep import Found, ripgrep
from tui.tools.secret_places import secret_places

MATCHES = 200
MATCHES_A_FILE = 25
COLUMNS = 300
TIMEOUT_S = 20
_LIMIT_BYTES = 512 * 1024


class SearchFiles:
    name = "search_files"
    description = (
        "Search files for a regular expression (Rust syntax, case matters; begin with (?i) to ignore case). "
        "Files in .gitignore are left out. Shows matching lines with their numbers."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "minLength": 1, "description": "The regular expression."},
            "path": {"type": "string", "description": "A folder or file to search. Default: the whole folder."},
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return (arguments.get("path", "."),)

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return f"search {arguments.get('path', '.')} for {arguments['pattern']}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            yield await _search(arguments["pattern"], arguments.get("path", "."), context)
        except (ToolError, OSError, ValueError) as error:
            yield Outcome(explain(error), is_error=True)


async def _search(pattern: str, name: str, context: ToolContext) -> Outcome:
    if "\0" in pattern:
        raise ToolError("The pattern cannot have a NUL character in it.")
    root, target = await asyncio.to_thread(_target, context, name)
    found = await ripgrep(
        (
            "--line-number",
            "--no-heading",
            "--with-filename",
            f"--max-count={MATCHES_A_FILE}",
            f"--max-columns={COLUMNS}",
            "--max-columns-preview",
            "--sort=path",  # slower, but the same call has the same result
            "--engine=auto",
            *await asyncio.to_thread(_without_secrets, root, root / target),
            f"--regexp={pattern}",
            "--",
            str(target),
        ),
        root,
        timeout_s=TIMEOUT_S,
        limit_bytes=_LIMIT_BYTES,
    )
    return _outcome(found, pattern)


def _target(context: ToolContext, name: str) -> tuple[Path, Path]:
    """The folder with its links followed, and what to search: from there where it is inside, for short names."""
    folder = context.folder
    path, root = located(folder, name, places=context.places), Path(os.path.realpath(folder))
    if not path.exists():
        raise missing(path, folder)
    return root, path.relative_to(root) if path.is_relative_to(root) else path


def _without_secrets(root: Path, target: Path) -> list[str]:
    """Options that leave out where keys lie, below what is searched: to look there it must be named, and approved."""
    hidden = (place for place in secret_places() if place.is_relative_to(target) and place != target)
    return [f"--glob=!/{glob.escape(str(place.relative_to(root)))}" for place in hidden if place.is_relative_to(root)]


def _outcome(found: Found, pattern: str) -> Outcome:
    matches = _parse(found.output)
    if not matches and found.errors:
        return Outcome(f"The search failed: {_error_text(found.errors)}", is_error=True)
    lines, file, in_file = [], "", 0
    for name, number, text in matches[:MATCHES]:
        if name != file:
            file, in_file = name, 0
            lines.append(shown(name.removeprefix("./")))
        in_file += 1
        lines.append(f"{number:>6}: {text}")
        if in_file == MATCHES_A_FILE:
            lines.append(f"      … only the first {MATCHES_A_FILE} of a file are shown")
    if found.is_late:
        lines.append(f"[stopped after {TIMEOUT_S} s: give a smaller `path`]")
    elif found.is_cut or len(matches) > MATCHES:
        first = min(MATCHES, len(matches))
        lines.append(f"[only the first {first} of at least {len(matches):,} are shown: narrow the pattern or the path]")
    elif not matches:
        lines.append(f"Nothing matches {shown(pattern)}.")
    if matches and found.errors:
        lines.append(f"[not all could be searched: {_error_text(found.errors)}]")
    return Outcome("\n".join(lines))


def _parse(output: bytes) -> list[tuple[str, int, str]]:
    """(file, line number, text) of lines such as `src/a.py NUL 12:text`; a last line that was cut is dropped."""
    matches = []
    for line in output.split(b"\n")[:-1]:
        name, nul, rest = line.partition(b"\0")
        number, colon, text = rest.partition(b":")
        if nul and colon and number.isdigit():
            matches.append((os.fsdecode(name), int(number), text.decode(errors="replace").rstrip("\r")))
    return matches


def _error_text(errors: str) -> str:
    """ripgrep's words, of a bad pattern only the default engine's, without advice about options that nobody can set."""
    _, _, parse_error = errors.partition("regex parse error:\n")
    text = parse_error.split("~~~", 1)[0] if parse_error else errors
    return re.sub(r"(?m)^rg: ", "", text).split("\nConsider", 1)[0].strip()[:1000]
