"""What in git's own folder, and from files that tools write, makes the user's own git run a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.escapes.own_git import AUTHOR, EVIL, git, use_git
from tests.tools.confined import Place
from tui.tools.apply_patch import ApplyPatch
from tui.tools.base import Outcome, ToolContext
from tui.tools.write_file import WriteFile

pytestmark = pytest.mark.slow

STOPPED = (
    f"git {' '.join(AUTHOR)} -c sequence.editor='sed -i 1ibreak' rebase -q -i HEAD~2; cd .git; s=rebase-merge; "
    "mkdir ../git-merge-x; printf '#!/bin/sh\\n{evil}\\n' > ../git-merge-x/y; chmod +x ../git-merge-x/y; "
)

STEPS = {
    "a step": ("echo 'exec {evil}' >> $s/git-rebase-todo",),
    "a short step": ("printf ' x\\t{evil}\\n' > $s/git-rebase-todo",),
    "a strategy": (f"echo x/y > $s/strategy; git -C .. {' '.join(AUTHOR)} commit -q --allow-empty -m x",),
    "of a selection": (
        "cd ..; git rebase --abort; git checkout -q HEAD~2; mkdir .git/sequencer; cd .git/sequencer; "
        "git rev-parse HEAD > head; git log --reverse --format='pick %H' ..master > todo; "
        "printf '[options]\\n\\tstrategy = x/y\\n' > opts",
    ),
    "moved there": (
        "echo 'exec {evil}' >> $s/git-rebase-todo; mv $s ../r; git -C .. status",
        "mv r .git/rebase-merge",
    ),
    "behind a link": (
        "mv $s ../r; ln -s ../r $s; cat $s/git-rebase-todo",
        "echo 'exec {evil}' > r/git-rebase-todo",
    ),
    "behind a link to what comes there": (
        "mv $s ../a; mkdir ../b; cp -r ../a ../b/r; echo 'exec {evil}' >> ../b/r/git-rebase-todo; mkdir ../c; "
        "mv ../a ../c/r; ln -s ../c/r $s",
        "rm -r c; mv b c",
    ),
    "in a closed folder": (
        "echo 'exec {evil}' >> $s/git-rebase-todo; chmod 0 $s",
        "chmod 755 .git/rebase-merge",
    ),
}


def three_commits(place: Place) -> None:
    git(place, "init", "-q", "-b", "master")
    for number in range(3):
        place.write(f"project/{number}", "text")
        git(place, "add", "-A")
        git(place, "commit", "-q", "-m", f"{number}")


@pytest.mark.parametrize("attempt", STEPS.values(), ids=STEPS.keys())
def test_steps_of_a_rebase_that_a_command_has_written_run_nothing(place: Place, attempt: tuple[str, ...]) -> None:
    three_commits(place)
    proof = place.home / "proof"
    first, *later = [command.replace("{evil}", EVIL.format(proof=proof)) for command in attempt]
    place.run(STOPPED.replace("{evil}", EVIL.format(proof=proof)) + first, *later)
    for arguments in (["rebase", "--continue"], ["cherry-pick", "--continue"]):
        git(place, *arguments)
    assert not proof.exists()


def test_a_rebase_of_plain_steps_goes_on(place: Place) -> None:
    three_commits(place)
    author = " ".join(AUTHOR)
    edit = "sed -i -e 2s/pick/squash/ -e 1abreak"
    first = f"git {author} -c sequence.editor='{edit}' rebase -i HEAD~2; cat .git/rebase-merge/git-rebase-todo"
    result = place.run(
        first, f"git {author} -c core.editor=true rebase --continue; git log --oneline | wc -l; git status"
    )
    assert "set-aside" not in result.content and "\n2\n" in f"\n{result.content}" and "clean" in result.content


def test_the_users_own_steps_stay_when_a_command_goes_on_with_a_rebase(place: Place) -> None:
    three_commits(place)
    git(place, "-c", "sequence.editor=sed -i -e 1ibreak -e '1abreak' -e '$aexec true'", "rebase", "-i", "HEAD~2")
    steps = place.project / ".git/rebase-merge/git-rebase-todo"
    assert "exec true" in steps.read_text()
    result = place.run(f"git {' '.join(AUTHOR)} rebase --continue")
    assert "set-aside" not in result.content and "exec true" in steps.read_text()


FILES = {
    "a configuration": ("git init -q --separate-git-dir data sub", ["data/config"]),
    "in capitals": ("git init -q --separate-git-dir data sub; rm data/config", ["data/CONFIG", "data/config"]),
    "of worktrees": (
        "git init -q --separate-git-dir data sub; git -C sub config extensions.worktreeConfig true",
        ["data/config.worktree"],
    ),
    "a common folder": (
        "git init -q --separate-git-dir data sub; mkdir e; mv data/HEAD e; echo gitdir: ../e > sub/.git; "
        "printf ../data > e/commondir",
        ["data/config"],
    ),
    "a common folder from here on": (
        "git init -q --separate-git-dir data sub; mkdir e; mv data/config data/refs data/objects e; "
        "git config -f e/config core.fsmonitor '{evil}'",
        ["data/commondir"],
    ),
    "the last of a repository": (
        "git init -q --separate-git-dir data sub; git -C sub config core.fsmonitor '{evil}'; mv data/HEAD HEAD",
        ["data/HEAD"],
    ),
    "all of a repository": (
        "mkdir data sub; echo gitdir: ../data > sub/.git",
        ["data/config", "data/HEAD", "data/refs/x", "data/objects/x"],
    ),
}
CONTENTS = {
    "config": "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {evil}\n",
    "config.worktree": "[core]\n\tfsmonitor = {evil}\n",
    "commondir": "../e\n",
    "HEAD": "ref: refs/heads/x\n",
}


@pytest.mark.parametrize(("command", "names"), FILES.values(), ids=FILES.keys())
async def test_files_that_are_written_make_git_run_nothing(place: Place, command: str, names: list[str]) -> None:
    proof = place.home / "proof"
    evil = EVIL.format(proof=proof)
    place.run(command.replace("{evil}", evil))
    outcomes = []
    for name in names:
        content = CONTENTS.get(Path(name).name, "").replace("{evil}", evil)
        context = ToolContext(place.project, None)
        desk = context.desk
        if (place.project / name).exists():
            desk.seen.saw(place.project / name)
        outcomes += [outcome async for outcome in WriteFile().run({"path": name, "content": content}, context)]
    place.own()
    assert any(isinstance(outcome, Outcome) and "read-only" in outcome.content for outcome in outcomes), outcomes
    use_git(place)
    assert not proof.exists()


async def test_a_patch_makes_no_repository(place: Place) -> None:
    place.run("mkdir data sub; echo gitdir: ../data > sub/.git")
    proof = place.home / "proof"
    contents = CONTENTS | {"objects/x": "x\n", "refs/x": "x\n"}
    del contents["config.worktree"], contents["commondir"]
    files = "".join(
        f"*** Add File: data/{name}\n" + "".join(f"+{line}\n" for line in text.splitlines())
        for name, text in contents.items()
    )
    patch = f"*** Begin Patch\n{files}*** End Patch\n".replace("{evil}", EVIL.format(proof=proof))
    outcomes = [outcome async for outcome in ApplyPatch().run({"patch": patch}, ToolContext(place.project, None))]
    place.own()
    assert "read-only" in str(outcomes[-1]) and not (place.project / "data/HEAD").exists(), outcomes
    use_git(place)
    assert not proof.exists()
