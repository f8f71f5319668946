"""Ways to make the user's own git run a program, tried by running that git after the command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.tools.confined import Place

pytestmark = pytest.mark.slow

EVIL = "touch {proof}"

PLANTING = {
    "a hook": "mkdir -p .git/hooks; printf '#!/bin/sh\\n{evil}\\n' > .git/hooks/post-index-change; "
    "chmod +x .git/hooks/*; touch new",
    "a monitor": "git config core.fsmonitor '{evil}; false'",
    "a monitor, written": "printf '[core]\\n\\tfsmonitor = {evil}\\n' >> .git/config",
    "an alias and a pager": "git config core.pager '{evil}'; git config alias.st '!{evil}'",
    "a filter": "git config filter.x.clean '{evil}'; echo '* filter=x' > .gitattributes; touch tracked",
    "a difference driver": "git config diff.external '{evil}'; echo more >> tracked",
    "another folder for hooks": "git config core.hooksPath evil; mkdir evil; printf '#!/bin/sh\n{evil}\n' "
    "> evil/post-index-change; chmod +x evil/*; touch new",
    "an include": "git config include.path ../evil; printf '[core]\\nfsmonitor = {evil}\\n' > evil",
    "a configuration for worktrees": "git config extensions.worktreeConfig true; "
    "printf '[core]\\nfsmonitor = {evil}\\n' > .git/config.worktree",
    "another repository in its place": "mv .git x; git init -q; git config core.fsmonitor '{evil}'",
    "a copy in its place": "mv .git x; cp -r x .git; printf '[core]\\nfsmonitor = {evil}\\n' >> .git/config",
    "a common folder": "mkdir -p c; cp -r .git/objects .git/refs c; "
    "printf '[core]\\nrepositoryformatversion = 0\\nfsmonitor = {evil}\\n' > c/config; echo ../c > .git/commondir",
    "a .git file": "mv .git x; printf 'gitdir: x\\n' > .git; printf '[core]\\nfsmonitor = {evil}\\n' >> x/config",
    "a link": "mv .git x; ln -s x .git; printf '[core]\\nfsmonitor = {evil}\\n' >> x/config",
}

NESTED = {
    "a repository below": "git init -q sub; git -C sub config core.fsmonitor '{evil}'",
    "a hook below": "git init -q sub; printf '#!/bin/sh\\n{evil}\\n' > sub/.git/hooks/post-index-change; "
    "chmod +x sub/.git/hooks/*; touch sub/f; git -C sub add -A",
    "a bare one": "mkdir sub; cd sub; git init -q --bare .; printf '[core]\\nbare = false\\nworktree = .\\n"
    "fsmonitor = {evil}\\n' > config",
    "by hand": "mkdir -p sub/objects sub/refs; echo 'ref: refs/heads/x' > sub/HEAD; "
    "printf '[core]\\nrepositoryformatversion = 0\\nworktree = .\\nfsmonitor = {evil}\\n' > sub/config",
    "by a .git file": "git init -q --separate-git-dir=data sub; printf '[core]\\nfsmonitor = {evil}\\n' >> data/config",
    "moved there": "git init -q x; git -C x config core.fsmonitor '{evil}'; mkdir sub; mv x/.git sub/.git",
    "a submodule": "git init -q sub; git -C sub -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; "
    "git add sub; git -C sub config core.fsmonitor '{evil}'",
    "on one line": "git init -q sub; printf '[core] fsmonitor = {evil}\\n' >> sub/.git/config",
    "by an include": "git init -q sub; printf '[core]\\nfsmonitor = {evil}\\n' > sub/i; "
    "printf '[include]\\npath = ../i\\n' >> sub/.git/config",
    "a common folder below": "git init -q sub; git init -q c; git -C c config core.fsmonitor '{evil}'; "
    "echo ../../c/.git > sub/.git/commondir",
}


def git(place: Place, *arguments: str, folder: Path | None = None) -> None:
    """The user's own git, outside of any sandbox, by their own rights; it may fail."""
    command = ["git", "-c", "safe.directory=*", "-c", "user.name=A", "-c", "user.email=a@b.c", *arguments]
    user = place.user if os.getuid() == 0 else None
    subprocess.run(command, cwd=folder or place.project, capture_output=True, user=user, timeout=20)


def use_git(place: Place) -> None:
    """What a user does next: a look at the state, at the differences, in the project and below it."""
    for folder in (place.project, place.project / "sub"):
        if folder.is_dir():
            for arguments in (["status"], ["diff"], ["add", "-A"], ["st"], ["log"]):
                git(place, *arguments, folder=folder)


@pytest.mark.parametrize("attempt", PLANTING.values(), ids=PLANTING.keys())
def test_the_projects_own_repository_runs_nothing(place: Place, attempt: str) -> None:
    git(place, "init", "-q")
    place.write("project/tracked", "text")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "first")
    proof = place.home / "proof"
    place.run(attempt.replace("{evil}", EVIL.format(proof=proof)))
    use_git(place)
    assert not proof.exists()


@pytest.mark.parametrize("has_git", [True, False], ids=["in a repository", "in no repository"])
@pytest.mark.parametrize("attempt", NESTED.values(), ids=NESTED.keys())
def test_a_repository_that_is_planted_runs_nothing(place: Place, attempt: str, has_git: bool) -> None:
    if has_git:
        git(place, "init", "-q")
    proof = place.home / "proof"
    result = place.run(attempt.replace("{evil}", EVIL.format(proof=proof)))
    assert "set-aside" in result.content, result.content
    use_git(place)
    assert not proof.exists()


def test_the_folder_itself_cannot_become_a_bare_repository(place: Place) -> None:
    proof = place.home / "proof"
    place.run(
        "mkdir -p objects refs; echo 'ref: refs/heads/x' > HEAD; printf '[core]\\nrepositoryformatversion = 0\\n"
        f"worktree = .\\nfsmonitor = touch {proof}\\n' > config"
    )
    use_git(place)
    assert not proof.exists()


def test_honest_repositories_are_left_alone(place: Place) -> None:
    result = place.run(
        "git init -q sub && cd sub && git config user.name A && git config user.email a@b.c && echo x > f && "
        "git add f && git commit -q -m first && cd .. && git clone -q sub twin && git -C twin log --oneline"
    )
    assert "first" in result.content and "set-aside" not in result.content and not result.is_error


def test_what_the_user_had_set_in_a_repository_below_stays(place: Place) -> None:
    (place.project / "sub").mkdir()
    place.own()
    git(place, "init", "-q", folder=place.project / "sub")
    git(place, "config", "alias.st", "status", folder=place.project / "sub")
    config = place.project / "sub/.git/config"
    os.utime(config, (1, 1))
    before = config.read_bytes()
    place.run("true")
    result = place.run("cd sub && echo x > f && git add f && git st --short")
    assert "A  f" in result.content and "set-aside" not in result.content
    assert config.read_bytes() == before


def test_mimo_in_the_project_stays_as_it_was(place: Place) -> None:
    place.write("project/.mimo/config.toml", "mine = true")
    place.run("echo 'policy = \"auto\"' > .mimo/config.toml; mv .mimo x; mkdir .mimo; echo evil > .mimo/config.toml")
    assert (place.project / ".mimo/config.toml").read_text() == "mine = true"
    assert [path.name for path in (place.project / ".mimo").iterdir()] == ["config.toml"]


def test_mimo_cannot_be_made_in_the_project(place: Place) -> None:
    place.run("mkdir .mimo; echo 'policy = \"auto\"' > .mimo/config.toml; ln -s .. .mimo")
    assert not os.path.lexists(place.project / ".mimo")
