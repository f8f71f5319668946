"""What a rule with `*` never covers: words by which a harmless program runs another, or writes where it likes.

The user may still allow such a command to the letter. This is a table of what is common, not of all there is: a rule on
a program that is not in it covers all that the program can do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from tui.agent.command_words import names, program

Words = Sequence[str]

_RUNS_ITS_WORDS = names(
    ". ash at bash batch builtin busybox chroot chrt command coproc csh dash do doas ed emacs entr env eval ex exec"
    " expect firejail fish flock gdb ionice ksh ltrace mksh nice nohup npx nsenter nvim parallel perf pkexec proot"
    " rlwrap run0 runuser screen script setarch setpriv setsid sh source ssh start-stop-daemon stdbuf strace su sudo"
    " systemd-run taskset tcsh time timeout tmux torsocks toybox trap tsocks unbuffer unshare uvx vi vim watch xargs"
    " zsh apt apt-get man scp sftp mosh bunx pipx"
    # builtins, checkers, and what runs its words in other surroundings
    " compgen fc annotate-output catchsegv cgexec chronic chpst concurrently cpulimit dbus-run-session dumb-init"
    " eatmydata fakechroot fakeroot faketime gosu heaptrack hyperfine lldb newgrp nodemon numactl prlimit rr runcon sg"
    " softlimit systemd-inhibit tini trickle valgrind watchexec xvfb-run"
    # what reads a language with a command of its own to run others
    " dc erl ftp ghci gnuplot iex irb jshell lftp m4 mysql octave osascript psql tclsh wish"
)
_CHANGES_THE_SHELL = names(
    "alias bind cd complete compopt declare enable export getopts hash history let local mapfile popd pushd read"
    " readarray readonly set shift shopt typeset ulimit umask unalias unset wait"
)
_GIT_HARMLESS = frozenset(("--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs", "--version", "--help"))
_GIT_NEVER = names(
    "bisect citool config credential daemon difftool fast-import filter-branch filter-repo for-each-repo gui help hook"
    " http-backend instaweb maintenance merge-index mergetool p4 receive-pack remote-ext remote-fd send-email shell"
    " submodule svn upload-archive upload-pack web--browse"
)
_OPTIONS: dict[str, tuple[str, str]] = {
    # program: the letters of short options, the long options
    "ag": ("", "--pager"),
    "awk": ("fielEodDpW", "--file --include --load --exec --source --dump-variables --pretty-print --profile --debug"),
    "cargo": ("", "--config"),
    "cmake": ("", "-C -E -P"),
    "ctags": ("", "--options"),
    "ctest": ("", "-S --script --build-and-test"),
    "curl": ("cDoOKTJw", "--output --remote-name --config --upload-file --output-dir --remote-header-name --libcurl"
             " --cookie-jar --dump-header --trace --trace-ascii --stderr --hsts --alt-svc --etag-save --ssl-sessions"
             " --write-out"),
    "fd": ("xX", "--exec --exec-batch"),
    "fdfind": ("xX", "--exec --exec-batch"),
    "gcc": ("", "--wrapper -wrapper -fplugin -specs --specs -B -load"),
    "go": ("", "-exec -toolexec -vettool --exec --toolexec --vettool"),
    "hg": ("", "--config"),
    "jobs": ("x", ""),
    "make": ("fCIE", "--file --makefile --directory --eval --include-dir"),
    "npm": ("", "--script-shell --node-options --shell"),
    "rg": ("", "--pre --hostname-bin"),
    "rsync": ("e", "--rsh --rsync-path --daemon --config"),
    "sort": ("o", "--output --compress-program"),
    "split": ("", "--filter"),
    "svn": ("", "--config-option --diff-cmd --diff3-cmd --editor-cmd"),
    "tar": ("IF", "--to-command --checkpoint-action --use-compress-program --rsh-command --info-script"
            " --new-volume-script --rmt-command"),
    "wget": ("aoOeiP", "--execute --use-askpass --output-document --input-file --directory-prefix --config --post-file"
             " --append-output --output-file --save-cookies --rejected-log --warc-file --hsts-file"),
    "zip": ("T", "--test --unzip-command"),
}  # fmt: skip
_INTERPRETERS = {
    # all that may stand before the script: the letters of options, of those with a value, and the long ones
    "lua": ("EW", "", ""),
    "node": ("c", "C", "--test --watch --check --enable-source-maps --experimental-strip-types"
             " --experimental-vm-modules --expose-gc --inspect --inspect-brk --max-old-space-size="
             " --no-deprecation --no-warnings --preserve-symlinks --throw-deprecation --trace-deprecation"
             " --trace-uncaught --trace-warnings"),
    "perl": ("acnplstTuUwWX0123456789", "", ""),
    "php": ("lnqsw", "", ""),
    "python": ("bBdEIOPqsSuvx", "Wm", ""),
    "ruby": ("aclnpswW0123456789", "E", "--jit --yjit --verbose"),
}  # fmt: skip
_MODULES_RUN = names(
    "IPython asyncio bdb bpython cProfile code debugpy idlelib pdb profile ptpython pyinstrument runpy scalene sqlite3"
    " timeit trace viztracer"
)
"""Modules that, like Python itself, run what they are given."""
_RUNNERS = {
    **dict.fromkeys(names("bundle conda direnv docker go hatch kubectl mise pdm"), names("exec run x tool")),
    **dict.fromkeys(names("pipenv podman poetry pyenv rbenv rye uv"), names("exec run x tool")),
    "npm": names("create dlx exec explore init x"),
    **dict.fromkeys(("bun", "deno"), names("create eval exec init repl x")),
}
"""What runs the words after it: a rule has to say which program that is."""
_GROUPS = names("compose container")
"""What may stand between a program and one of these subcommands."""
_SAME = {"gmake": "make", "gtar": "tar", "bsdtar": "tar", "python3": "python", "python2": "python", "pypy": "python",
         "nodejs": "node", "deno": "node", "bun": "node", "pnpm": "npm", "yarn": "npm", "luajit": "lua", "gawk": "awk",
         "mawk": "awk", "nawk": "awk", "gsed": "sed",
         **dict.fromkeys(names("c++ cc clang clang++ g++ gcc"), "gcc")}  # fmt: skip
_GIT_OPTIONS = (
    "--output --output-directory --ext-diff --open-files-in-pager --upload-pack --receive-pack --exec --template"
    " --extcmd --config --gpg-sign"
)
_FIND = re.compile(r"-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)")
_SED_SCRIPT = re.compile(
    r"([0-9]+|\$)?(,([0-9]+|\$))?[pdq=]|(([0-9]+|\$)(,([0-9]+|\$))?)?s/[^/\\\n;{}]*/[^/\\\n;{}]*/[gpiI0-9]*"
)
_SQL_RUNS = re.compile(r"^\s*\.|load_extension|writefile|\b(edit\s*\(|attach\b|vacuum\s.*into\b)", re.IGNORECASE)
_AWK_RUNS = re.compile(r"system|getline|[|>@]|\binclude\b|\bload\b")


def why_not_covered(words: Words, literal: int) -> str | None:
    """Why a rule that ends with `*` does not allow a command of these words, as words after a colon; None: it may.

    The first `literal` words are in the rule itself.
    """
    called = program(words[0]) or words[0]
    if called not in _RUNS_ITS_WORDS:  # `m4`
        called = re.sub(r"(?<=[a-z+])-?[0-9]+(\.[0-9]+)*$", "", called)
    if _SAME.get(last := called.rpartition("-")[2]) == "gcc":  # `x86_64-linux-gnu-g++`
        called = last
    name = _SAME.get(called, called)
    if name in _RUNS_ITS_WORDS:
        return f"`{name}` runs what it is given"
    if name in _CHANGES_THE_SHELL:
        return f"`{name}` changes what the commands after it do"
    if (at := _runner(words, _RUNNERS.get(called) or _RUNNERS.get(name) or names(""))) is not None:
        if literal < at + 2 or words[at + 1].startswith("-"):
            return f"`{name} {words[at]}` runs what it is given"
        return why_not_covered(words[at + 1 :], literal - at - 1)
    if name in _INTERPRETERS:
        found = _interpreter(words[1:], *_INTERPRETERS[name])
    elif check := _CHECKS.get(name):
        found = check(words[1:])
    else:
        found = _option(words[1:], *_OPTIONS.get(name, ("", "")))
    return f"`{name}` with `{found}` can run programs or write anywhere" if found else None


def _runner(words: Words, runners: Collection[str]) -> int | None:
    """Where the subcommand stands that runs the words after it; after an option any word may be it."""
    goes_on = len(words) > 1 and (words[1].startswith(("-", "+")) or words[1] in _GROUPS)
    candidates = words[1:] if goes_on else words[1:2]
    return next((n for n, word in enumerate(candidates, 1) if word in runners), None)


def _interpreter(words: Words, alone: str, valued: str, longs: str) -> str | None:
    """Only a script or module that is named, after options that are known: without one the program is the input."""
    if len(words) == 1 and words[0] in ("--version", "--help", "-h", "-V", *(() if "v" in alone else ("-v",))):
        return None
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return word if word == "/dev/stdin" else None
        if word.startswith("--"):
            if "".join(word.partition("=")[:2]) not in longs.split():
                return word
            continue
        letters = word[1:].lstrip(alone)
        if word == "-" or letters[:1] not in valued:  # an empty word is in any
            return word
        value = letters[1:] or (rest.pop(0) if letters and rest else "")
        if letters[:1] == "m":
            return value if value.partition(".")[0] in _MODULES_RUN else None
    return "no script"


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
    if command == "notes" and "edit" in words:  # in the editor, like `gui` in a window
        return "edit"
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
    return next((w for w in words if _AWK_RUNS.search(w)), None) or _option(words, *_OPTIONS["awk"])


def _make(words: Words) -> str | None:
    return next((word for word in words if "=" in word), None) or _option(words, *_OPTIONS["make"])


def _gcc(words: Words) -> str | None:
    return next((word for word in words if word.startswith("@")), None) or _option(words, *_OPTIONS["gcc"])


def _printf(words: Words) -> str | None:
    return _option(words[:1], "v", "")


def _test(words: Words) -> str | None:
    """The shell runs what is in the subscript of an array that it looks for."""
    return next((word for word in words if "[" in word), None)


def _sqlite(words: Words) -> str | None:
    """Only with its SQL as a word: else it comes from the input."""
    found = next((word for word in words if _SQL_RUNS.search(word)), None) or _option(
        words, "A", "-cmd -init --cmd --init"
    )
    return found or (None if sum(not word.startswith("-") for word in words) > 1 else "no statement")


_CHECKS: dict[str, Callable[[Words], str | None]] = {
    "git": _git,
    "find": _find,
    "tar": _tar,
    "sed": _sed,
    "awk": _awk,
    "make": _make,
    "gcc": _gcc,
    "printf": _printf,
    "test": _test,
    "[": _test,
    "sqlite": _sqlite,
}
