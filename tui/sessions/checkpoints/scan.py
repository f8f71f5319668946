"""The state of a whole project, found by looking at the times of its files: only those that changed are read."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tui.sessions.checkpoints.states import (
    FILE_LIMIT_BYTES,
    NEVER,
    Change,
    Keep,
    Seen,
    Signature,
    State,
    is_left_out,
    kind_of_folder,
    look,
    look_in,
    opened,
    parent_of,
    signature_of,
)

ENTRIES_LIMIT = 50_000
BYTES_LIMIT = 1024 * 1024 * 1024
_DEPTH_LIMIT = 60

Tree = dict[str, Seen]
"""By path, `/` between names, from the project folder. Without `.git` and `.mimo`, and without what is in caches and
in what was installed (`node_modules`, virtual environments)."""


class TooLarge(Exception):
    """There is more than can be kept before each command; its text says what."""


def scan(folder: Path, known: Tree, keep: Keep) -> Tree:
    """The tree now. `known` is an earlier one: what has the same signature there is not read. Blocking.

    The entries of what is as it was are those of `known` themselves. Raises TooLarge before anything is read, OSError.
    """
    found: Tree = {}
    if not folder.is_dir():
        return found
    with opened(folder) as root:
        changed = _walk(root, "", known, found, 0)
        size_bytes = sum(size for _, size in changed if size <= FILE_LIMIT_BYTES)
        if size_bytes > BYTES_LIMIT:
            raise TooLarge(f"more than {BYTES_LIMIT // 1024**3} GB to keep")
        for path, seen in _read(root, [path for path, _ in changed], keep):
            found[path] = seen
    return found


def changes_of_known(folder: Path, known: Tree, keep: Keep) -> list[Change]:
    """What has become of the paths of `known`, where there is too much else to look at. Blocking. Raises OSError."""
    changes = []
    with opened(folder) as root:
        for path, old in known.items():
            if old.signature is not None and old.signature == _signature_at(root, path):
                continue
            seen = look(root, path, keep)
            if (state := seen.state if seen else None) != old.state:
                changes.append(Change(path, old.state, state))
    return sorted(changes)


def _signature_at(root: int, path: str) -> Signature | None:
    with contextlib.suppress(OSError), parent_of(root, path) as (folder, name):
        return signature_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    return None


def differences(before: Tree, after: Tree) -> list[Change]:
    """What is other in `after`, by path."""
    changes = []
    for path, seen in after.items():
        old = before.get(path)
        if old is not seen and (old is None or old.state != seen.state):
            changes.append(Change(path, old.state if old else None, seen.state))
    changes += [Change(path, before[path].state, None) for path in before.keys() - after.keys()]
    return sorted(changes)


def is_inside_left_out(tree: Tree, path: str) -> bool:
    """Whether a path is not part of the tree: it, or a folder of it, is left out."""
    names = path.split("/")
    parents = ("/".join(names[:count]) for count in range(1, len(names)))
    return not NEVER.isdisjoint(names) or any(
        (seen := tree.get(parent)) is not None and is_left_out(seen.state.kind) for parent in parents
    )


def _walk(root: int, prefix: str, known: Tree, found: Tree, depth: int) -> list[tuple[str, int]]:
    """Put what has not changed into `found`; returns the paths that have to be looked at, and their sizes."""
    changed: list[tuple[str, int]] = []
    if depth > _DEPTH_LIMIT:
        raise TooLarge(f"folders more than {_DEPTH_LIMIT} deep")
    with os.scandir(root) as entries:
        for entry in entries:
            name = entry.name
            if name in NEVER:
                continue
            path = prefix + name
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone meanwhile
            old = known.get(path)
            if stat.S_ISDIR(state.st_mode):
                changed += _enter(root, name, path, state, known, found, depth)
            elif old is not None and old[0] == signature_of(state):
                found[path] = old
            else:
                changed.append((path, state.st_size))
            if len(found) + len(changed) > ENTRIES_LIMIT:
                raise TooLarge(f"more than {ENTRIES_LIMIT:,} files")
    return changed


def _enter(
    parent: int, name: str, path: str, state: os.stat_result, known: Tree, found: Tree, depth: int
) -> list[tuple[str, int]]:
    old, mode = known.get(path), stat.S_IMODE(state.st_mode)
    # One that was part of the project stays it, whatever is put into it.
    kind = "folder" if old is not None and old.state.kind == "folder" else kind_of_folder(parent, name)
    is_same = old is not None and old.state.kind == kind and old.state.mode == mode
    found[path] = old if is_same and old is not None else Seen(None, State(kind, mode))
    if kind != "folder":
        return []
    try:
        number = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except OSError:  # not readable, or gone: what was known of it stands
        inside = f"{path}/"
        found.update((inner, seen) for inner, seen in known.items() if inner.startswith(inside))
        return []
    try:
        return _walk(number, f"{path}/", known, found, depth + 1)
    finally:
        os.close(number)


def _read(root: int, paths: list[str], keep: Keep) -> Iterator[tuple[str, Seen]]:
    """What is at each of the paths; neighbours share their folder's descriptor."""
    with contextlib.ExitStack() as stack:
        last, folder = None, -1
        for path in paths:
            prefix, _, name = path.rpartition("/")
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if prefix != last:
                    stack.close()
                    folder, _ = stack.enter_context(parent_of(root, path))
                    last = prefix
                yield path, look_in(folder, name, keep)
