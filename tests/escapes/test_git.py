"""Ways to make the user's own git run a program, tried by running that git after the command."""

from __future__ import annotations

import os

import pytest

from tests.escapes.own_git import AUTHOR, EVIL, git, use_git
from tests.tools.confined import Place

pytestmark = pytest.mark.slow

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
    "a common folder behind spaces": "git init -q sub; cd sub; x=$(printf '..\\n%100s' ''); mkdir -p \"$x/c\"; "
    'mv .git/objects .git/refs "$x/c"; echo "../$x/c" > .git/commondir; mv .git/config "$x/c"; '
    "git config -f \"$x/c/config\" core.fsmonitor '{evil}'",
    "a common folder without a head": "git init -q sub; cd sub; mkdir -p worktrees/a; mv .git/HEAD worktrees/a; "
    "mv .git/* .; rm -r .git; echo ../.. > worktrees/a/commondir; echo gitdir: worktrees/a > .git; "
    "git config -f config core.fsmonitor '{evil}'",
    "in a folder that cannot be written": "git init -q sub; git -C sub config core.fsmonitor '{evil}'; "
    "chmod 555 sub/.git",
    "in a folder that cannot be listed": "git init -q sub; git -C sub config core.fsmonitor '{evil}'; chmod 311 sub",
    "in a repository that cannot be listed": "git init -q sub; git -C sub config core.fsmonitor '{evil}'; "
    "chmod 311 sub/.git",
    "in hooks that cannot be listed": "git init -q sub; cd sub/.git/hooks; "
    "printf '#!/bin/sh\\n{evil}\\n' > post-index-change; chmod +x *; chmod 311 .",
    "hooks from elsewhere": "git init -q sub; rm -r sub/.git/hooks; mkdir h; "
    "printf '#!/bin/sh\\n{evil}\\n' > h/post-index-change; chmod +x h/*; sleep 0.1; mv h sub/.git/hooks; "
    "touch sub/f; git -C sub add -A",
} | {
    f"behind {name}": f"git init -q sub; printf '[core]\\n#{written}[gc]\\n\\tfsmonitor = {{evil}}\\n' "
    ">> sub/.git/config"
    for name, written in {
        "a form feed": r"\f",
        "a carriage return": r"\r",
        "a file separator": r"\034",
        "a next line": r"\302\205",
        "a line separator": r"\342\200\250",
        "a line that goes on": r"\n\tbare = \\\\\n",
    }.items()
}

IN_TWO_STEPS = {
    "in a closed folder": (
        "mkdir h; git init -q h/sub; git -C h/sub config core.fsmonitor '{evil}'; chmod 000 h",
        "chmod 755 h; mv h/sub sub",
    ),
    "in a closed folder in one": (
        "mkdir -p h/i; git init -q h/i/sub; git -C h/i/sub config core.fsmonitor '{evil}'; chmod 400 h",
        "chmod 755 h; mv h/i/sub sub",
    ),
    "in a closed repository": (
        "git init -q sub; git -C sub config core.fsmonitor '{evil}'; chmod 000 sub/.git",
        "chmod 755 sub/.git",
    ),
    "in a repository that can be listed": (
        "git init -q sub; git -C sub config core.fsmonitor '{evil}'; chmod 400 sub/.git",
        "chmod 755 sub/.git",
    ),
    "in a closed folder of hooks": (
        "git init -q sub; cd sub/.git/hooks; printf '#!/bin/sh\\n{evil}\\n' > post-index-change; chmod +x p*; "
        "chmod 0 .",
        "chmod 755 sub/.git/hooks; touch sub/f; git -C sub add -A",
    ),
    "too deep to look at": (
        "git init -q sub; git -C sub config core.fsmonitor '{evil}'; n=$(printf %200s | tr ' ' x); "
        "for i in $(seq 30); do mkdir t; mv sub t/$n; mv t sub; done",
        "for i in $(seq 30); do mv sub/* t; rmdir sub; mv t sub; done",
    ),
    "hooks made before": (
        "git init -q sub; rm -r sub/.git/hooks; mkdir h; printf '#!/bin/sh\\n{evil}\\n' > h/post-index-change; "
        "chmod +x h/*",
        "mv h sub/.git/hooks; touch sub/f; git -C sub add -A",
    ),
}


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


@pytest.mark.parametrize("is_one_program", [True, False], ids=["in one session", "in two sessions"])
@pytest.mark.parametrize("attempt", IN_TWO_STEPS.values(), ids=IN_TWO_STEPS.keys())
def test_what_one_command_hides_and_another_shows_runs_nothing(
    place: Place, attempt: tuple[str, str], is_one_program: bool
) -> None:
    proof = place.home / "proof"
    commands = [command.replace("{evil}", EVIL.format(proof=proof)) for command in attempt]
    for several in [commands] if is_one_program else [[command] for command in commands]:
        place.run(*several)
    use_git(place)
    assert not proof.exists()


def test_what_hides_among_many_folders_is_found_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.tools.repositories._LIMIT_FOLDERS", 60)
    proof = place.home / "proof"
    hide = (
        f"git init -q sub; git -C sub config core.fsmonitor 'touch {proof}'; "
        "for i in $(seq 70); do mkdir t; mv sub t; mv t sub; done"
    )
    assert "not all were searched" in place.run(hide).content
    place.run("rm -r sub")
    result = place.run(hide, "for i in $(seq 70); do mv sub t; mv t/sub sub; rmdir t; done")
    assert "sub/.git/config could" in result.content
    use_git(place)
    assert not proof.exists()


@pytest.mark.parametrize(
    "setting",
    [
        "extensions.partialClone origin",
        "remote.origin.promisor true",
        "remote.origin.partialCloneFilter blob:none",
        "remote.origin.url ext::evil",
        "remote.origin.pushUrl https://example.com/x",
        "remote.origin.uploadPack evil",
        "remote.origin.vcs evil",
        "url.https://example.com/.insteadOf x",
        "core.sshCommand evil",
        "credential.helper evil",
        "gc.recentObjectsHook evil",
        "commit.gpgSign true",
        "include.path ../../x",
        "includeIf.gitdir:/.path ../../x",
    ],
)
def test_what_makes_git_run_or_send_something_is_not_left(place: Place, setting: str) -> None:
    result = place.run(f"git init -q sub; git -C sub config {setting}")
    assert "sub/.git/config could make git" in result.content


@pytest.mark.parametrize(
    "commands",
    [
        ["git config core.worktree {elsewhere}"],
        ["git config core.worktree ../../../elsewhere"],
        ["git config core.worktree ../../.git"],
        ["git config core.worktree ../../w; ln -s {elsewhere} ../w"],
        ["git config core.worktree ../../w; mkdir ../w; cp -r . ../w", "rm -r ../w; ln -s {elsewhere} ../w"],
        [
            "mkdir ../w; mv .git ../m; echo gitdir: ../m > ../w/.git; git -C ../w config core.worktree ../w",
            "mv ../w ../v; ln -s {elsewhere} ../w; echo gitdir: ../m > .git",
        ],
    ],
)
def test_git_does_not_write_into_other_folders(place: Place, commands: list[str]) -> None:
    git(place, "init", "-q")
    elsewhere = place.write("elsewhere/theirs", "text").parent
    make = "git init -q sub; cd sub; mkdir hooks; echo x | tee planted > hooks/planted; git add .; "
    first, *later = [command.replace("{elsewhere}", str(elsewhere)) for command in commands]
    commit = "git -c user.name=a -c user.email=a@b commit -q -m x; "
    place.run(make + commit + first, *(f"cd sub; {command}" for command in later))
    git(place, "reset", "--hard", folder=place.project / "sub")
    assert [path.name for path in elsewhere.iterdir()] == ["theirs"]
    assert not (place.project / ".git/hooks/planted").exists()


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


@pytest.mark.parametrize(
    "command",
    [
        "git clone -q --mirror sub m && git -C m log --oneline",
        "git -C sub worktree add -q ../w && git -C w log --oneline && git -C w commit -q --allow-empty -m x",
        "git init -q top && cd top && git -c protocol.file.allow=always submodule --quiet add ../sub s && git -C s log",
        "git init -q --bare b && git -C sub push -q ../b HEAD && git -C b log --oneline --all",
        "git init -q --separate-git-dir d s && git -C s status",
        "cd sub && git config user.name 'Zoë \"Z\" O; #1' && git config branch.x.description 'a\nb\tc\\' && git status",
        "cd sub && git config commit.gpgSign false && git gc -q && git stash list && git status",
        "cd sub && git checkout -q -b x && git commit -q --allow-empty -m x && git rebase -q -x true HEAD~1 && git log",
    ],
)
def test_honest_work_with_repositories_is_left_alone(place: Place, command: str) -> None:
    make = f"git init -q sub && git -C sub {' '.join(AUTHOR)} commit -q --allow-empty -m first"
    environment = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b"
    result = place.run(f"{make} && {environment} && {command}", "git -C sub status")
    assert not result.is_error, result.content
    result = place.run(f"rm -rf sub && {make} && {environment} && rm -rf m w top b d s && {command}")
    assert not result.is_error and "set-aside" not in result.content, result.content


@pytest.mark.parametrize("mode", [0, 0o311])
def test_a_folder_of_the_users_that_is_closed_changes_nothing(place: Place, mode: int) -> None:
    closed = place.write("project/closed/x", "text").parent
    closed.chmod(mode)
    place.run("true")
    (place.project / "sub").mkdir()
    place.own()
    git(place, "init", "-q", folder=place.project / "sub")
    git(place, "config", "alias.st", "status", folder=place.project / "sub")
    result = place.run("git -C sub st --short; echo x > sub/f", "git -C sub st --short")
    assert "?? f" in result.content and "set-aside" not in result.content
    assert closed.stat().st_mode & 0o777 == mode
    closed.chmod(0o755)


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
