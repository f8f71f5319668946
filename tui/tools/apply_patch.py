"""The tool `apply_patch`: change several files at once, all of them or none."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path

from tui.core.messages import Json
from tui.tools.base import ToolContext
from tui.tools.changes import Change, ChangingTool, Plan, refuse_stale
from tui.tools.errors import ToolError
from tui.tools.patch_text import FilePatch, parse_patch
from tui.tools.patching import patched
from tui.tools.paths import located, refuse_in_a_file, shown
from tui.tools.text_file import encode, load

_VERBS = {"update": "changes", "add": "adds", "move": "moves", "delete": "removes"}


class ApplyPatch(ChangingTool):
    name = "apply_patch"
    description = (
        "Change several files at once by a patch: all of it is done or nothing. Either a unified diff, or "
        "`*** Begin Patch`, then for each file `*** Update File: PATH` (with hunks: an `@@` line, then lines that "
        "begin with space, - or +), `*** Add File: PATH` (lines with +) or `*** Delete File: PATH`, then "
        "`*** End Patch`."
    )
    parameters: Json = {
        "type": "object",
        "properties": {"patch": {"type": "string", "minLength": 1, "description": "The patch."}},
        "required": ["patch"],
        "additionalProperties": False,
    }

    def paths(self, arguments: Json) -> tuple[str, ...]:
        try:
            files = parse_patch(arguments["patch"])
        except ToolError:  # it is told when it is to be carried out; then nothing may be touched
            return ()
        return tuple(path for file in files for path in (file.path, file.move_to) if path)

    def deed(self, arguments: Json) -> str:
        try:
            counts = Counter("move" if file.move_to else file.kind for file in parse_patch(arguments["patch"]))
        except ToolError:
            return super().deed(arguments)
        parts = [f"{verb} {counts[kind]}" for kind, verb in _VERBS.items() if counts[kind]]
        if counts.total() == 1:
            return parts[0].replace("1", "a file")
        parts[0] += " file" if parts[0].endswith(" 1") else " files"
        return ", ".join(parts)

    def plan(self, arguments: Json, context: ToolContext) -> Plan:
        changes: list[Change] = []
        summary: list[str] = []
        for file in parse_patch(arguments["patch"]):
            made, words = _planned(file, context)
            changes += made
            summary.append(words)
        paths = [change.path for change in changes]
        if len(set(paths)) < len(paths):  # by links, or a move onto another file of the patch
            raise ToolError("Two parts of the patch lead to the same file.")
        return Plan(tuple(changes), "\n".join(summary))


def _planned(file: FilePatch, context: ToolContext) -> tuple[list[Change], str]:
    """The changes for one file of a patch, and a line about them."""
    path = located(context.folder, file.path, for_change=True, places=context.places)
    name = shown(path, context.folder)
    if file.kind == "add":
        refuse_in_a_file(path, context.folder)
        return [_added(path, file, name)], f"Added {name}."
    before = load(path, context.folder)
    refuse_stale(path, context)
    is_known = context.desk.seen.knows(path)
    result = patched(before.text, file.hunks, name, bears_white_space=is_known)
    original, mode = encode(before.text, before), stat.S_IMODE(path.stat().st_mode)
    if file.kind == "delete":
        if file.hunks and result.text:
            raise ToolError(f"{name} has more in it than the patch takes away, so it was not removed.")
        if not file.hunks and not is_known and before.text:
            raise ToolError(f"You have not read {name}, so it was not removed. Read it first.")
        return [Change(path, before.text, None, None, original, mode)], f"Removed {name}."
    data = encode(result.text, before)
    lines = ", ".join(map(str, result.lines))
    words = f"Changed {name}, line{'s' if len(result.lines) > 1 else ''} {lines}." if lines else ""
    words += "".join(f" [{remark}]" for remark in result.remarks)
    if file.move_to is None:
        return [Change(path, before.text, result.text, data, original, mode)], words
    target = located(context.folder, file.move_to, for_change=True, places=context.places)
    refuse_in_a_file(target, context.folder)
    if target.exists():
        raise ToolError(f"{shown(target, context.folder)} is there already, so {name} was not moved to it.")
    there = Change(target, None, result.text, data, mode=mode)
    return [there, Change(path, before.text, None, None, original, mode)], (
        f"Moved {name} to {shown(target, context.folder)}. {words}".rstrip()
    )


def _added(path: Path, file: FilePatch, name: str) -> Change:
    if path.is_dir():
        raise ToolError(f"{name} is a folder, so it cannot be added as a file.")
    if path.exists():
        raise ToolError(f"{name} is there already: use `*** Update File`.")
    lines = [text for hunk in file.hunks for mark, text in hunk.lines if mark == "+"]
    if any(mark != "+" for hunk in file.hunks for mark, _ in hunk.lines):
        raise ToolError(f"{name} is to be added, so each of its lines must begin with `+`.")
    has_end = not file.hunks or file.hunks[-1].has_final_newline is not False
    text = "\n".join(lines) + ("\n" if lines and has_end else "")
    try:
        return Change(path, None, text, text.encode())
    except UnicodeEncodeError:
        raise ToolError(f"The text of {name} has half of a character (an unpaired surrogate) in it.") from None
