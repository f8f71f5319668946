"""Links, and files in their place, that lead the user's own git elsewhere, some of them only later."""

from __future__ import annotations

import os

import pytest

from tests.escapes.own_git import AUTHOR, EVIL, git, use_git
from tests.tools.confined import Place

pytestmark = pytest.mark.slow

PREPARED = (
    "git init -q sub; cd sub/.git; rm -r hooks; mkdir -p ../../p/x; "
    "printf '#!/bin/sh\\n{evil}\\n' > ../../p/x/post-index-change; chmod +x ../../p/x/*; "
)
"""A repository, and a folder for hooks that comes to another place with the folder around it, and keeps its times."""

LEADING_NOWHERE = {
    "hooks": "ln -s ../../q/x hooks",
    "config": "cp config ../../p/x/f; git config -f ../../p/x/f core.fsmonitor '{evil}'; ln -sf ../../q/x/f config",
    "config.worktree": "git config extensions.worktreeConfig true; git config -f ../../p/x/f core.fsmonitor '{evil}'; "
    "ln -s ../../q/x/f config.worktree",
    "commondir": "cp config ../../p/x; git config -f ../../p/x/config core.fsmonitor '{evil}'; "
    "mkdir ../../p/x/objects; echo ../../q/x > ../../p/x/f; ln -s ../../q/x/f commondir",
    "config of a HEAD": "mv HEAD ../../p/x/f; git config -f config core.fsmonitor '{evil}'; ln -s ../../q/x/f HEAD",
    "modules": "ln -s ../../q/x modules",
}


@pytest.mark.parametrize(("name", "attempt"), LEADING_NOWHERE.items(), ids=LEADING_NOWHERE.keys())
def test_a_link_is_set_aside_before_what_it_leads_to_is_there(place: Place, name: str, attempt: str) -> None:
    proof = place.home / "proof"
    result = place.run((PREPARED + attempt).replace("{evil}", EVIL.format(proof=proof)))
    assert f"sub/.git/{name.split()[0]} could" in result.content, result.content
    place.run("mv p q; touch sub/f")
    use_git(place)
    assert not proof.exists()


def test_a_link_for_hooks_that_leads_somewhere_later_runs_nothing(place: Place) -> None:
    proof = place.home / "proof"
    attempt = PREPARED + LEADING_NOWHERE["hooks"]
    place.run(attempt.replace("{evil}", EVIL.format(proof=proof)), "mv p q; touch sub/f")
    use_git(place)
    assert not proof.exists()


def test_modules_of_the_projects_own_repository_stay_in_it(place: Place) -> None:
    git(place, "init", "-q")
    assert "set-aside" in place.run(f"ln -s {place.home}/other .git/modules").content
    assert not os.path.lexists(place.project / ".git/modules")


def test_a_repository_that_is_moved_does_not_come_to_write_elsewhere(place: Place) -> None:
    elsewhere = place.write("elsewhere/theirs", "text").parent
    make = (
        "git init -q --bare p/q/repo; mkdir elsewhere; echo gitdir: ../p/q/repo > elsewhere/.git; cd elsewhere; "
        "echo x > planted; git config core.bare false; git config core.worktree ../../../elsewhere; git add planted; "
    )
    move = "mv p/q q; mkdir sub; echo gitdir: ../q/repo > sub/.git; rm -r elsewhere"
    result = place.run(make, move)
    git(place, "reset", "--hard", folder=place.project / "sub")
    git(place, "checkout-index", "-a", "-f", folder=place.project / "q/repo")
    assert [path.name for path in elsewhere.iterdir()] == ["theirs"]
    assert "q/repo/config could" in result.content, result.content


def test_a_work_tree_that_the_user_has_elsewhere_stays(place: Place) -> None:
    elsewhere = place.write("elsewhere/theirs", "text").parent
    (place.project / "p/repo").mkdir(parents=True)
    place.own()
    git(place, "init", "-q", "--bare", folder=place.project / "p/repo")
    git(place, "config", "core.worktree", str(elsewhere), folder=place.project / "p/repo")
    result = place.run("true", "mv p q", "ls q/repo")
    assert "config\n" in result.content and "set-aside" not in result.content


LEADING_OUT = {
    "a file": ("mkdir sub; echo gitdir: {other} > sub/.git",),
    "a relative file": ("mkdir sub; echo gitdir: ../../other/.git > sub/.git",),
    "a file with a space": ("mkdir sub; ln -s {other} 'sub/x '; mkdir sub/x; echo 'gitdir: x ' > sub/.git",),
    "a link": ("mkdir sub; ln -s {other} sub/.git",),
    "a link to a file": ("mkdir sub; echo gitdir: {other} > sub/x; ln -s x sub/.git",),
    "a link to the user's file": ("mkdir sub; ln -s ../theirs/.git sub/.git",),
    "moved": ("mkdir -p p/sub; echo gitdir: ../../other/.git > p/sub/.git", "mv p/sub sub"),
    "through a folder": (
        "mkdir sub; echo gitdir: ../d/.git > sub/.git",
        "ln -s {other}/.. d",
    ),
    "in a closed folder": ("mkdir sub; echo gitdir: {other} > sub/.git; chmod 0 sub", "chmod 755 sub"),
}


@pytest.mark.parametrize("attempt", LEADING_OUT.values(), ids=LEADING_OUT.keys())
def test_files_of_the_project_are_no_hooks_of_another_repository(place: Place, attempt: tuple[str, ...]) -> None:
    other = place.write("other/x", "text").parent
    place.write("project/theirs/.git", f"gitdir: {other}/.git\n")
    git(place, "init", "-q", folder=other)
    git(place, "config", "core.hooksPath", ".husky", folder=other)
    proof = place.home / "proof"
    first, *later = [command.replace("{other}", f"{other}/.git") for command in attempt]
    hook = (
        f"mkdir sub/.husky; printf '#!/bin/sh\\ntouch {proof}\\n' > sub/.husky/post-index-change; chmod +x sub/.husky/*"
    )
    result = place.run("true", first, *later, hook)
    use_git(place)
    assert not proof.exists(), result.content
    assert (place.project / "theirs/.git").exists()


REMOTES = {
    "a file": ("mkdir -p .git/remotes; printf '{remote}' > .git/remotes/origin",),
    "an old file": ("mkdir -p .git/branches; echo '{other}#x' > .git/branches/origin",),
    "moved there": ("mkdir -p r; printf '{remote}' > r/origin", "rm -rf .git/remotes; mv r .git/remotes"),
    "by a link": (
        "rm -rf .git/remotes; ln -s ../q/r .git/remotes; mkdir -p p/r; printf '{remote}' > p/r/origin",
        "mv p q",
    ),
    "in a closed folder": ("mkdir -p .git/remotes; printf '{remote}' > .git/remotes/origin; chmod 311 .git/remotes",),
    "again": ("mkdir -p .git/remotes; touch .git/remotes/origin", "printf '{remote}' > .git/remotes/origin"),
}


@pytest.mark.parametrize("attempt", REMOTES.values(), ids=REMOTES.keys())
def test_git_pushes_nowhere_by_what_a_command_has_written(place: Place, attempt: tuple[str, ...]) -> None:
    other = place.write("other/x", "text").parent
    git(place, "init", "-q", "--bare", folder=other)
    git(place, "init", "-q", "-b", "x")
    git(place, "commit", "-q", "--allow-empty", "-m", "x")
    remote = f"URL: {other}\\nPush: refs/heads/x:refs/heads/x\\n"
    place.run(*(command.replace("{remote}", remote).replace("{other}", str(other)) for command in attempt))
    git(place, "push")
    git(place, "push", "origin", "x")
    assert not (other / "refs/heads/x").exists()


def test_where_the_user_pushes_to_stays(place: Place) -> None:
    git(place, "init", "-q", "-b", "x")
    remote = place.write("project/.git/remotes/origin", "URL: ../other\n")
    result = place.run("true", f"git {' '.join(AUTHOR)} commit -q --allow-empty -m x; git log --oneline")
    assert "set-aside" not in result.content and remote.read_text() == "URL: ../other\n"


def test_a_configuration_that_git_only_reads_later_is_not_left(place: Place) -> None:
    git(place, "init", "-q")
    proof = place.home / "proof"
    place.run(f"git config -f .git/config.worktree core.fsmonitor 'touch {proof}; false'")
    git(place, "sparse-checkout", "set", "x")  # from now on git reads it
    use_git(place)
    assert not proof.exists()
