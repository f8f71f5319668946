"""Commands that are asked about in every policy and whatever the rules say. A net for what is common, not a wall.

What holds a command back is the sandbox; this is for what a sandbox allows and nobody can undo, and for where there is
none. What only hides its words (`$(echo rm)`) is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tui.agent.command_words import Parsed, Simple, Word, parse
from tui.agent.danger_words import (
    ACTS,
    BY_NAME,
    BY_WORDS,
    DELETERS,
    DISK,
    FETCHES,
    GIT_READERS,
    INTERPRETERS,
    LAST_ONLY,
    NOWHERE,
    OPENS,
    OUTSIDE,
    READERS,
    REMOTE,
    SHELLS,
    WORDS_OF_TEXT,
    WRAPPERS,
    has,
    push,
    short,
    split,
)
from tui.settings.paths import cache_dir, config_dir, data_dir, state_dir
from tui.tools.paths import locate

_DEEPEST = 4
_MOST_PLACES = 16


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a command works: its folder, and what may be written beside it."""

    folder: Path
    scratch: tuple[str, ...] = ()
    """Folders that are the command's own, and gone when it has ended."""


def why_dangerous(command: str, ground: Ground, depth: int = 0) -> str | None:
    """Why it is always asked about, as words after "it"; None when nothing was found. Blocking: looks at links."""
    parsed = parse(command) if depth < _DEEPEST else None
    if own := _own_files(command, only_reads=parsed is not None and _only_reads(parsed)):
        return own
    if parsed is None:
        found = WORDS_OF_TEXT.search(command)
        return f"cannot be read, and has `{' '.join(found[0].split())[:40]}` in it" if found else None
    return _Look(command, parsed, ground, depth).at_all()


def _own_files(command: str, *, only_reads: bool) -> str | None:
    home = str(Path.home())
    for place in (config_dir(), data_dir(), state_dir(), cache_dir()):
        shown = str(place)
        if shown in command or shown.replace(home, "~", 1) in command or shown.replace(home, "$HOME", 1) in command:
            return "names the program's own files"
    if re.search(r"\bapprovals\.toml", command, re.IGNORECASE):
        return "names the program's own settings"
    if not only_reads and re.search(r"(?<![\w.-])\.mimo(?![\w.-])", command, re.IGNORECASE):
        return "names the program's own settings"
    return None


def _only_reads(parsed: Parsed) -> bool:
    """Whether all its commands are known to write nothing, wherever their words lead."""
    return all(map(_reads, parsed.commands)) and all(NOWHERE.fullmatch(word.text) for word in parsed.written)


def _reads(simple: Simple) -> bool:
    name, *texts = [word.text for word in simple.words] or [""]
    if any(word.is_open for word in simple.words) or any(map(ACTS.fullmatch, texts)):
        return False
    if not simple.text.startswith(name):  # assignments before it, which may make another program of it
        return False
    return name in READERS or name == "find" or (name == "git" and bool(texts) and texts[0] in GIT_READERS)


class _Look:
    """At one parsed command, in which `cd` may have led to several places."""

    def __init__(self, command: str, parsed: Parsed, ground: Ground, depth: int) -> None:
        self._command, self._parsed, self._ground, self._depth = command, parsed, ground, depth
        self._places: set[Path] | None = {ground.folder}
        """Where a relative path may begin; None: anywhere."""

    def at_all(self) -> str | None:
        if re.search(r":\s*\(\)\s*\{", self._command):
            return "starts ever more of itself"
        if fetched := self._runs_what_it_fetched():
            return fetched
        for simple in self._parsed.commands:
            if why := self._at_simple(simple):
                return why
        if any(self._is_outside(word) for word in self._parsed.written):
            return f"writes {OUTSIDE}"
        return None

    def _runs_what_it_fetched(self) -> str | None:
        named = [(_name(simple), simple) for simple in self._parsed.commands]
        pipelines = {simple.pipeline for name, simple in named if name in FETCHES} - {None}
        if not any(name in FETCHES for name, _ in named):
            return None
        for name, simple in named:
            reads_program = name in INTERPRETERS and all(word.text == "-" for word in simple.words[1:])
            if name in SHELLS | {"eval", "source", "."} or (reads_program and simple.pipeline in pipelines):
                return "runs what it fetches from the network"
            if simple.pipeline in pipelines and name in WRAPPERS and {w.text for w in simple.words} & SHELLS:
                return "runs what it fetches from the network"
        return None

    def _at_simple(self, simple: Simple) -> str | None:
        words = simple.words
        while words and "=" in words[0].text:  # `env A=1 rm`
            words = words[1:]
        if not words:
            return None
        name = _name_of(words[0])
        if words[0].is_open:
            return self._in_text("hides what it runs")
        if name == "cd":
            self._move(words[1:])
        elif name in SHELLS or name == "eval":
            return self._at_program(name, words[1:])
        elif name in WRAPPERS:
            words_given = (*words, Word("", False, True)) if name in ("xargs", "parallel") else words
            inner = (self._at_words(words_given[n:]) for n in range(1, len(words_given)))
            return self._at_words(words) or next((why for why in inner if why), None)
        elif name.startswith("python") and (module := _after(words, "-m")):
            return self._at_words(module)
        return self._at_words(words)

    def _at_program(self, name: str, words: Sequence[Word]) -> str | None:
        """A program that a shell is given as a word."""
        texts = [word.text for word in words]
        if name == "eval":
            return why_dangerous(" ".join(texts), self._ground, self._depth + 1)
        for n, text in enumerate(texts):
            if re.fullmatch(r"-[a-z]*c[a-z]*", text) and n + 1 < len(texts):
                return why_dangerous(texts[n + 1], self._ground, self._depth + 1)
        return self._in_text("gives a shell what to run")

    def _in_text(self, what: str) -> str | None:
        """Whether there are dangerous words anywhere, where nothing better is known."""
        found = WORDS_OF_TEXT.search(self._command)
        return f"{what}, and has `{' '.join(found[0].split())[:40]}` in it" if found else None

    def _at_words(self, words: Sequence[Word]) -> str | None:
        name, texts = _name_of(words[0]), [word.text for word in words[1:]]
        if name.startswith("mkfs"):
            return DISK
        if why := BY_NAME.get(name) or BY_WORDS.get(f"{name} {texts[0]}" if texts else ""):
            return why
        if name in DELETERS:
            return self._at_files(name, words[1:])
        if check := _CHECKS.get(name):
            return check(self, words[1:])
        return None

    def _at_files(self, name: str, words: Sequence[Word]) -> str | None:
        options, files = split(words)
        if name in LAST_ONLY:
            target = _value(words, "-t", "--target-directory")
            files = [target] if target else files[-1:]
        is_deep = name == "rm" and any(re.fullmatch(r"-\w*[rR]\w*|--recursive", word) for word in options)
        if is_deep and any(word.is_open for word in files):
            return "deletes what its words do not tell"
        if any(self._is_outside(word) for word in files):
            return f"{DELETERS[name]} {OUTSIDE}"
        if is_deep and any(self._is_whole(word) for word in files):
            return "deletes the whole folder"
        return None

    # Places

    def _move(self, words: Sequence[Word]) -> None:
        options, places = split(words)
        if self._places is None:
            return
        if options or len(places) != 1 or places[0].is_open or places[0].text.startswith(("~", "-")):
            self._places = None
            return
        self._places |= {locate(place, places[0].text).path for place in self._places}
        if len(self._places) > _MOST_PLACES:
            self._places = None

    def _paths(self, word: Word) -> list[Path] | None:
        """Where a word may lead; None: anywhere."""
        if word.text.startswith("~"):
            return None
        if word.text.startswith("/"):
            return [locate(self._ground.folder, word.text).path]
        if self._places is None:
            return None
        return [locate(place, word.text).path for place in self._places]

    def _is_outside(self, word: Word) -> bool:
        """Whether it leads out of the folder. What cannot be told (`$X`) is not counted, a path before it is."""
        if word.is_open:
            return word.text.startswith(("~", "/", "..", "$HOME", "${HOME"))
        paths = self._paths(word)
        if paths is None:
            return True
        return not NOWHERE.fullmatch(word.text) and not all(self._is_ours(path) for path in paths)

    def _is_ours(self, path: Path) -> bool:
        place = locate(self._ground.folder, str(path))
        if place.inside:
            return not place.protected
        return any(str(path).startswith(f"{scratch}/") for scratch in self._ground.scratch)

    def _is_whole(self, word: Word) -> bool:
        root = locate(self._ground.folder, ".").path
        return word.text.removesuffix("/") in ("*", "./*") or root in (self._paths(word) or ())

    # Programs

    def _git(self, words: Sequence[Word]) -> str | None:
        texts = [word.text for word in words]
        while texts and texts[0].startswith("-"):
            texts = texts[2:] if texts[0] in ("-C", "-c", "--git-dir", "--work-tree", "--namespace") else texts[1:]
        command, rest = (texts[0], texts[1:]) if texts else ("", [])
        if command == "push":
            return push(rest)
        if command in ("filter-branch", "filter-repo") or (command, *rest[:1]) == ("reflog", "expire"):
            return "rewrites the history"
        if command == "reset" and any(short(word, "--hard", 4) for word in rest):
            return "throws away changes that are not committed"
        if command == "clean" and has(rest, "f", "--force"):
            return "deletes files that git does not know"
        if command == "config" and any(short(word, long, 4) for word in rest for long in ("--global", "--system")):
            return "changes git's settings for all projects"
        return None

    def _chmod(self, words: Sequence[Word]) -> str | None:
        options, rest = split(words)
        if rest and has(options, "R", "--recursive") and any(map(OPENS.fullmatch, rest[0].text.split(","))):
            return "lets everybody change files"
        return f"changes {OUTSIDE}" if any(self._is_outside(word) for word in rest[1:]) else None

    def _dd(self, words: Sequence[Word]) -> str | None:
        targets = [Word(w.text[3:], w.is_exact, w.is_open) for w in words if w.text.startswith("of=")]
        return f"writes {OUTSIDE}" if any(self._is_outside(word) for word in targets) else None

    def _find(self, words: Sequence[Word]) -> str | None:
        if not any(word.text == "-delete" for word in words):
            return None
        starts = []
        for word in words:
            if word.text.startswith(("-", "(", "!")):
                break
            starts.append(word)
        return f"deletes {OUTSIDE}" if any(self._is_outside(word) for word in starts) else None

    def _docker(self, words: Sequence[Word]) -> str | None:
        texts = [word.text for word in words]
        if not {"run", "create", "exec"} & set(texts[:3]):
            return None
        for word, following in zip(texts, [*texts[1:], ""], strict=True):
            if word.startswith(("--privileged", "--cap-add", "--device", "--pid=host", "--security-opt")):
                return "gives a container rights over the machine"
            value = word.partition("=")[2] if "=" in word else following
            is_mount = word.startswith(("-v", "--volume", "--mount"))
            if is_mount and re.match(r"(.*\b(source|src)=)?(/|~|\.\.|\$)", value or word[2:]):
                return "gives a container folders of the machine"
        return None

    def _kill(self, words: Sequence[Word]) -> str | None:
        texts = [word.text for word in words]
        if "-1" in texts[1:] or (texts[:1] == ["-1"] and len(texts) == 1):
            return "ends all of your programs"
        return None

    def _rsync(self, words: Sequence[Word]) -> str | None:
        _, files = split(words)
        if any(re.match(r"[\w.@-]+:", word.text) or "://" in word.text for word in files):
            return REMOTE
        return f"overwrites {OUTSIDE}" if files and self._is_outside(files[-1]) else None

    def _mimo(self, words: Sequence[Word]) -> str | None:
        return None if {word.text for word in words} <= {"--version", "--help", "doctor"} else "starts this program"


_CHECKS: dict[str, Callable[[_Look, Sequence[Word]], str | None]] = {
    "git": _Look._git,
    "chmod": _Look._chmod,
    "dd": _Look._dd,
    "find": _Look._find,
    "docker": _Look._docker,
    "podman": _Look._docker,
    "kill": _Look._kill,
    "rsync": _Look._rsync,
    "mimo-tui": _Look._mimo,
}


def _value(words: Sequence[Word], letter: str, long: str) -> Word | None:
    for n, word in enumerate(words):
        if word.text in (letter, long) and n + 1 < len(words):
            return words[n + 1]
        if word.text.startswith(f"{long}="):
            return Word(word.text.partition("=")[2], word.is_exact, word.is_open)
    return None


def _after(words: Sequence[Word], option: str) -> Sequence[Word]:
    texts = [word.text for word in words]
    return words[texts.index(option) + 1 :] if option in texts else ()


def _name(simple: Simple) -> str:
    return _name_of(simple.words[0]) if simple.words else ""


def _name_of(word: Word) -> str:
    return PurePosixPath(word.text).name
