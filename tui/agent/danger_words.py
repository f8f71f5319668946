"""The words by which dangerous commands are known, and how options are read. `dangers` judges by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tui.agent.command_words import Word, names

SHELLS = names("ash bash csh dash fish ksh mksh sh tcsh zsh")
TEXT_RUNNERS = SHELLS | {"eval", "trap"}
INTERPRETERS = names("lua node perl php python python2 python3 ruby")
FETCHES = names("aria2c curl fetch wget")
FETCH = re.compile(rf"[`(|;&\s](?:\S*/)?(?:{'|'.join(sorted(FETCHES))})\s")
WRAPPERS = names(
    "busybox builtin caffeinate chrt command coproc entr env exec fakeroot find flock hyperfine ionice ltrace nice"
    " nohup parallel rlwrap script setarch setsid stdbuf strace systemd-run taskset time timeout toybox unbuffer"
    " unshare valgrind watch xargs"
)
TAKES_TEXT = names("entr flock hyperfine parallel script watch")
"""Those of them that also take a whole command as one word."""
LISTS = names("echo fd fdfind ls locate printf readlink realpath tree")
"""Beside `find`, what tells `xargs` names by its own words."""
MOVES = names("cd popd pushd")
NOWHERE = re.compile(r"/dev/(null|std(in|out|err)|tty|fd/\d+|zero)|\d|-")
WORDS_OF_TEXT = re.compile(
    r"(?<![\w./-])(?:/\S*/)?(rm\s+-|sudo|doas|su\s|pkexec|run0|mkfs|dd\s|shred|ssh\s|scp\s|crontab|shutdown|reboot|wipefs"
    r"|chmod\s+-R|kill\s.*-1\b|git\s.*push\s.*(-f|--force|--delete)|git\s.*(clean|reset --hard|filter-branch)"
    r"|git\s.*stash\s+(clear|drop)"
    r"|(twine upload|(npm|cargo|yarn|pnpm|poetry|uv) publish)|docker run)"
    r"|(curl|wget)\b[^\n]*\|\s*\w*sh\b|:\(\)\s*\{"
)
OPENS = re.compile(r"[0-7]?[0-7]{2}[2367]|[ugoa]*[oa][ugoa]*[+=]\w*w\w*")
"""A mode by which everybody can write."""
OUTSIDE = "outside the folder, or in it what is read-only or git's"
ADMIN = "works with the rights of another user"
DISK = "works on whole disks or file systems"
LATER = "makes something run later, outside of the sandbox"
POWER = "stops the machine"
REMOTE = "works on another machine"
PUBLISHES = "publishes a package"
ENDS = "ends all of your programs"
LOST = "throws away changes that are not committed"
WHOLE = "deletes the whole folder"
KEPT = "deletes commits that nothing else keeps"
BY_NAME = {
    **dict.fromkeys(names("sudo sudoedit su doas pkexec run0 runuser"), ADMIN),
    **dict.fromkeys(names("mkswap fdisk sfdisk parted wipefs mount umount losetup cryptsetup lvremove"), DISK),
    **dict.fromkeys(names("crontab at batch systemd-run launchctl"), LATER),
    **dict.fromkeys(names("shutdown reboot halt poweroff telinit"), POWER),
    **dict.fromkeys(names("ssh scp sftp mosh slogin telnet rsh rlogin"), REMOTE),
    "killall5": ENDS,
}
BY_WORDS = {
    # a program and its subcommand
    **dict.fromkeys(("npm publish", "pnpm publish", "yarn publish", "cargo publish", "poetry publish"), PUBLISHES),
    **dict.fromkeys(("twine upload", "uv publish", "flit publish", "hatch publish", "gem push"), PUBLISHES),
    **dict.fromkeys(("npm unpublish", "cargo yank", "docker push", "podman push", "pdm publish"), PUBLISHES),
    **dict.fromkeys(("docker image push", "docker compose push", "yarn npm publish", "bun publish"), PUBLISHES),
    **dict.fromkeys(("systemctl reboot", "systemctl poweroff", "systemctl halt", "systemctl kexec"), POWER),
    **dict.fromkeys(("systemctl soft-reboot", "systemctl rescue", "systemctl emergency"), POWER),
    **dict.fromkeys(("loginctl reboot", "loginctl poweroff", "loginctl halt"), POWER),
    **dict.fromkeys(("init 0", "init 1", "init 6", "init s", "init S"), POWER),
    **dict.fromkeys(("loginctl terminate-user", "loginctl kill-user", "loginctl terminate-session"), ENDS),
}
WRITES_TO = {
    # program: the letters and the names of the options by which it is told where to write
    **dict.fromkeys(("gmake", "make", "ninja"), ("C", "--directory")),
    **dict.fromkeys(("pandoc", "sort"), ("o", "--output")),
    "7z": ("o", ""),
    "csplit": ("f", "--prefix"),
    "curl": ("ocD", "--output --output-dir --cookie-jar --dump-header --trace --trace-ascii --stderr"),
    "patch": ("do", "--directory --output"),
    "unzip": ("d", ""),
    "wget": ("OPao", "--output-document --directory-prefix --append-output --output-file"),
}

DELETERS = {
    **dict.fromkeys(("rm", "rmdir", "unlink", "shred"), "deletes"),
    **dict.fromkeys(("mv", "cp", "install", "ln", "tee", "truncate"), "overwrites"),
    **dict.fromkeys(("chown", "chgrp", "setfacl"), "changes"),
}
READERS = names(
    "basename cat cmp cut diff dirname du echo egrep fgrep file grep head jq ls md5sum pwd readlink realpath"
)
READERS |= names("sha256sum stat tail test true uniq wc")
GIT_READERS = names("diff log ls-files show status")
GIT_LOOKS = GIT_READERS | names("blame branch describe grep remote rev-list rev-parse")
"""What may be done in another repository."""
ACTS = re.compile(r"-(exec|ok)(dir)?|-delete|-fprint(f|0)?|-fls|--output\b.*|--ext-diff|--textconv")
"""Words by which `find` and git do more than read."""
LAST_ONLY = frozenset(("cp", "install", "ln"))
GIT_PLACES = re.compile(r"\bGIT_(?:COMMON_DIR|DIR|INDEX_FILE|OBJECT_DIRECTORY|WORK_TREE)=['\"]?([^\s;&|'\"]+)")
"""Variables that have git work elsewhere, and what they are given."""


def has(words: Iterable[str], letter: str, long: str, least: int = 3) -> bool:
    """Whether there is an option: its letter, in a cluster too, or its name, shortened too."""
    return any(
        short(word, long, least) if word.startswith("--") else word.startswith("-") and letter in word[1:]
        for word in words
    )


def short(word: str, long: str, least: int) -> bool:
    return len(word) >= least and long.startswith(word)


def values(words: Sequence[Word], letters: str, longs: str) -> list[Word]:
    """What these options are given: in the next word, or in their own."""
    return [value for _, value in _options(words, letters, longs)]


def operands(words: Sequence[Word], letters: str, longs: str = "") -> list[Word]:
    """The words that are no options, and no values of these ones."""
    taken = {n for n, _ in _options(words, letters, longs)}
    return [word for n, word in enumerate(words) if n not in taken and not word.text.startswith("-")]


def _options(words: Sequence[Word], letters: str, longs: str) -> Iterator[tuple[int, Word]]:
    """Where the value of each of these options stands, and the value."""
    for n, word in enumerate(words):
        name, sign, value = word.text.partition("=")
        if name.startswith("--"):
            is_meant = len(name) > 3 and any(long.startswith(name) for long in longs.split())
            if is_meant and sign:
                yield n, replace(word, text=value)
            is_meant = is_meant and not sign
        elif joined := re.fullmatch(rf"-\w*?[{letters}]([/~.$].*)", word.text):
            is_meant = False
            yield n, replace(word, text=joined[1])
        else:
            is_meant = re.fullmatch(rf"-\w*[{letters}]", word.text) is not None
        if is_meant and n + 1 < len(words):
            yield n + 1, words[n + 1]


def subcommands(words: Iterable[str]) -> Iterator[str]:
    """What may be meant as the subcommand: the word after an option may be its value, or not."""
    all_words = list(words)
    rest = [word for word in all_words if not word.startswith(("-", "+"))]
    for n in range(min(len(rest), 2 if all_words[:1] != rest[:1] else 1)):
        yield rest[n]
        yield " ".join(rest[n : n + 2])


def split(words: Sequence[Word]) -> tuple[list[str], list[Word]]:
    """The options, and the rest."""
    texts = [word.text for word in words]
    end = texts.index("--") if "--" in texts else len(words)
    files = [word for word in words[:end] if not word.text.startswith("-")] + list(words[end + 1 :])
    return [text for text in texts[:end] if text.startswith("-")], files
