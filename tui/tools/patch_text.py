"""Reads patches as models write them: `*** Begin Patch` ... `*** End Patch`, and unified diffs.

Line numbers and counts of a unified diff are hints: models count badly, and a parser that holds them to their counts
(unidiff) refuses most of what they write. What counts are the lines themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from tui.tools.errors import ToolError

_SECTION = re.compile(r"\*\*\* (Update|Add|Delete) File: *(.+?)\s*")
_MOVE = re.compile(r"\*\*\* Move to: *(.+?)\s*")
_NUMBERS = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@.*")
_HEADER_PATH = re.compile(r"(?:--- |\+\+\+ )(.*?)(?:\t.*)?")
_GIT_NOISE = re.compile(
    r"(diff |index |old mode |new mode |new file mode |deleted file mode |similarity |dissimilarity )"
)
_NO_NEWLINE = "\\ No newline"


@dataclass(slots=True)
class Hunk:
    """Lines with their marks (` `, `-`, `+`), and what tells where they are: headings, a line number, the end."""

    number: int
    lines: list[tuple[str, str]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    line: int | None = None
    is_at_end: bool = False
    has_final_newline: bool | None = None
    """Whether the new file's last line has an end; None: like before."""

    @property
    def old(self) -> list[str]:
        return [text for mark, text in self.lines if mark != "+"]

    @property
    def new(self) -> list[str]:
        return [text for mark, text in self.lines if mark != "-"]


@dataclass(slots=True)
class FilePatch:
    """What is done to one file."""

    kind: Literal["update", "add", "delete"]
    path: str
    move_to: str | None = None
    hunks: list[Hunk] = field(default_factory=list)


def parse_patch(text: str) -> list[FilePatch]:
    """The files of a patch, each once, in order. Raises ToolError that names the line which cannot be understood."""
    lines = text.replace("\r\n", "\n").split("\n")
    if any(_SECTION.fullmatch(line) for line in lines):
        found = _Sections(lines).files
    elif any(line.startswith("--- ") for line in lines) or any(line.startswith("rename from ") for line in lines):
        found = _UnifiedDiff(lines).files
    else:
        raise ToolError(
            "This is no patch: there is no line `*** Update File: PATH`, `*** Add File: PATH` or "
            "`*** Delete File: PATH`, and no `--- a/PATH` of a unified diff."
        )
    return _merged(found)


def _merged(found: list[FilePatch]) -> list[FilePatch]:
    """Several updates of the same file as one."""
    files: dict[str, FilePatch] = {}
    for patch in found:
        known = files.get(patch.path)
        if known is None:
            files[patch.path] = patch
        elif known.kind == patch.kind == "update" and not known.move_to:
            known.hunks += patch.hunks
            known.move_to = patch.move_to
        else:
            raise ToolError(f"{patch.path} is in the patch twice.")
    for patch in files.values():
        for number, hunk in enumerate(patch.hunks, 1):
            hunk.number = number
        if patch.kind == "update" and not patch.hunks and not patch.move_to:
            raise ToolError(f"The patch says nothing of what to change in {patch.path}.")
    return list(files.values())


class _HunkReader:
    """Puts lines with marks into the hunks of the file at hand."""

    def __init__(self) -> None:
        self.files: list[FilePatch] = []
        self._hunk: Hunk | None = None
        self._blanks = 0
        """Lines without a mark that have come since: context, or only the distance to what follows."""

    def begin(self, patch: FilePatch) -> None:
        self.files.append(patch)
        self._hunk, self._blanks = None, 0

    def heading(self, line: str) -> None:
        """A line that begins with `@@`."""
        self._blanks = 0
        if self._hunk is None or self._hunk.lines:
            self._open()
        assert self._hunk is not None
        if numbers := _NUMBERS.fullmatch(line):
            self._hunk.line = int(numbers[1])
        elif heading := line[2:].removesuffix("@@").strip():
            self._hunk.headings.append(heading)

    def line(self, line: str, at: int) -> None:
        if not line:
            self._blanks += 1
            return
        if line.startswith(_NO_NEWLINE):
            self._end_without_newline()
        elif line[0] in " -+":
            hunk = self._hunk or self._open()
            hunk.lines += [(" " if self.files[-1].kind != "add" else "+", "")] * self._blanks
            self._blanks = 0
            hunk.lines.append((line[0], line[1:]))
        else:
            raise ToolError(
                f"Line {at} of the patch cannot be understood: {line[:200]!r}. Each line of a change begins with a "
                "space (stays), `-` (goes) or `+` (comes)."
            )

    def at_end(self) -> None:
        if self._hunk is not None:
            self._hunk.is_at_end = True

    def _open(self) -> Hunk:
        self._hunk = Hunk(len(self.files[-1].hunks) + 1)
        self.files[-1].hunks.append(self._hunk)
        return self._hunk

    def _end_without_newline(self) -> None:
        if self._hunk is not None and self._hunk.lines:
            self._hunk.is_at_end = True
            self._hunk.has_final_newline = self._hunk.lines[-1][0] == "-"


class _Sections(_HunkReader):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        for at, line in enumerate(lines, 1):
            if match := _SECTION.fullmatch(line):
                kind: dict[str, Literal["update", "add", "delete"]]
                kind = {"Update": "update", "Add": "add", "Delete": "delete"}
                self.begin(FilePatch(kind[match[1]], match[2]))
            elif line.startswith("*** End Patch"):
                return
            elif not self.files:
                continue  # what stands before the first file: `*** Begin Patch`, a fence, words
            elif match := _MOVE.fullmatch(line):
                self.files[-1].move_to = match[1]
            elif line.startswith("*** End of File"):
                self.at_end()
            elif line.startswith("@@"):
                self.heading(line)
            elif not line.startswith("```"):
                self.line(line, at)


class _UnifiedDiff(_HunkReader):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        at, in_hunks = 0, False
        while at < len(lines):
            line = lines[at]
            following = lines[at + 1] if at + 1 < len(lines) else ""
            if line.startswith("--- ") and following.startswith("+++ "):
                self._file(_path(line), _path(following), at + 1)
                at, in_hunks = at + 1, True
            elif line.startswith("rename from ") and following.startswith("rename to "):
                self.begin(FilePatch("update", line[len("rename from ") :], following[len("rename to ") :]))
                at, in_hunks = at + 1, False
            elif _GIT_NOISE.match(line) or line.startswith("```"):
                in_hunks = False
            elif in_hunks and line.startswith("@@"):
                self.heading(line)
            elif in_hunks:
                self.line(line, at + 1)
            at += 1

    def _file(self, old: str, new: str, at: int) -> None:
        if old == new == "":
            raise ToolError(f"Line {at} of the patch names no file.")
        if self.files and self.files[-1].move_to == new and self.files[-1].path == old and not self.files[-1].hunks:
            return  # a rename that git has named already
        if old == "":
            self.begin(FilePatch("add", new))
        elif new == "":
            self.begin(FilePatch("delete", old))
        else:
            self.begin(FilePatch("update", old, new if new != old else None))


def _path(line: str) -> str:
    """The path of a `---` or `+++` line; empty for /dev/null."""
    match = _HEADER_PATH.fullmatch(line)
    path = match[1].strip().strip('"') if match else ""
    if path == "/dev/null":
        return ""
    return path[2:] if path[:2] in ("a/", "b/") else path
