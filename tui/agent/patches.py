"""What became of files as patches: for people to read, and for `git apply`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from tui.sessions.checkpoints.states import State, why_unkept
from tui.sessions.checkpoints.undoing import FileChange, Result
from tui.tools.changes import unified_diff
from tui.tools.text_file import bom_of, decode, size_words

_NAMED = 8
"""Files that a sentence names."""


class Patch(NamedTuple):
    """The change of one file. `what` is a word or two about it; `head` and `hunks` are the patch, not cleaned."""

    path: str
    what: str
    added: int
    removed: int
    head: str
    hunks: str
    raw: bytes | None = None
    """The patch where a file is not UTF-8, for `git apply`."""

    @property
    def text(self) -> str:
        """To be read."""
        return self.head + self.hunks

    @property
    def data(self) -> bytes:
        """To be applied."""
        return self.text.encode("utf-8", "surrogateescape") if self.raw is None else self.raw


def patch_of(change: FileChange) -> Patch:
    """Blocking for a large file."""
    path, before, after, old, new = change
    if (
        before is not None
        and after is not None
        and before.kind != after.kind
        and "unkept" not in (before.kind, after.kind)
    ):
        gone, come = patch_of(change._replace(after=None, new=None)), patch_of(change._replace(before=None, old=None))
        what = "link in place of a file" if after.kind == "link" else "file in place of a link"
        return Patch(path, what, come.added, gone.removed, gone.text, come.text, gone.data + come.data)
    head = _head(path, before, after)
    if unkept := next((state for state in (before, after) if state and state.kind == "unkept"), None):
        return Patch(path, f"{_word(before, after)}, {why_unkept(unkept)}: not kept", 0, 0, "", "")
    names = _names(path, before, after)
    texts = [_text(data) for data in (old, new)]
    is_binary = any(text is None and data is not None for text, data in zip(texts, (old, new), strict=True))
    if is_binary:
        sizes = " → ".join(size_words(len(data)) for data in (old, new) if data is not None)
        what = f"{_word(before, after)}, binary, {sizes}"
        return Patch(path, what, 0, 0, head, f"Binary files {names[0]} and {names[1]} differ\n")
    hunks = _hunks(names, *texts)
    lines = hunks.split("\n")[2:]
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    raw_hunks = _raw_hunks(names, old, new)
    raw = None if raw_hunks is None else (head + raw_hunks).encode("utf-8", "surrogateescape")
    return Patch(path, _word(before, after), added, removed, head, hunks, raw)


def _hunks(names: tuple[str, str], old: str | None, new: str | None) -> str:
    diff = unified_diff("@", old, new, is_exact=True)
    _, _, hunks = diff.partition("\n")[2].partition("\n")
    return f"--- {names[0]}\n+++ {names[1]}\n{hunks}" if hunks else ""


def _raw_hunks(names: tuple[str, str], old: bytes | None, new: bytes | None) -> str | None:
    """With bytes that are no UTF-8 as surrogates; None where all is UTF-8."""
    datas = [data for data in (old, new) if data is not None]
    if any(b"\0" in data for data in datas):  # UTF-16, which git takes for binary
        return f"Binary files {names[0]} and {names[1]} differ\n"
    if all(_is_utf8(data) for data in datas):
        return None
    return _hunks(names, *(data if data is None else data.decode("utf-8", "surrogateescape") for data in (old, new)))


def summary(result: Result, did: str = "Took back", place: str = "") -> tuple[str, str]:
    """What came of an undo, in a sentence or two for people, and what to do about it.

    `place` (`after step 2 of turn 1`): files were made what they were there, whatever turns that took back.
    """
    files = [change for change in result.changes if not _is_folder(change.before) and not _is_folder(change.after)]
    kinds = [
        ([change.path for change in files if change.after is not None], "restored"),
        ([change.path for change in files if change.after is None], "removed"),
    ]
    parts = [f"{len(of)} file{'s' if len(of) != 1 else ''} {word} ({_listed(of)})" for of, word in kinds if of]
    if not files and result.changes:
        parts = ["folders only"]
    turns = f"turn{'s' if len(result.turns) > 1 else ''} {', '.join(map(str, result.turns))}"
    if result.changes or not (result.left or result.failed):
        what = f"Restored the state {place}" if place else f"{did} {turns}"
        sentences = [f"{what}: {', '.join(parts) or 'all was as it should be'}."]
    else:
        sentences = [f"Nothing of {turns} was changed."]
    if result.left:
        sentences.append(f"Left alone, changed since: {_listed(result.left)}.")
    if result.failed:
        whys = [f"{path} ({why})" for path, why in result.failed.items()]
        sentences.append(f"Could not be done: {_listed(whys)}.")
    sentences += [f"But {remark}." for remark in result.remarks]
    if did != "Took back":
        return " ".join(sentences), ""
    hints = ["/undo! takes back what was left, too."] if result.left else []
    hints += ["/undo 2 takes back the turn before it, too."] if result.left and not result.changes else []
    return " ".join(sentences), " ".join([*hints, *(["/redo brings it back."] if result.changes else [])])


def _is_folder(state: State | None) -> bool:
    return state is not None and state.kind in ("folder", "cache", "installed")


def _listed(names: Iterable[str]) -> str:
    names = [name if name.isprintable() else repr(name) for name in names]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _word(before: State | None, after: State | None) -> str:
    if before is None or after is None:
        return "new" if before is None else "removed"
    if before.mode != after.mode and before.kind == after.kind == "file":
        return f"mode {before.mode:o} → {after.mode:o}"
    return "changed"


def _head(path: str, before: State | None, after: State | None) -> str:
    lines = [f"diff --git {_quoted(f'a/{path}')} {_quoted(f'b/{path}')}"]
    old, new = (_git_mode(state) if state else "" for state in (before, after))
    if not old or not new:
        lines.append(f"new file mode {new}" if new else f"deleted file mode {old}")
    elif old != new:
        lines += [f"old mode {old}", f"new mode {new}"]
    return "\n".join(lines) + "\n"


def _git_mode(state: State) -> str:
    return "120000" if state.kind == "link" else "100755" if state.mode & 0o100 else "100644"


def _names(path: str, before: State | None, after: State | None) -> tuple[str, str]:
    return (
        _quoted(f"a/{path}") if before is not None else "/dev/null",
        _quoted(f"b/{path}") if after is not None else "/dev/null",
    )


def _quoted(name: str) -> str:
    """As git writes a name that has more in it than letters: its bytes as in C."""
    if name.isascii() and name.isprintable() and '"' not in name and "\\" not in name:
        return name
    special = {0x22: '\\"', 0x5C: "\\\\", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
    escaped = "".join(
        special.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in os.fsencode(name)
    )
    return f'"{escaped}"'


def _text(data: bytes | None) -> str | None:
    """As the tools for files see it; None for what is no text to them, and for nothing."""
    if data is None or (b"\0" in data and not bom_of(data)[0]) or data.startswith(b"%PDF-"):
        return None
    if _is_utf8(data):
        return data.decode()  # a byte order mark is a part of it
    return decode(data).text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
