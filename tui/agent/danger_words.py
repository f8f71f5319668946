"""The words by which dangerous commands are known, and how options are read. `dangers` judges by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tui.agent.command_words import Word, names

SHELLS = names("ash bash csh dash fish ksh mksh sh tcsh zsh")
INTERPRETERS = names("lua node perl php python python2 python3 ruby")
FETCHES = names("aria2c curl fetch wget")
WRAPPERS = names(
    "busybox builtin chrt command env exec find flock ionice nice nohup parallel script setarch setsid stdbuf strace"
    " systemd-run taskset time timeout toybox unbuffer unshare watch xargs"
)
NOWHERE = re.compile(r"/dev/(null|std(in|out|err)|tty|fd/\d+|zero)|\d|-")
WORDS_OF_TEXT = re.compile(
    r"(?<![\w./-])(?:/\S*/)?(rm\s+-|sudo|doas|su\s|pkexec|mkfs|dd\s|shred|ssh\s|scp\s|crontab|shutdown|reboot|wipefs"
    r"|chmod\s+-R|kill\s.*-1\b|git\s.*push\s.*(-f|--force|--delete)|git\s.*(clean|reset --hard|filter-branch)"
    r"|(twine upload|(npm|cargo|yarn|pnpm|poetry|uv) publish)|docker run)"
    r"|(curl|wget)\b[^\n]*\|\s*\w*sh\b|:\(\)\s*\{"
)
OPENS = re.compile(r"[0-7]?[0-7]{2}[2367]|[ugoa]*[oa][ugoa]*[+=]\w*w\w*")
"""A mode by which everybody can write."""
OUTSIDE = "outside the folder, or what is read-only in it"
ADMIN = "works with the rights of another user"
DISK = "works on whole disks or file systems"
LATER = "makes something run later, outside of the sandbox"
POWER = "stops the machine"
REMOTE = "works on another machine"
PUBLISHES = "publishes a package"
BY_NAME = {
    **dict.fromkeys(names("sudo su doas pkexec runuser"), ADMIN),
    **dict.fromkeys(names("mkswap fdisk sfdisk parted wipefs mount umount losetup cryptsetup lvremove"), DISK),
    **dict.fromkeys(names("crontab at batch systemd-run launchctl"), LATER),
    **dict.fromkeys(names("shutdown reboot halt poweroff telinit"), POWER),
    **dict.fromkeys(names("ssh scp sftp mosh slogin telnet rsh rlogin"), REMOTE),
    "killall5": "ends all of your programs",
}
BY_WORDS = {
    **dict.fromkeys(("npm publish", "pnpm publish", "yarn publish", "cargo publish", "poetry publish"), PUBLISHES),
    **dict.fromkeys(("twine upload", "uv publish", "flit publish", "hatch publish", "gem push"), PUBLISHES),
    **dict.fromkeys(("npm unpublish", "cargo yank", "docker push", "podman push", "pdm publish"), PUBLISHES),
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
ACTS = re.compile(r"-(exec|ok)(dir)?|-delete|-fprint(f|0)?|-fls|--output\b.*|--ext-diff|--textconv")
"""Words by which `find` and git do more than read."""
LAST_ONLY = frozenset(("cp", "install", "ln"))


def push(words: Sequence[str]) -> str | None:
    if has(words, "f", "--force", 4) or any(word.startswith(("--force", "--mirror", "+")) for word in words):
        return "overwrites what is on the remote"
    if has(words, "d", "--delete", 4) or any(re.match(r":.|--prune", word) for word in words):
        return "deletes on the remote"
    return None


def has(words: Iterable[str], letter: str, long: str, least: int = 3) -> bool:
    """Whether there is an option: its letter, in a cluster too, or its name, shortened too."""
    return any(
        short(word, long, least) if word.startswith("--") else word.startswith("-") and letter in word[1:]
        for word in words
    )


def short(word: str, long: str, least: int) -> bool:
    return len(word) >= least and long.startswith(word)


def split(words: Sequence[Word]) -> tuple[list[str], list[Word]]:
    """The options, and the rest."""
    texts = [word.text for word in words]
    end = texts.index("--") if "--" in texts else len(words)
    files = [word for word in words[:end] if not word.text.startswith("-")] + list(words[end + 1 :])
    return [text for text in texts[:end] if text.startswith("-")], files
