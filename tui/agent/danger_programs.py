"""What is dangerous about the words of single programs. `dangers` finds the programs in a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import takewhile

from tui.agent.command_words import Word, names
from tui.agent.danger_git import why_dangerous_git
from tui.agent.danger_places import Places
from tui.agent.danger_words import (
    ACTS,
    BY_NAME,
    BY_WORDS,
    DELETERS,
    DISK,
    ENDS,
    LAST_ONLY,
    OPENS,
    OUTSIDE,
    PUBLISHES,
    REMOTE,
    WHOLE,
    WRITES_TO,
    has,
    operands,
    short,
    split,
    subcommands,
    values,
)

_FINDS_ALL = names("-H -L -P -depth -mindepth -mount -noleaf -print -print0 -type -xdev 0 1 f d f,d")
"""Words of `find` that leave nothing out by its name, its age or the like."""
_REMOVE = names("rm shred unlink")
_SED_WRITES = re.compile(
    r"(?:(?:^|[;{\n])\s*(?:(?:[0-9]+|\$|/(?:\\.|[^/\\])*/)\s*[,!]?\s*){0,2}"
    r"|s([^\w\s])(?:\\.|(?!\1)[^\\])*\1(?:\\.|(?!\1)[^\\])*\1[gpIiMm0-9]*)[wW]\s+(?P<file>[^\n]+)"
)
"""The commands and the flag by which a script of `sed` writes a file."""


def why_dangerous_program(name: str, words: Sequence[Word], places: Places) -> str | None:
    """Why a program is always asked about with these words after its name; None when nothing was found."""
    texts = [word.text for word in words]
    if name.startswith("mkfs"):
        return DISK
    if name in BY_NAME:
        return BY_NAME[name]
    if why := next((BY_WORDS[key] for key in (f"{name} {sub}" for sub in subcommands(texts)) if key in BY_WORDS), None):
        return why
    if name in DELETERS:
        return _files(name, words, places)
    if name in WRITES_TO and places.are_outside(values(words, *WRITES_TO[name])):
        return f"writes {OUTSIDE}"
    check = _CHECKS.get(name)
    return check(words, places) if check else None


def starts(words: Sequence[Word]) -> list[Word]:
    """Where `find` begins."""
    rest = list(words)
    while rest and rest[0].text in ("-H", "-L", "-P"):
        rest.pop(0)
    end = next((n for n, word in enumerate(rest) if word.text.startswith(("-", "(", "!"))), len(rest))
    return rest[:end] or [Word(".")]


def found(words: Sequence[Word], places: Places) -> Word | None:
    """What stands for the files that `find` finds: a place outside, or the whole folder; None: neither."""
    begins = starts(words)
    if outside := next(filter(places.is_outside, begins), None):
        return outside
    tests = takewhile(lambda text: not ACTS.fullmatch(text), [word.text for word in words if word not in begins])
    finds_all = all(text in _FINDS_ALL for text in tests) and any(map(places.is_whole, begins))
    return Word(".") if finds_all else None


def _files(name: str, words: Sequence[Word], places: Places) -> str | None:
    options, files = split(words)
    if name in LAST_ONLY:
        files = values(words, "t", "--target-directory") or files[-1:]
    is_deep = name == "rm" and any(re.fullmatch(r"-\w*[rR]\w*|--recursive", word) for word in options)
    if is_deep and any(word.is_open for word in files):
        return "deletes what its words do not tell"
    if places.are_outside(files):
        return f"{DELETERS[name]} {OUTSIDE}"
    # Without `-r`, `*` is the files of one folder; the folder itself stands for all that `find` finds in it.
    told = [word for word in files if not word.is_open and (is_deep or not word.text.endswith("*"))]
    if name in _REMOVE and any(map(places.is_whole, told)):
        return WHOLE
    return None


def _chmod(words: Sequence[Word], places: Places) -> str | None:
    options, rest = split(words)
    if rest and has(options, "R", "--recursive") and any(map(OPENS.fullmatch, rest[0].text.split(","))):
        return "lets everybody change files"
    return f"changes {OUTSIDE}" if places.are_outside(rest[1:]) else None


def _dd(words: Sequence[Word], places: Places) -> str | None:
    targets = [Word(w.text[3:], w.is_exact, w.is_open) for w in words if w.text.startswith("of=")]
    return f"writes {OUTSIDE}" if places.are_outside(targets) else None


def _find(words: Sequence[Word], places: Places) -> str | None:
    if not any(word.text == "-delete" for word in words) or (files := found(words, places)) is None:
        return None
    return f"deletes {OUTSIDE}" if places.is_outside(files) else WHOLE


def _tar(words: Sequence[Word], places: Places) -> str | None:
    bundle = words[0].text if words and not words[0].text.startswith("-") else ""
    letters = bundle + "".join(word.text[1:] for word in words if re.fullmatch(r"-\w+", word.text))
    valued = dict(zip((letter for letter in bundle if letter in "bCfFgHIKLNTVX"), words[1:], strict=False))
    options = [word.text for word in words if word.text.startswith("--")]
    if "x" in letters or any(short(word, long, 5) for word in options for long in ("--extract", "--get")):
        if "P" in letters or "--absolute-names" in options:
            return "overwrites what its words do not tell"
        targets = values(words, "C", "--directory") + [word for key, word in valued.items() if key == "C"]
        return f"overwrites {OUTSIDE}" if places.are_outside(targets) else None
    if set("cru") & set(letters) or {"--create", "--append", "--update"} & set(options):
        archives = values(words, "f", "--file") + [word for key, word in valued.items() if key == "f"]
        return f"writes {OUTSIDE}" if places.are_outside(archives) else None
    return None


def _sed(words: Sequence[Word], places: Places) -> str | None:
    scripts = values(words, "e", "--expression") or operands(words, "f", "--file")[:1]
    written = [Word(match["file"]) for script in scripts for match in _SED_WRITES.finditer(script.text)]
    if places.are_outside(written):
        return f"writes {OUTSIDE}"
    if not any(re.fullmatch(r"-[nErsuz]*i.*|--i[a-z-]*(=.*)?", word.text) for word in words):
        return None
    return _in_place(words, places, "ef", "--expression --file")


def _perl(words: Sequence[Word], places: Places) -> str | None:
    if not any(re.fullmatch(r"-[acnplsStTuUwW0-9]*i.*", word.text) for word in words):
        return None
    return _in_place(words, places, "eE", "")


def _in_place(words: Sequence[Word], places: Places, letters: str, longs: str) -> str | None:
    """Files that are changed where they are, after a script that is a word of its own or the value of an option."""
    files = operands(words, letters, longs)[0 if values(words, letters, longs) else 1 :]
    return f"overwrites {OUTSIDE}" if places.are_outside(files) else None


def _awk(words: Sequence[Word], places: Places) -> str | None:
    if not any(re.fullmatch(r"(-i|--include=)?inplace(\.awk)?", word.text) for word in words):
        return None
    files = operands(words, "eFfiv", "--assign --field-separator --file --include --source")
    files = files[0 if values(words, "ef", "--file --source") else 1 :]
    return f"overwrites {OUTSIDE}" if places.are_outside(files) else None


def _split(words: Sequence[Word], places: Places) -> str | None:
    """The second word is what the names of its files begin with."""
    files = operands([Word("x") if word.text == "-" else word for word in words], "abClnt")
    return f"writes {OUTSIDE}" if places.are_outside(files[1:]) else None


def _docker(words: Sequence[Word], places: Places) -> str | None:
    texts = [word.text for word in words]
    if {"bake", "build"} & set(texts[:3]) and any(text == "--push" or "type=registry" in text for text in texts):
        return PUBLISHES
    if not {"run", "create", "exec"} & set(texts[:3]):
        return None
    for word, following in zip(texts, [*texts[1:], ""], strict=True):
        if word.startswith(("--privileged", "--cap-add", "--device", "--pid=host", "--security-opt")):
            return "gives a container rights over the machine"
        mount = re.fullmatch(r"(?:--volume|--mount|-[dit]*v)=?(.*)", word)
        if mount and re.match(r"(.*\b(source|src)=)?(/|~|\.\.|\$)", mount[1] or following):
            return "gives a container folders of the machine"
    return None


def _kill(words: Sequence[Word], places: Places) -> str | None:
    texts = [word.text for word in words]
    return ENDS if "-1" in texts[1:] or texts == ["-1"] else None


def _kill_by_name(words: Sequence[Word], places: Places) -> str | None:
    """Of a user all, or by a pattern that all names have."""
    rest = [word for word in words if not re.fullmatch(r"-(SIG)?[A-Z]{2,}[0-9]*", word.text)]
    patterns = operands(rest, "uUgGPst", "--euid --uid --user --pgroup --group --parent --terminal --signal")
    if not patterns:
        by_user = values(rest, "uU", "--euid --uid --user") or any(re.match(r"-[uU]\w", word.text) for word in rest)
        return ENDS if by_user else None
    return ENDS if any(word.text in ("", ".", ".*", "^") for word in patterns) else None


def _rsync(words: Sequence[Word], places: Places) -> str | None:
    _, files = split(words)
    if any(re.match(r"[\w.@-]+:", word.text) or "://" in word.text for word in files):
        return REMOTE
    return f"overwrites {OUTSIDE}" if files and places.is_outside(files[-1]) else None


def _mimo(words: Sequence[Word], places: Places) -> str | None:
    only_tells = bool(words) and {word.text for word in words} <= {"--version", "--help", "doctor"}
    return None if only_tells else "starts this program"


_CHECKS: dict[str, Callable[[Sequence[Word], Places], str | None]] = {
    "awk": _awk,
    "gawk": _awk,
    "git": why_dangerous_git,
    "chmod": _chmod,
    "dd": _dd,
    "split": _split,
    "find": _find,
    "tar": _tar,
    "gtar": _tar,
    "bsdtar": _tar,
    "sed": _sed,
    "gsed": _sed,
    "perl": _perl,
    "ruby": _perl,
    "docker": _docker,
    "podman": _docker,
    "kill": _kill,
    "pkill": _kill_by_name,
    "killall": _kill_by_name,
    "rsync": _rsync,
    "mimo-tui": _mimo,
}
