"""Single programs whose words are always asked about, and the same programs at their usual work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tui.agent.approvals import Approvals
from tui.agent.dangers import Ground, why_dangerous
from tui.tools.registry import default_toolbox

RUN = default_toolbox().get("run_command")

DANGEROUS = [
    ("find ~ -type f -exec sh -c 'rm \"$1\"' _ {} \\;", "deletes outside"),
    ("find ~ -exec sh -c 'for f; do rm \"$f\"; done' _ {} +", "deletes outside"),
    ("find .. -exec sh -c 'rm {}' \\;", "deletes outside"),
    ("find '/a b' -exec sh -c 'rm \"${1%x}\"' _ {} \\;", "deletes outside"),
    ("find /etc | xargs sh -c 'rm \"$@\"' _", "deletes outside"),
    ("find /etc | xargs -I% sh -c 'rm %'", "deletes outside"),
    ("sh -c 'rm -r \"$1\"' _ .", "deletes"),
    ("find . -type f -exec rm {} +", "deletes the whole folder"),
    ("find -exec rm -f {} \\;", "deletes the whole folder"),
    ("find . -mindepth 1 -delete", "deletes the whole folder"),
    ("cd sub; find .. -type f -delete", "deletes the whole folder"),
    ("find . | xargs rm", "deletes the whole folder"),
    ("find . -type f -print0 | xargs -0 rm -f", "deletes the whole folder"),
    ("find . -type f -exec shred -u {} +", "deletes the whole folder"),
    ("xargs -a x rm -rf", "deletes what"),
    ("xargs rm -rf < x", "deletes what"),
    ("rm -rf .??*", "read-only"),
    ("rm -rf .*", "read-only"),
    ("rm -rf ./.[^.]*/", "read-only"),
    ("mv .??* sub/", "read-only"),
    ("awk -i inplace 1 ../x", "overwrites outside"),
    ("gawk -iinplace -v a=b 1 x ../x", "overwrites outside"),
    ("sed 'w ../x' y", "writes outside"),
    ("sed -n -e p -e '/a/ w ../x' y", "writes outside"),
    ("sed '1,$w /etc/x' y", "writes outside"),
    ("sed 's/a/b/gw ../x' y", "writes outside"),
    ("split x ../y", "writes outside"),
    ("split -l 10 -d x /y", "writes outside"),
    ("split - ../y", "writes outside"),
    ("csplit -f ../y x 1", "writes outside"),
    ("make -C .. clean", "writes outside"),
    ("make --directory=.. clean", "writes outside"),
    ("git worktree add ../x", "writes outside"),
    ("git worktree add -b new ../x main", "writes outside"),
    ("git worktree remove --force sub", "not committed"),
    ("git clone u ../x", "writes outside"),
    ("git init ../x", "writes outside"),
    ("git diff --output=../x", "writes outside"),
    ("git -C sub diff --output=../../x", "writes outside"),
    ("git log --output ../x", "writes outside"),
    ("git format-patch -o ../x main", "writes outside"),
    ("GIT_WORK_TREE=.. git checkout x", "changes outside"),
    ("env GIT_DIR=../x git commit", "changes outside"),
    ("export GIT_WORK_TREE=$HOME/x; git checkout x", "changes outside"),
    ("git branch -D x", "nothing else keeps"),
    ("git branch -d --force x", "nothing else keeps"),
    ("git checkout -f", "not committed"),
    ("git checkout .", "not committed"),
    ("git checkout main -- .", "not committed"),
    ("git switch --discard-changes main", "not committed"),
    ("git restore .", "not committed"),
    ("git restore --staged --worktree :/", "not committed"),
    ("git reset --merge", "not committed"),
    ("git rm -rf .", "deletes the whole folder"),
    ("docker run -v/:/x y", "container"),
    ("docker run -itv /:/x y", "container"),
    ("docker run --volume=/:/x y", "container"),
    ("docker buildx build --push .", "publishes"),
    ("docker build -t x --push .", "publishes"),
    ("run0 x", "another user"),
    ("sudoedit x", "another user"),
    ("mimo-tui", "starts this program"),
    ("python -m tui", "starts this program"),
    ("python3 -Im tui.cli run x", "starts this program"),
    ("python3 -mtwine upload x", "publishes"),
]

USUAL = [
    "find . -name x -type f -exec rm {} +",
    "find . -not -path './.git/*' -type f -exec rm {} +",
    "find . -type d -empty -delete",
    "find . -maxdepth 1 -type f -delete",
    "find . -type f -exec grep -l x {} +",
    "find . -type f -exec sed -i s/a/b/ {} +",
    "find . -type f -exec sh -c 'wc -l \"$1\"' _ {} \\;",
    "find . -type f | grep x | xargs rm",
    "find . | xargs grep x",
    "find sub | xargs rm",
    "find sub -delete",
    "find /usr -exec sh -c 'cp \"$1\" x' _ {} \\;",
    "bash -c 'cp \"$1\" x' _ /etc/passwd",
    "xargs rm < x",
    "rm *",
    "rm -rf .pytest_cache .tox*",
    "rm -f .*.swp",
    "grep -rn '.*' ..",
    "awk -i inplace 1 x",
    "awk -F/ '{print $1}' /etc/passwd",
    "sed 's/how /x/' y",
    "sed -n 'w x' y",
    "sed 's/a/b/w x' /etc/passwd",
    "split -b 1m ../x y",
    "make -C sub clean",
    "git worktree list",
    "git worktree add sub/x",
    "git clone ../x y",
    "git clone --depth 1 https://x/y",
    "git diff --output=x",
    "git diff ../x",
    "git -C sub diff --output=../x",
    "git -C sub worktree add ../x",
    "GIT_PAGER=/bin/cat git checkout x",
    "GIT_WORK_TREE=.. git status",
    "git branch -d x",
    "git branch -m x",
    "git checkout main",
    "git checkout -b x",
    "git checkout -bfix",
    "git checkout -- x.py",
    "git switch main",
    "git restore x.py",
    "git restore --staged .",
    "git reset x",
    "git rm -r --cached .",
    "git rm -r sub",
    "docker build -t x .",
    "docker run -v data:/x y",
    "docker run --rm -e A=/x y",
    "python -m pytest -q",
    "python -m http.server",
    "python -m tui --version",
    "mimo-tui doctor",
]


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "project"
    (path / "sub").mkdir(parents=True)
    return path


@pytest.mark.parametrize(("command", "why"), DANGEROUS, ids=lambda value: repr(value)[:50])
def test_it_is_asked_about_with_and_without_a_sandbox(folder: Path, command: str, why: str) -> None:
    for sandbox in ("on", "off"):
        verdict = Approvals("auto", folder, sandbox).judge(RUN, {"command": command})
        assert verdict.action == "ask"
        assert why in verdict.reason and "always asked" in verdict.reason


@pytest.mark.parametrize("command", USUAL)
def test_the_usual_work_is_not_called_dangerous(folder: Path, command: str) -> None:
    assert why_dangerous(command, Ground(folder)) is None


def test_a_long_script_of_sed_is_judged_at_once(folder: Path) -> None:
    began = time.monotonic()
    for piece in ("s!\\", "s|", "/\\", "1,", "s!a!"):
        why_dangerous(f"sed '{piece * 1800}' x", Ground(folder))
    assert time.monotonic() - began < 5
