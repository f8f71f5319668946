"""Where the parts of a command work, and whether its words lead out of the folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tui.agent.command_words import Joint, Word
from tui.agent.danger_words import MOVES, NOWHERE, split
from tui.tools.paths import locate

_MOST_PLACES = 16


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a command works: its folder, and what may be written beside it."""

    folder: Path
    scratch: tuple[str, ...] = ()
    """Folders that are the command's own, and gone when it has ended."""


class Places:
    """Where a relative path may begin, while `cd` leads on."""

    def __init__(self, ground: Ground, start: Iterable[Path] | None) -> None:
        self.ground = ground
        self.now: frozenset[Path] | None = None if start is None else frozenset(start)
        """None: anywhere."""
        self._stopped: frozenset[Path] = frozenset()
        """Where the list of `&&` may have ended before its last command."""
        self._been = self.now or frozenset()

    @property
    def ever(self) -> Places:
        """All places so far, for what runs at any time (`trap`)."""
        return Places(self.ground, None if self.now is None else self._been)

    def begin(self, joint: Joint) -> None:
        """Go on to a command that stands so to the one before it."""
        if self.now is not None and joint != "&&":
            self.now |= self._stopped
        if joint == ";":
            self._stopped = frozenset()

    def follow(self, name: str, words: Sequence[Word], joint: Joint) -> None:
        """Go where a command leads those after it."""
        if self.now is None:
            return
        if name not in MOVES:
            self._stopped |= self.now
            return
        before, self.now = self.now, self._been if name == "popd" else self._led(name, words)
        if self.now is None:
            return
        if not joint:
            self.now |= before
        elif name != "cd" or not all(map(os.path.isdir, self.now)):  # it may fail, and what is after `;` stay there
            self._stopped |= before
        self._been |= self.now
        if len(self.now | self._stopped) > _MOST_PLACES:
            self.now = None

    def within(self, word: Word) -> Places:
        """Those of a program that is told to work in another folder (`env -C`)."""
        return Places(self.ground, self._led("cd", [word]))

    def _led(self, name: str, words: Sequence[Word]) -> frozenset[Path] | None:
        options, places = split(words)
        if name == "pushd" and not options and (not places or places[0].text.startswith("+")):
            return self._been
        if self.now is None or options or len(places) != 1 or places[0].is_open:
            return None
        text = places[0].text
        if text.startswith(("~", "-")):
            return None
        # Of a link both what it leads to, and where the shell believes to be: `..` goes back from there.
        shown = {Path(os.path.normpath(place / text)) for place in self.now}
        return frozenset(shown | {locate(place, text).path for place in self.now})

    def _paths(self, word: Word) -> list[Path] | None:
        """Where a word may lead; None: anywhere."""
        if word.text.startswith("~"):
            return None
        if word.text.startswith("/"):
            return [locate(self.ground.folder, word.text).path]
        if self.now is None:
            return None
        return [locate(place, word.text).path for place in self.now]

    def are_outside(self, words: Iterable[Word]) -> bool:
        return any(map(self.is_outside, words))

    def is_outside(self, word: Word) -> bool:
        """Whether it leads out of the folder. What cannot be told (`$X`) is not counted, a path before it is."""
        if word.is_open:
            return word.text.startswith(("~", "/", "..", "$HOME", "${HOME"))
        if not word.is_exact and _may_be_git(word.text):
            return True
        paths = self._paths(word)
        if paths is None:
            return True
        return not NOWHERE.fullmatch(word.text) and not all(self._is_ours(path) for path in paths)

    def _is_ours(self, path: Path) -> bool:
        place = locate(self.ground.folder, str(path))
        if place.inside:
            return not place.protected and not self._is_gits(place.path)
        return any(str(path).startswith(f"{scratch}/") for scratch in self.ground.scratch)

    def _is_gits(self, path: Path) -> bool:
        """Whether it lies in a `.git`, of which nothing is kept to take it back. A lock of git's own may go."""
        names = path.relative_to(locate(self.ground.folder, ".").path).parts
        return ".git" in map(str.casefold, names) and path.suffix != ".lock"

    def is_whole(self, word: Word) -> bool:
        """Whether it is the folder itself, or all that is in it."""
        root = locate(self.ground.folder, ".").path
        return word.text.removesuffix("/") in ("*", "./*") or root in (self._paths(word) or ())


def _may_be_git(pattern: str) -> bool:
    """Whether a pattern for hidden files (`.*`, `.??*`) has `.git` among them."""
    name = pattern.removeprefix("./").removesuffix("/").replace("[^", "[!")
    return name.startswith(".") and name != "." and fnmatchcase(".git", name)
