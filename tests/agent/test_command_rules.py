"""Rules on words allow what they say, whatever a shell could make of the text."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tui.agent.command_rules import allows, matches, unallowed
from tui.agent.command_words import parse
from tui.settings.schema import AllowRule

PATTERNS = (("git", "diff", "*"), ("git", "status"), ("ls", "*"), ("pytest", "*", "-q"), ("./check.sh", "*"))
RULES = [
    *(AllowRule(tool="run_command", words=words) for words in PATTERNS),
    AllowRule(tool="run_command", command="make test; make lint"),
]

ALLOWED = [
    "git diff",
    "git diff a b",
    "  git\tdiff  a ",
    "git diff 'a;b' \"c d\" e'f'\"g\"",
    "git diff ''",
    "git diff -- a.py",
    "git diff HEAD..main",
    "git status",
    "'git' \"status\"",
    "ls -la 'é'",
    "ls 'a$b' 'c`d`' '#' '*'",
    "ls # a comment",
    "pytest tests -q",
    "make test; make lint",
    " make test; make lint\n",
    "git diff; ls",
    "git diff && ls || git status",
    "git diff | ls",
    "git diff |& ls",
    "git diff\nls\n\nls",
    "(git diff; ls)",
    "{ git diff; ls; }",
    "if git diff; then ls; elif ls a; then ls b; else git status; fi",
    "while git diff; do ls; done",
    "! git diff",
    "git diff 2>&1",
    "git diff > /dev/null 2>&1",
    "git diff &>/dev/null | ls",
    "cd sub && git diff",
    "cd sub/deeper && ls; cd .",
    "git diff && echo done",
    "ls; true; echo a 'b c'; exit 1",
    "./check.sh a",
]

ASKED = [
    "",
    " ",
    "# git diff",
    "echo git diff",
    "git",
    "git push",
    "git status -s",
    "gitdiff",
    "git.diff",
    "/bin/git diff",
    "git diff; rm x",
    "git diff && rm x",
    "git diff || rm x",
    "git diff | sh",
    "git diff |& sh",
    "git diff & rm x",
    "git diff &",
    "git diff\nrm x",
    "git diff\r\nrm x",
    "git diff\rrm x",
    "git diff a\\\nb; ls",
    "git \\\ndiff",
    "git diff $(rm x)",
    "git diff `rm x`",
    'git diff "$(rm x)"',
    'git diff "`rm x`"',
    "git diff <(rm x)",
    "git diff >(rm x)",
    "git diff $x",
    "git diff ${x}",
    "git diff ${x:=`rm x`}",
    'git diff "$x"',
    "git diff $((1))",
    "git diff $'a'",
    'git diff $"a"',
    "git$IFS'diff'",
    "git${IFS}diff",
    "git diff > x",
    "git diff >> x",
    "git diff >| x",
    "git diff &> x",
    "git diff 0>/dev/null",
    "git 0>/dev/null diff",
    "git diff 3<x",
    "git diff > /dev/null x > y",
    "git diff > /dev/null --output=x",
    "git diff 2>&1 --output=x",
    "git diff > '/dev/null'x",
    "git diff < x",
    "git diff <<< x",
    "git diff <<EOF\nx\nEOF",
    "git diff <<EOF\n$(rm x)\nEOF",
    "git diff *",
    "git diff a?",
    "git diff [a]",
    "git diff {a,b}",
    "{git,diff}",
    "git diff ~",
    "git diff ~root/x",
    "git diff a\\;b",
    "git diff \\x",
    "git diff !!",
    "git diff !x",
    "git diff a#b!",
    "X=1 git diff",
    "GIT_PAGER=x git diff",
    "x=(1) git diff",
    "PATH=. ls",
    "git diff; X=1",
    "export X=1; ls",
    "alias ls=rm; ls",
    "ls() { rm x; }; ls",
    "function ls { rm x; }; ls",
    "for x in a; do ls; done",
    "case a in a) ls;; esac",
    "select x in a; do ls; done",
    "[[ a ]] && ls",
    "[ a ] && ls",
    "((1)) && ls",
    "coproc ls",
    "time ls",
    "eval ls",
    "exec ls",
    "command ls",
    "builtin ls",
    "source ls",
    ". ls",
    "env ls",
    "xargs ls",
    "sudo ls",
    "nohup ls",
    "bash -c ls",
    "trap ls EXIT",
    "cd ..; ls",
    "cd /; ls",
    "cd; ls",
    "cd -; ls",
    "cd ~; ls",
    "cd link; ls",
    "cd sub; cd ../..; ls",
    "cd sub/deeper; cd ..; ls",
    "cd sub; ./check.sh",
    "cd sub sub; ls",
    "git\u00a0diff",
    "git diff\u2003x",
    "git diff\u2028rm x",
    "ｇit diff",
    "\x0bgit diff",
    "git diff\x0c",
    "git diff 'a\nb'",
    "git diff 'a\x1bb'",
    "git diff\x00 x",
    "git diff \udcff",
    "git diff '",
    'git diff "',
    "git diff )",
    "git diff ;; ls",
    "git diff; fi",
    "git diff --output=x",
    "git diff --outp x",
    "git diff --ext-diff",
    "git -c core.pager=x diff",
    "git --exec-path=. diff",
    "ls " + "a " * 6000,
    "(" * 4000,
    "$(" * 4000 + "ls",
    "(ls;" * 200 + ")" * 200,
    "ls;" * 3 + "rm x;" + "ls;" * 1000,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    (path / "sub" / "deeper").mkdir(parents=True)
    (path / "link").symlink_to("..")
    return path


@pytest.mark.parametrize("command", ALLOWED)
def test_a_command_of_allowed_parts_is_allowed(folder: Path, command: str) -> None:
    assert allows(RULES, command, folder)


@pytest.mark.parametrize("command", ASKED, ids=lambda command: repr(command)[:50])
def test_what_is_more_than_allowed_words_is_asked(folder: Path, command: str) -> None:
    assert not allows(RULES, command, folder)


def test_a_rule_on_the_exact_command_is_no_part_of_another(folder: Path) -> None:
    rules = [AllowRule(tool="run_command", command="make test"), *RULES]
    assert allows(rules, "make test", folder)
    assert not allows(rules, "make test && ls", folder)


@pytest.mark.parametrize(
    "command",
    [
        "git -c alias.x='!rm' x",
        "git -C /x status",
        "git --git-dir=/x log",
        "git log --output=x",
        "git grep -Oless x",
        "git grep --open-files-in-pager=less x",
        "git rebase -x rm",
        "git fetch --upload-pack=rm x",
        "git ls-remote ext::rm",
        "git config core.pager rm",
        "git submodule foreach rm",
        "git bisect run rm",
        "git difftool -x rm",
        "find . -exec rm x",
        "find . -delete",
        "find . -fprintf x y",
        "tar xf a --to-command=rm",
        "tar xf a --to-c rm",
        "tar cf a --checkpoint-action=exec=rm b",
        "tar -xIrm -f a",
        "tar xIf rm a",
        "tar tf host:a",
        "sed -i s/a/b/ x",
        "sed s/a/b/e x",
        "sed 's/a/b/w y' x",
        "sed '1e rm' x",
        "sed -n '1p;e rm' x",
        "sed -f x y",
        "sed s/a/b/ x -i",
        "awk 'BEGIN{system(\"rm\")}'",
        "awk '{print > \"x\"}'",
        "awk '{print | \"sh\"}'",
        "gawk -f x",
        "rsync -e rm a b",
        "rsync -ae rm a b",
        "rsync --rsh=rm a b",
        "make SHELL=rm",
        "make -f /x",
        "make --eval=x",
        "python -c x",
        "python3.11 -c x",
        "python",
        "python -",
        "perl -ne x",
        "node --eval x",
        "node -p x",
        "ruby -e x",
        "sort -o x y",
        "sort -no x y",
        "sort --compress-program=rm",
        "rg --pre rm x",
        "fd -x rm",
        "curl -o x y",
        "wget -O x y",
        "env rm",
        "xargs rm",
        "sudo rm",
        "bash x",
        "ssh -o ProxyCommand=rm x",
        "time rm",
        "nohup rm",
        "npx rm",
        "npm exec rm",
        "uv run rm",
        "uv --offline run rm",
        "docker --debug run x",
        "docker -H x compose exec x rm",
        "npm -s exec rm",
        "poetry -q run rm",
        "kubectl -n x exec y",
        "bun x rm",
        "deno eval x",
        ". ./x",
        "source ./x",
        "printf -v 'a[$(rm)]' x",
        "printf -va x",
        "test -v 'a[$(rm)]'",
        "test 'a[`rm`]' -eq 0",
        "read 'a[$(rm)]'",
        "declare 'a[$(rm)]=1'",
        "let 'a[$(rm)]=1'",
        "wait -p 'a[$(rm)]'",
        "mapfile 'a[$(rm)]'",
        "compgen -C rm",
        "fc -s x",
        "history -w x",
        "jobs -x rm",
        "awk -W exec x",
        "awk -We x",
        "gawk -o x",
        "git merge-index rm -a",
        "git for-each-repo rm",
        "curl -c x y",
        "curl -sD x y",
        "curl --trace x y",
        "curl --trace-asc x y",
        "wget -a x y",
        "wget --append-output=x y",
        "sqlite3 db '.shell rm'",
        "sqlite3 db ' .system rm'",
        "sqlite3 -cmd '.shell rm' db x",
        "sqlite3 db \"select writefile('x', 'y')\"",
        "sqlite3 db",
        "fakeroot rm",
        "hyperfine rm",
        "valgrind rm",
        "m4 x",
        "export X",
        "read X",
        "alias x",
        "unset X",
        "run0 rm",
        "python3 -W ignore -c x",
        "python3 -Wignore -uc x",
        "python3 --check-hash-based-pycs never -c x",
        "python3 -m timeit x",
        "python3 -mtimeit x",
        "python3 -Im cProfile x",
        "python3 -v",
        "python3 -u -",
        "perl -l",
        "perl -mx y",
        "node -C x -e y",
        "node --conditions x -p y",
        "node --title x -p y",
        "node --test -e x",
        "ruby -C .. -e x",
        "ruby -E utf-8 -e x",
        "ruby -Ku -e x",
        "php -S x",
        "deno repl",
        "go test --exec=x",
        "go test -exec x",
        "go build --toolexec=x",
        "go vet --vettool=x",
        "g++-12 -fplugin=x y",
        "clang++ -fplugin=x y",
        "gcc -specs=x y",
        "gcc -B. y",
        "gcc @x",
        "x86_64-linux-gnu-g++-12 -fplugin=x y",
        "cmake -E env id",
        "cmake -P x",
        "ctest -S x",
        "git notes edit",
    ],
)
def test_a_star_never_covers_what_runs_programs_or_writes_anywhere(folder: Path, command: str) -> None:
    name = command.split(" ")[0]
    assert not allows([AllowRule(tool="run_command", words=(name, "*"))], command, folder)
    assert not allows([AllowRule(tool="run_command", words=("*",))], command, folder)


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("git *", "git log --oneline -n 3 -- src"),
        ("git *", "git --no-pager diff --stat HEAD"),
        ("git *", "git commit -m 'a b'"),
        ("find *", "find . -name a.py -type f"),
        ("tar *", "tar -xzf a.tgz"),
        ("tar *", "tar tzf a.tgz"),
        ("sed *", "sed -n 1,20p x"),
        ("sed *", "sed -E s/a/b/g x"),
        ("awk *", "awk '{print 1}' x"),
        ("make *", "make -j4 test"),
        ("python *", "python -m pytest -c x"),
        ("python *", "python a.py -c x"),
        ("python3 *", "python3 -W error -u a.py -c x"),
        ("python3 *", "python3 -Wd -Im pytest -c x"),
        ("python3 *", "python3 --version"),
        ("node *", "node --max-old-space-size=4096 --test a.js -p"),
        ("node *", "node -C x a.js"),
        ("ruby *", "ruby -W0 -E utf-8 a.rb -e x"),
        ("perl *", "perl -lw a.pl -e"),
        ("go *", "go test ./..."),
        ("g++-12 *", "g++-12 -O2 -DBUILD -o x y.cc"),
        ("cmake *", "cmake -DCMAKE_BUILD_TYPE=Release -S . -B build"),
        ("git *", "git notes show"),
        ("sort *", "sort -rn x"),
        ("uv run pytest *", "uv run pytest -q a"),
        ("uv --offline run pytest *", "uv --offline run pytest -q a"),
        ("uv *", "uv --offline pip list"),
        ("docker *", "docker --debug ps"),
        ("npm *", "npm -s run test"),
        ("printf *", "printf '[%s] $x' a"),
        ("test *", "test -f a"),
        ("jobs *", "jobs -l"),
        ("curl *", "curl -s a"),
        ("sqlite3 *", "sqlite3 -json db 'select 1'"),
        ("git -c a.b=c log", "git -c a.b=c log"),
        ("env rm", "env rm"),
    ],
)
def test_a_star_covers_the_usual_use(folder: Path, pattern: str, command: str) -> None:
    assert allows([AllowRule(tool="run_command", words=tuple(pattern.split(" ")))], command, folder)


PIECES = st.sampled_from(
    ["git", "diff", "ls", "status", "rm", "x", " ", "  ", "\t", "\n", ";", "&&", "||", "|", "&", "(", ")", "{",
     "}", "$", "`", "$(", "'", '"', "\\", "#", "*", "?", "~", "!", "=", "<", ">", "<<<", "<(", "2>&1",
     "> /dev/null", "$'", "${IFS}", "\r", "\u00a0", "\u2028", "é", "if", "then", "fi", "do", "done", "while",
     "time", "echo", "true", "cd", ".", "-", ",", "[[", "]]", "[", "]", "/", "git diff", "ls ", "; ", "'a b'",
     "\x0b", "\x0c", "^", "%", "@", "+", ":"]
)  # fmt: skip
RANDOM = st.lists(PIECES, min_size=1, max_size=14).map("".join)
CHANGED = st.builds(
    lambda command, piece, at: command[: at % (len(command) + 1)] + piece + command[at % (len(command) + 1) :],
    st.sampled_from([command for command in ALLOWED if not command.startswith(("while", "cd", "./", "pytest"))]),
    st.one_of(PIECES, RANDOM),
    st.integers(0, 80),
)
NASTY = st.one_of(CHANGED, st.lists(PIECES, max_size=14).map("".join), st.text(max_size=60))


@given(NASTY)
@settings(max_examples=400, deadline=None)
@example("git diff '\x00'")
@example("æÔVyü&A{\U000f9391\U00079c57\U000fd641Ö\x07öí\U000f9d97z\x15ÂȮ")
def test_no_text_raises(command: str) -> None:
    parse(command)
    unallowed(PATTERNS, command, Path("/nowhere"))


@given(st.one_of(CHANGED, CHANGED, RANDOM))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("git diff 'a b' \"c\" d'e'\nls -- '#'; { ls x; } | git status")
@example("if ls; then git diff; fi; ! ls '$x' # y")
def test_bash_runs_no_more_than_the_rules_allow(stubs: Stubs, command: str) -> None:
    if command.startswith("while") or "while" in command or "until" in command:
        return  # it may never end
    if allows([AllowRule(tool="run_command", words=words) for words in PATTERNS], command, stubs.work):
        for ran in stubs.run(command):
            assert any(matches(pattern, ran) for pattern in PATTERNS), (command, ran)
        assert not list(stubs.work.iterdir()), command


class Stubs:
    """Programs for a real bash that write down their words; what is run and is not there is written down, too."""

    def __init__(self, folder: Path) -> None:
        self.work, self._log, self._programs = folder / "work", folder / "log", folder / "programs"
        self.work.mkdir()
        self._programs.mkdir()
        # A line at once: those of a pipe run side by side.
        script = '#!/bin/sh\nprintf "%s\\0" "${0##*/}" "$@" "$END" >> "$LOG"\n'
        for name in ("git", "ls", "rm", "x"):
            path = self._programs / name
            path.write_text(script)
            path.chmod(0o755)

    def run(self, command: str) -> list[tuple[str, ...]]:
        self._log.write_bytes(b"")
        missing = '() { printf "%s\\0" "$@" "$END" >> "$LOG"; }'
        environment = {"PATH": str(self._programs), "LOG": str(self._log), "END": "\1", "HOME": "/nowhere"}
        subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=self.work,
            env=environment | {"BASH_FUNC_command_not_found_handle%%": missing},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=20,
        )
        entries = self._log.read_bytes().split(b"\1\0")[:-1]
        return [tuple(os.fsdecode(word) for word in entry.split(b"\0")[:-1]) for entry in entries]


@pytest.fixture
def stubs(tmp_path: Path) -> Stubs:
    return Stubs(tmp_path)


@pytest.mark.parametrize("digit", "0123456789")
def test_the_number_of_a_redirection_is_no_word(folder: Path, digit: str) -> None:
    rules = [AllowRule(tool="run_command", words=("show", digit))]
    assert allows(rules, f"show {digit} > /dev/null", folder)
    assert not allows(rules, f"show {digit}>/dev/null", folder)
    assert not allows(rules, f"show {digit}>&1", folder)
