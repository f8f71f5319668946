"""What a rule with `*` never covers: words by which a harmless program runs another, or writes where it likes.

The user may still allow such a command to the letter. This is a table of what is common, not of all there is: a rule on
a program that is not in it covers all that the program can do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from tui.agent.command_words import names

Words = Sequence[str]

_RUNS_ITS_WORDS = names(
    ". ash at bash batch builtin busybox chroot chrt command coproc csh dash do doas ed emacs entr env eval ex exec"
    " expect firejail fish flock gdb ionice ksh ltrace mksh nice nohup npx nsenter nvim parallel perf pkexec proot"
    " rlwrap runuser screen script setarch setpriv setsid sh source ssh start-stop-daemon stdbuf strace su sudo"
    " systemd-run taskset tcsh time timeout tmux torsocks toybox trap tsocks unbuffer unshare uvx vi vim watch xargs"
    " zsh apt apt-get man scp sftp mosh bunx pipx"
)
_CHANGES_THE_SHELL = names(
    "alias bind cd complete declare enable export getopts hash let local mapfile popd pushd read readarray readonly set"
    " shopt typeset umask unalias unset wait"
)
_GIT_HARMLESS = frozenset(("--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs", "--version", "--help"))
_GIT_NEVER = names(
    "bisect config credential daemon difftool fast-import filter-branch filter-repo gui help hook instaweb mergetool"
    " send-email shell submodule svn upload-pack receive-pack"
)
_OPTIONS: dict[str, tuple[str, str]] = {
    # program: the letters of short options, the long options
    "ag": ("", "--pager"),
    "cargo": ("", "--config"),
    "ctags": ("", "--options"),
    "curl": ("oOKTJ", "--output --remote-name --config --upload-file --output-dir --remote-header-name --libcurl"),
    "fd": ("xX", "--exec --exec-batch"),
    "fdfind": ("xX", "--exec --exec-batch"),
    "gcc": ("", "--wrapper -wrapper -fplugin"),
    "go": ("", "-exec -toolexec -vettool"),
    "hg": ("", "--config"),
    "make": ("fCIE", "--file --makefile --directory --eval --include-dir"),
    "npm": ("", "--script-shell --node-options --shell"),
    "rg": ("", "--pre --hostname-bin"),
    "rsync": ("e", "--rsh --rsync-path --daemon --config"),
    "sort": ("o", "--output --compress-program"),
    "split": ("", "--filter"),
    "svn": ("", "--config-option --diff-cmd --diff3-cmd --editor-cmd"),
    "tar": ("IF", "--to-command --checkpoint-action --use-compress-program --rsh-command --info-script"
            " --new-volume-script --rmt-command"),
    "wget": ("OeiP", "--execute --use-askpass --output-document --input-file --directory-prefix --config --post-file"),
    "zip": ("T", "--test --unzip-command"),
}  # fmt: skip
_INTERPRETERS = {
    # before the script: the letters of options that bring a program of their own, and the long ones
    "lua": ("eli", ""),
    "node": ("epr", "--eval --print --require --import --loader --experimental-loader"),
    "perl": ("eEiIM", ""),
    "php": ("rBREfd", "--run --define"),
    "python": ("ciX", ""),
    "ruby": ("eirI", ""),
}
_RUNNERS = {
    **dict.fromkeys(names("bundle conda direnv docker go hatch kubectl mise pdm"), names("exec run x tool")),
    **dict.fromkeys(names("pipenv podman poetry pyenv rbenv rye uv"), names("exec run x tool")),
    "npm": names("create dlx exec explore init x"),
}
"""What runs the words after it: a rule has to say which program that is."""
_SAME = {"gmake": "make", "gtar": "tar", "bsdtar": "tar", "python3": "python", "python2": "python", "pypy": "python",
         "nodejs": "node", "deno": "node", "bun": "node", "g++": "gcc", "cc": "gcc", "clang": "gcc", "pnpm": "npm",
         "yarn": "npm", "luajit": "lua", "gawk": "awk", "mawk": "awk", "nawk": "awk", "gsed": "sed"}  # fmt: skip
_GIT_OPTIONS = (
    "--output --output-directory --ext-diff --open-files-in-pager --upload-pack --receive-pack --exec --template"
    " --extcmd --config --gpg-sign"
)
_FIND = re.compile(r"-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)")
_SED_SCRIPT = re.compile(
    r"([0-9]+|\$)?(,([0-9]+|\$))?[pdq=]|(([0-9]+|\$)(,([0-9]+|\$))?)?s/[^/\\\n;{}]*/[^/\\\n;{}]*/[gpiI0-9]*"
)
_AWK_RUNS = re.compile(r"system|getline|[|>@]|\binclude\b|\bload\b")


def why_not_covered(words: Words, literal: int) -> str | None:
    """Why a rule that ends with `*` does not allow a command of these words, as words after a colon; None: it may.

    The first `literal` words are in the rule itself.
    """
    name = PurePosixPath(words[0]).name
    name = re.sub(r"(?<=[a-z])[0-9]+(\.[0-9]+)*$", "", name) or name
    name = _SAME.get(name, name)
    if name in _RUNS_ITS_WORDS:
        return f"`{name}` runs what it is given"
    if name in _CHANGES_THE_SHELL:
        return f"`{name}` changes what the commands after it do"
    if len(words) > 1 and words[1] in _RUNNERS.get(name, ()):
        if literal < 3 or words[2].startswith("-"):
            return f"`{name} {words[1]}` runs what it is given"
        return why_not_covered(words[2:], literal - 2)
    if name in _INTERPRETERS:
        found = _interpreter(words[1:], *_INTERPRETERS[name])
    elif check := _CHECKS.get(name):
        found = check(words[1:])
    else:
        found = _option(words[1:], *_OPTIONS.get(name, ("", "")))
    return f"`{name}` with `{found}` can run programs or write anywhere" if found else None


def _interpreter(words: Words, letters: str, names: str) -> str | None:
    """Only a script or module that is named: without one the program comes from the input."""
    for n, word in enumerate(words):
        if word in ("-m", "--version", "-V", "-v", "--help"):
            return None
        if not word.startswith("-") or word == "-":
            return word if word in ("-", "/dev/stdin") else _option(words[:n], letters, names)
    return _option(words, letters, names) or "no script"


def _option(words: Words, letters: str, names: str) -> str | None:
    """The first word that is one of these options: long ones shortened too, short ones in a cluster too."""
    longs = names.split()
    for word in words:
        name = word.split("=", 1)[0]
        if name.startswith("--") and len(name) > 2:
            if any(long.startswith(name) for long in longs):
                return word
        elif word.startswith("-") and (set(word[1:]) & set(letters) or any(word.startswith(long) for long in longs)):
            return word
    return None


def _git(words: Words) -> str | None:
    for n, word in enumerate(words):
        if not word.startswith("-"):
            return word if word in _GIT_NEVER else _git_command(word, words[n + 1 :])
        if word not in _GIT_HARMLESS:
            return word
    return None


def _git_command(command: str, words: Words) -> str | None:
    if command in ("rebase", "clone", "fetch", "pull", "push", "ls-remote", "archive", "grep", "init", "format-patch"):
        letters = {"rebase": "xi", "clone": "uc", "archive": "o", "grep": "O", "format-patch": "o"}.get(command, "")
        if found := _option(words, letters, ""):
            return found
        if any("::" in word for word in words):  # ext::command is a transport that runs it
            return next(word for word in words if "::" in word)
    return _option(words, "", _GIT_OPTIONS)


def _find(words: Words) -> str | None:
    return next((word for word in words if _FIND.fullmatch(word)), None)


def _tar(words: Words) -> str | None:
    letters, names = _OPTIONS["tar"]
    if words and not words[0].startswith("-") and set(words[0]) & set(letters):
        return words[0]
    if remote := next((word for word in words if ":" in word), None):  # an archive on another machine, by rsh
        return remote
    return _option(words, letters, names)


def _sed(words: Words) -> str | None:
    """Only scripts that print, delete and replace: `e`, `w` and the flag `e` run programs and write files."""
    scripts = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word in ("-e", "--expression"):
            scripts += [rest.pop(0)] if rest else []
        elif word not in ("-n", "-E", "-r", "-s", "-u", "-z", "--quiet", "--silent", "--regexp-extended"):
            return word
    if any(word.startswith("-") for word in rest):  # options may follow the files
        return next(word for word in rest if word.startswith("-"))
    scripts = scripts or rest[:1]
    return next((script for script in scripts if not _SED_SCRIPT.fullmatch(script)), None)


def _awk(words: Words) -> str | None:
    return next((w for w in words if _AWK_RUNS.search(w)), None) or _option(
        words, "fielEoDp", "--file --include --load --exec --source"
    )


def _make(words: Words) -> str | None:
    return next((word for word in words if "=" in word), None) or _option(words, *_OPTIONS["make"])


_CHECKS: dict[str, Callable[[Words], str | None]] = {
    "git": _git,
    "find": _find,
    "tar": _tar,
    "sed": _sed,
    "awk": _awk,
    "make": _make,
}
