"""Links, and files in their place, that lead the user's own git elsewhere, some of them only later."""

from __future__ import annotations

import os

import pytest

from tests.escapes.own_git import EVIL, git, use_git
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
