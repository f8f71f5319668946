"""Keeps the states of files before they are changed, and finds out what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tui.sessions.checkpoints.ledger import Ledger
from tui.sessions.checkpoints.scan import TooLarge, Tree, changes_of_known, differences, is_inside_left_out, scan
from tui.sessions.checkpoints.states import Change, Seen, State, look, opened

Place = tuple[int, int]
"""Turn and step."""


class Held(NamedTuple):
    """A change that has begun: the entry's number, and how the files were that it names (None: it may be any)."""

    number: int
    place: Place
    befores: dict[str, State | None] | None


class Recorder:
    """Of one session in one folder. Blocking; used from several threads. Raises SessionError, OSError."""

    def __init__(self, ledger: Ledger, folder: Path, works_behind: Callable[[], bool] = lambda: False) -> None:
        """`works_behind`: whether commands run in the background: what changes then by itself is their doing."""
        self.ledger, self.folder = ledger, folder
        self.limit = ""
        """Why what commands change is not kept here; empty while it is."""
        self.has_outgrown = False
        """A command has made too much of it: only what was there before is looked after."""
        self._works_behind, self._worked_behind = works_behind, False
        self._place_behind: Place = (0, 0)
        """Where what runs in the background was begun."""
        self._lock = threading.RLock()
        self._tree: Tree | None = None
        """As it was when it was last looked at; None before the first command."""
        self._is_saved = self._has_recovered = False
        self._running = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One at a time; what is kept meanwhile stays."""
        with self._lock, self.ledger.blobs.held():
            try:
                self._recover()
                yield
            finally:
                self.ledger.needs()

    def before_files(self, place: Place, paths: Sequence[str]) -> Held:
        """A tool is about to change these files, and to make the folders that they need."""
        with self.at_work():
            befores = {path: self.look(path) for path in self._with_missing_folders(paths)}
            changes = [Change(path, before, before) for path, before in befores.items()]
            return Held(self.ledger.begin(*place, "files", changes), place, befores)

    def before_command(self, place: Place) -> Held | None:
        """Something is about to change whatever it likes. None when there is too much to keep: then `limit` says so."""
        if self.limit and not self.has_outgrown:
            return None
        with self.at_work():
            try:
                self.settle(place)
                self._begin_tree()
            except TooLarge as error:
                self.limit, self._tree = str(error), None
                self.has_outgrown = self.has_outgrown or self.ledger.has_tree()
                return None
            self._running += 1
            return Held(self.ledger.begin(*place, "tree"), place, None)

    def after(self, held: Held) -> tuple[Change, ...]:
        """It is done: what has changed."""
        with self.at_work():
            return self._after_command(held) if held.befores is None else self._after_files(held, held.befores)

    def settle(self, place: Place) -> None:
        """Take in what has changed since it was last looked at: by what runs in the background, or by somebody else.

        `place` is where it belongs that is neither.
        """
        did, self._worked_behind = self._worked_behind, self._works_behind()
        if self._tree is None:
            return
        new = self._now(self._tree)
        if changes := differences(self._tree, new):
            is_behind = did or self._worked_behind
            is_ours = is_behind or self._running
            self.ledger.add(*(self._place_behind if is_behind else place), "tree" if is_ours else "other", changes)
        self._tree = new

    def end(self, place: Place) -> None:
        """Nothing more will be changed: take in what went on in the background."""
        if self._worked_behind:
            with self.at_work():
                self.settle(place)

    def restored(self) -> None:
        """Files were put back: that is nobody's change."""
        if self._tree is not None:
            self._is_saved = False
            self._tree = self._now(self._tree)

    def look(self, path: str) -> State | None:
        """What is at a path now; its contents are kept."""
        if not self.folder.is_dir():
            return None
        with opened(self.folder) as root:
            seen = look(root, path, self.ledger.blobs.keep)
        return seen.state if seen else None

    def reveal(self, place: Place) -> None:
        """Folders that could not be looked into can be again: take in what the model has changed there."""
        known = self._known()
        self._tree = self._now(known)
        if changes := differences(known, self._tree):
            self.ledger.add(*place, "tree", changes)

    def _begin_tree(self) -> None:
        if self._tree is None:
            self._tree = scan(self.folder, self.ledger.tree_of_folder(), self.ledger.blobs.keep)
        if not self._is_saved:
            self.ledger.needs(seen.state.what for seen in self._tree.values() if seen.state.kind == "file")
            self.ledger.save_tree(self._tree)
            self._is_saved = True

    def _after_files(self, held: Held, befores: dict[str, State | None]) -> tuple[Change, ...]:
        changes = []
        with opened(self.folder) as root:
            for path, before in befores.items():
                seen = look(root, path, self.ledger.blobs.keep)
                self._note(path, seen)
                if (after := seen.state if seen else None) != before:
                    changes.append(Change(path, before, after))
        self.ledger.close(held.number, changes)
        return tuple(changes)

    def _after_command(self, held: Held) -> tuple[Change, ...]:
        self._running -= 1
        if not self._worked_behind:
            self._place_behind = held.place
        self._worked_behind = self._works_behind()
        known = self._known()
        new = self._now(known)
        changes = differences(known, new)
        others = self.ledger.files_of_others(held.number) if changes else set()
        mine = [change for change in changes if (change.path, change.after) not in others]
        self.ledger.close(held.number, mine)
        if len(mine) < len(changes):
            self.ledger.add(*held.place, "other", [change for change in changes if change not in mine])
        self._tree = new
        return tuple(mine)

    def _note(self, path: str, seen: Seen | None) -> None:
        """A tool has changed a file: that is known from now on."""
        if self._tree is not None and not is_inside_left_out(self._tree, path):
            if seen is None:
                self._tree.pop(path, None)
            else:
                self._tree[path] = seen

    def _with_missing_folders(self, paths: Sequence[str]) -> list[str]:
        found = dict.fromkeys(paths)
        for path in paths:
            parent = path.rpartition("/")[0]
            while parent and not (self.folder / parent).exists():
                found[parent] = None
                parent = parent.rpartition("/")[0]
        return list(found)

    def _recover(self) -> None:
        """Find out what was changed by what was cut off when the program was killed."""
        if self._has_recovered:
            return
        self._has_recovered = True
        cut = [entry for entry in self.ledger.entries(only_open=True) if entry.is_of_model]
        for entry in cut:
            if entry.kind == "files":
                found = [Change(path, before, self.look(path)) for path, before, _ in entry.changes]
                self.ledger.close(entry.number, [change for change in found if change.before != change.after])
        if trees := [entry for entry in cut if entry.kind == "tree"]:
            changes = self._changes_since_saved()
            for entry in trees[:-1]:
                self.ledger.close(entry.number, ())
            self.ledger.close(trees[-1].number, changes)

    def _changes_since_saved(self) -> list[Change]:
        known = self._known()
        return differences(known, self._now(known))

    def _now(self, known: Tree) -> Tree:
        """The tree as it is; where a command has made too much of it, that of it which was known before."""
        if not self.has_outgrown:
            try:
                return scan(self.folder, known, self.ledger.blobs.keep)
            except TooLarge as error:
                self.limit, self.has_outgrown = str(error), True
        new = dict(known)
        for path, _, after in changes_of_known(self.folder, known, self.ledger.blobs.keep):
            if after is None:
                del new[path]
            else:
                new[path] = Seen(None, after)
        return new

    def _known(self) -> Tree:
        """The tree as it was last: when it was looked at, or else when all that is stored had happened."""
        if self._tree is not None:
            return self._tree
        number, tree = self.ledger.load_tree()
        for entry in self.ledger.entries():
            if entry.number > number and entry.kind != "undo" and not entry.is_open:
                for path, _, after in entry.changes:
                    if after is None:
                        tree.pop(path, None)
                    elif not is_inside_left_out(tree, path):
                        tree[path] = Seen(None, after)
        return tree
