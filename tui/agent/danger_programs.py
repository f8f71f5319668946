"""What is dangerous about the words of single programs. `dangers` finds the programs in a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tui.agent.command_words import Word
from tui.agent.danger_places import Places
from tui.agent.danger_words import (
    BY_NAME,
    BY_WORDS,
    DELETERS,
    DISK,
    ENDS,
    GIT_LOOKS,
    KEPT,
    LAST_ONLY,
    LOST,
    OPENS,
    OUTSIDE,
    REMOTE,
    WRITES_TO,
    has,
    operands,
    push,
    short,
    split,
    subcommands,
    values,
)


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


def _files(name: str, words: Sequence[Word], places: Places) -> str | None:
    options, files = split(words)
    if name in LAST_ONLY:
        files = values(words, "t", "--target-directory") or files[-1:]
    is_deep = name == "rm" and any(re.fullmatch(r"-\w*[rR]\w*|--recursive", word) for word in options)
    if is_deep and any(word.is_open for word in files):
        return "deletes what its words do not tell"
    if places.are_outside(files):
        return f"{DELETERS[name]} {OUTSIDE}"
    if is_deep and any(places.is_whole(word) for word in files):
        return "deletes the whole folder"
    return None


def _git(words: Sequence[Word], places: Places) -> str | None:
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        at += 2 if words[at].text in ("-C", "-c", "--git-dir", "--work-tree", "--namespace") else 1
    before, after = words[:at], words[at + 1 :]
    command, rest = (words[at].text, [word.text for word in after]) if at < len(words) else ("", [])
    if why := _git_command(command, rest):
        return why
    elsewhere = places.are_outside(values(before, "C", "--git-dir --work-tree"))
    if elsewhere and command not in GIT_LOOKS:
        return f"changes {OUTSIDE}"
    if command == "config" and not any(word.startswith(("--get", "--list", "-l")) for word in rest):
        return f"writes {OUTSIDE}" if places.are_outside(values(after, "f", "--file")) else None
    return None


def _git_command(command: str, rest: Sequence[str]) -> str | None:
    if command == "push":
        return push(rest)
    if command in ("filter-branch", "filter-repo") or (command == "reflog" and {"expire", "delete"} & set(rest[:1])):
        return "rewrites the history"
    if command == "reset" and any(short(word, "--hard", 4) for word in rest):
        return LOST
    if command == "stash" and {"clear", "drop"} & set(rest[:1]):
        return LOST
    if command == "clean" and has(rest, "f", "--force"):
        return "deletes files that git does not know"
    if command == "config" and any(short(word, long, 4) for word in rest for long in ("--global", "--system")):
        return "changes git's settings for all projects"
    if command == "prune" and not has(rest, "n", "--dry-run"):
        return KEPT
    if command == "gc" and any(word.startswith("--pr") for word in rest):
        return KEPT
    if command == "update-ref" and has(rest, "d", "--delete"):
        return KEPT
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
    is_deleted = any(word.text == "-delete" for word in words)
    return f"deletes {OUTSIDE}" if is_deleted and places.are_outside(starts(words)) else None


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


def _docker(words: Sequence[Word], places: Places) -> str | None:
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
    return None if {word.text for word in words} <= {"--version", "--help", "doctor"} else "starts this program"


_CHECKS: dict[str, Callable[[Sequence[Word], Places], str | None]] = {
    "git": _git,
    "chmod": _chmod,
    "dd": _dd,
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
