"""The tool `search_files`: lines that match a regular expression, and files by their names."""

from __future__ import annotations

import asyncio
import functools
import os
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from glob import escape
from pathlib import Path
from typing import Literal, NamedTuple

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError, explain
from tui.tools.globs import name_part, path_pattern
from tui.tools.long_lines import around_match
from tui.tools.paths import located, missing, shown
from tui.tools.ripgrep import Found, ripgrep
from tui.tools.secret_places import secret_places

MATCHES = 200
MATCHES_A_FILE = 25
COLUMNS = 300
TIMEOUT_S = 20
_LIMIT_BYTES = 512 * 1024
_NUMBERED = re.compile(rb"(\d+)(?::(\d+):(\d+):|-\d+-)")
"""The line's number; of a match also the column and where the line begins, both in bytes."""


class SearchFiles:
    name = "search_files"
    description = (
        "Search files for a regular expression (Rust syntax, case matters; begin with (?i) to ignore case). "
        "Files in .gitignore are left out. Shows matching lines with their numbers. "
        "With `glob` alone, finds files by name."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "minLength": 1, "description": "The regular expression."},
            "path": {"type": "string", "description": "A folder or file to search. Default: the whole folder."},
            "glob": {"type": "string", "minLength": 1, "description": "Only files such as *.py or src/**/*.ts."},
            "context": {"type": "integer", "minimum": 0, "maximum": 20, "description": "Lines to show around each."},
        },
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return (arguments.get("path", "."),)

    def preview(self, arguments: Json, context: ToolContext) -> str:
        where, glob = arguments.get("path", "."), arguments.get("glob")
        if "pattern" not in arguments:
            return f"find {glob or 'files'} in {where}"
        return f"search {where} for {arguments['pattern']}" + (f" in {glob}" if glob else "")

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            yield await _search(arguments, context)
        except (ToolError, OSError, ValueError) as error:
            yield Outcome(explain(error), is_error=True)


async def _search(arguments: Json, context: ToolContext) -> Outcome:
    pattern, glob = arguments.get("pattern"), arguments.get("glob")
    if pattern is None and glob is None:
        raise ToolError("Give `pattern`, to search in files, or `glob`, to find files by their names.")
    for name, text in (("pattern", pattern), ("glob", glob)):
        if "\0" in (text or ""):
            raise ToolError(f"The {name} cannot have a NUL character in it.")
    root, target = await asyncio.to_thread(_target, context, arguments.get("path", "."))
    wanted = path_pattern(glob) if glob else None
    hidden = await asyncio.to_thread(_secrets_below, root / target)
    options = [
        "--sort=path",  # slower, but the same call has the same result
        *(f"--glob=!/{escape(str(place.relative_to(root)))}" for place in hidden if place.is_relative_to(root)),
        # A type, since a glob of ripgrep's would find what `.gitignore` leaves out.
        *((f"--type-add=wanted:{name_part(glob)}", "--type=wanted") if glob else ()),
    ]
    elsewhere = [f"{place}" for place in hidden if not place.is_relative_to(root)]  # globs are from the root
    is_wanted = functools.partial(_is_wanted, wanted, str(target), elsewhere)
    if pattern is None:
        found = await _ripgrep((*options, "--files", "--", str(target)), root)
        return _names(found, is_wanted, str(glob))
    options += _searching(pattern, arguments.get("context", 0))
    found = await _ripgrep((*options, "--", str(target)), root)
    remark = ""
    if not found.output and not found.errors and not pattern.isascii():
        found = await _ripgrep((*options, "--encoding=latin1", "--", str(target)), root)
        remark = "[these files are not UTF-8: they were read as Latin-1]"
    return await asyncio.to_thread(_outcome, found, pattern, is_wanted, root, remark)


async def _ripgrep(arguments: Sequence[str], root: Path) -> Found:
    return await ripgrep(arguments, root, timeout_s=TIMEOUT_S, limit_bytes=_LIMIT_BYTES)


def _searching(pattern: str, context_lines: int) -> list[str]:
    return [
        "--line-number",
        "--column",
        "--byte-offset",
        "--no-heading",
        "--with-filename",
        f"--max-count={MATCHES_A_FILE}",
        f"--max-columns={COLUMNS}",
        "--max-columns-preview",
        "--engine=auto",
        *((f"--context={context_lines}",) if context_lines else ()),
        f"--regexp={pattern}",
    ]


def _is_wanted(wanted: re.Pattern[str] | None, target: str, hidden: Sequence[str], name: str) -> bool:
    """Whether a file's path fits, from the project's folder or from the one that is searched, and is not hidden."""
    name = name.removeprefix("./")
    if any(name == place or name.startswith(f"{place}/") for place in hidden):
        return False
    return wanted is None or any(wanted.fullmatch(path) for path in (name, name.removeprefix(f"{target}/")))


def _names(found: Found, is_wanted: Callable[[str], bool], glob: str) -> Outcome:
    if not found.output and found.errors:
        return Outcome(f"The search failed: {_error_text(found.errors)}", is_error=True)
    names = [name for name in map(os.fsdecode, found.output.split(b"\0")[:-1]) if is_wanted(name)]
    lines = [shown(name.removeprefix("./")) for name in names[:MATCHES]]
    if found.is_late:
        lines.append(f"[stopped after {TIMEOUT_S} s: give a smaller `path`]")
    elif found.is_cut or len(names) > MATCHES:
        least = f"at least {len(names):,}" if found.is_cut else f"{len(names):,}"
        lines.append(f"[only the first {min(MATCHES, len(names))} of {least} are shown: narrow the glob or the path]")
    return Outcome("\n".join(lines) or f"No file matches {shown(glob)}.")


def _target(context: ToolContext, name: str) -> tuple[Path, Path]:
    """The folder with its links followed, and what to search: from there where it is inside, for short names."""
    folder = context.folder
    path, root = located(folder, name, places=context.places), Path(os.path.realpath(folder))
    if not path.exists():
        raise missing(path, folder)
    return root, path.relative_to(root) if path.is_relative_to(root) else path


def _secrets_below(target: Path) -> list[Path]:
    """Where keys lie below what is searched: they are left out, since to look there it must be named, and approved."""
    return [place for place in secret_places() if place.is_relative_to(target) and place != target]


def _outcome(found: Found, pattern: str, is_wanted: Callable[[str], bool], root: Path, remark: str) -> Outcome:
    """Blocking: of long lines what is around the match is read."""
    matches = [line for line in _parse(found.output) if is_wanted(line.file)]
    if not matches and found.errors:
        return Outcome(f"The search failed: {_error_text(found.errors)}", is_error=True)
    lines, file, in_file = [], "", 0
    for line in matches[:MATCHES]:
        if line.file != file:
            file, in_file = line.file, 0
            lines.append(shown(file.removeprefix("./")))
        in_file += line.is_match
        lines.append(f"{line.number:>6}{':' if line.is_match else '-'} {line.text(root)}")
        if in_file == MATCHES_A_FILE and line.is_match:
            lines.append(f"      … only the first {MATCHES_A_FILE} of a file are shown")
    if found.is_late:
        lines.append(f"[stopped after {TIMEOUT_S} s: give a smaller `path`]")
    elif found.is_cut or len(matches) > MATCHES:
        first = min(MATCHES, len(matches))
        lines.append(f"[only the first {first} of at least {len(matches):,} are shown: narrow the pattern or the path]")
    elif not matches:
        lines.append(f"Nothing matches {shown(pattern)}.")
    if matches and remark:
        lines.append(remark)
    if matches and found.errors:
        lines.append(f"[not all could be searched: {_error_text(found.errors)}]")
    return Outcome("\n".join(lines))


class _Line(NamedTuple):
    """One that matches, or one around it."""

    file: str
    number: int
    preview: bytes
    is_match: bool
    match_at: int = 0
    """Where in the line the match is, and where in the file the line begins: in bytes, from 0."""
    line_at: int = 0

    def text(self, root: Path) -> str:
        """Its beginning; of one where the match is further behind what is around that."""
        around = None
        if self.is_match:
            path = Path(os.path.normpath(root / self.file))
            around = around_match(self.preview, path, self.line_at, self.match_at, COLUMNS)
        return around or self.preview.decode(errors="replace").rstrip("\r")


def _parse(output: bytes) -> list[_Line]:
    """Of lines such as `src/a.py NUL 12:1:340:text`; a last line that was cut is dropped."""
    found = []
    for line in output.split(b"\n")[:-1]:
        name, nul, rest = line.partition(b"\0")
        if nul and (match := _NUMBERED.match(rest)):
            file, number, text = os.fsdecode(name), int(match[1]), rest[match.end() :]
            is_match = match[2] is not None
            places = (int(match[2]) - 1, int(match[3])) if is_match else ()
            found.append(_Line(file, number, text, is_match, *places))
    return found


def _error_text(errors: str) -> str:
    """ripgrep's words, of a bad pattern only the default engine's, without advice about options that nobody can set."""
    _, _, parse_error = errors.partition("regex parse error:\n")
    text = parse_error.split("~~~", 1)[0] if parse_error else errors
    return re.sub(r"(?m)^rg: ", "", text).split("\nConsider", 1)[0].strip()[:1000]
