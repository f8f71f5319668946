"""The tool `list_files`: what is in a folder, as a tree, without what `.gitignore` leaves out."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Literal, Union

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext, outcome_of
from tui.tools.errors import ToolError, explain
from tui.tools.paths import located, missing, shown
from tui.tools.ripgrep import Found, ripgrep
from tui.tools.text_file import size_words

ENTRIES = 200
TIMEOUT_S = 20
_IGNORED_NAMES = 12
_LIMIT_BYTES = 32 * 1024 * 1024

Tree = dict[str, Union["Tree", str]]
"""Names to folders, or to what is said of a file that is not read for its size."""


class ListFiles:
    name = "list_files"
    description = (
        "List the files of a folder and the folders in it, with their sizes. Files in .gitignore are left out. "
        f"At most {ENTRIES} entries: deeper folders are then shown closed."
    )
    parameters: Json = {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "The folder. Default: the whole folder."}},
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return (arguments.get("path", "."),)

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return f"list {arguments.get('path', '.')}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            path = await asyncio.to_thread(_target, context, arguments.get("path", "."))
            if isinstance(path, Outcome):
                yield path
                return
            found = await _files(path)
            if not found.output and not found.is_cut:  # nothing, or the folder itself is in .gitignore
                found = await _files(path, "--no-ignore-parent")
        except (ToolError, OSError, ValueError) as error:
            yield Outcome(explain(error), is_error=True)
            return
        yield await outcome_of(lambda: _Listing(path, found).outcome())


async def _files(folder: Path, *options: str) -> Found:
    """Sorted: what is cut off is always the same then, and one thread starts faster than several."""
    return await ripgrep(("--files", "--sort=path", *options), folder, timeout_s=TIMEOUT_S, limit_bytes=_LIMIT_BYTES)


def _target(context: ToolContext, name: str) -> Path | Outcome:
    """The folder to list; for a file all that there is to say of it."""
    folder = context.folder
    path = located(folder, name, places=context.places)
    if not path.exists():
        raise missing(path, folder)
    return path if path.is_dir() else Outcome(f"{shown(path, folder)}  {size_words(path.stat().st_size)}")


class _Listing:
    """A tree of names, opened level by level for as long as there is room."""

    def __init__(self, folder: Path, found: Found) -> None:
        self.folder, self.found = folder, found
        self.tree: Tree = {}
        self.ignored: list[str] = []
        self.opened: set[int] = set()
        for name in found.output.split(b"\0")[:-1]:
            *parents, last = os.fsdecode(name).split("/")
            node = self.tree
            for parent in parents:
                child = node.setdefault(parent, {})
                assert isinstance(child, dict)
                node = child
            node[last] = ""

    def outcome(self) -> Outcome:
        self._open_level_by_level()
        lines = list(self._lines(self.tree, self.folder, ""))
        if not lines:
            lines.append("The folder is empty." if not self.ignored else "All that is in the folder is ignored.")
        if self.ignored:
            names = ", ".join(self.ignored[:_IGNORED_NAMES])
            more = len(self.ignored) - _IGNORED_NAMES
            lines.append(f"[left out by .gitignore: {names}{f' and {more} more' if more > 0 else ''}]")
        if self.found.is_cut:
            lines.append("[the folder is too large to be listed whole: list the folders in it]")
        if self.found.errors:
            lines.append(f"[not all could be read: {self.found.errors.strip()[:300]}]")
        return Outcome("\n".join(lines))

    def _open_level_by_level(self) -> None:
        room, waiting = ENTRIES, deque([(self.tree, self.folder)])
        while waiting:
            node, path = waiting.popleft()
            self._add_what_ripgrep_leaves_out(node, path)
            if len(node) > room and node is not self.tree:
                continue
            room -= len(node)
            self.opened.add(id(node))
            waiting.extend((child, path / name) for name, child in sorted(node.items()) if isinstance(child, dict))

    def _add_what_ripgrep_leaves_out(self, node: Tree, path: Path) -> None:
        """Links and empty folders; and, for the listed folder itself, the names of what is ignored."""
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            if entry.name in node or entry.name == ".git":
                continue
            if entry.is_symlink():
                node[entry.name] = f"-> {shown(Path(entry.path).readlink())}"
            elif entry.is_dir() and not os.access(entry.path, os.R_OK | os.X_OK):
                node[f"{entry.name}/"] = "(not readable)"
            elif entry.is_dir() and not _has_file(entry.path):
                node[entry.name] = {}
            elif node is self.tree and not self.found.is_cut:
                self.ignored.append(shown(entry.name) + ("/" if entry.is_dir() else ""))

    def _lines(self, node: Tree, path: Path, indent: str) -> Iterator[str]:
        shown_entries = sorted(node.items())[:ENTRIES]
        for name, child in shown_entries:
            if isinstance(child, dict):
                if not child:
                    yield f"{indent}{shown(name)}/  (empty)"
                elif id(child) in self.opened:
                    yield f"{indent}{shown(name)}/"
                    yield from self._lines(child, path / name, indent + "  ")
                else:
                    count = _count(child)
                    yield f"{indent}{shown(name)}/  ({count} file{'' if count == 1 else 's'}, not shown)"
            else:
                yield f"{indent}{shown(name)}  {child or _size(path / name)}"
        if len(node) > len(shown_entries):
            yield f"{indent}… {len(node) - len(shown_entries)} more entries, not shown"


def _has_file(folder: str) -> bool:
    """Whether there is a file in it or in the folders below: else it is for no rule that nothing of it is listed."""
    for _, folders, files in os.walk(folder):
        if files:
            return True
        folders[:] = [name for name in folders if name != ".git"]
    return False


def _count(node: Tree) -> int:
    return sum(_count(child) if isinstance(child, dict) else 1 for child in node.values())


def _size(path: Path) -> str:
    try:
        return size_words(path.lstat().st_size)
    except OSError:
        return "(gone)"
