"""What stays read-only inside the project, whatever a command tries, and what is left of the means afterwards."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path
from typing import TextIO

import pytest

from tests.tools.confined import Place, end
from tui.tools.sandbox import Sandbox

pytestmark = pytest.mark.slow

EVIL = "[core]\n\tfsmonitor = touch /tmp/pwned\n"


def git(place: Place, *arguments: str, folder: Path | None = None) -> str:
    command = ["git", "-c", "safe.directory=*", "-c", "user.name=A", "-c", "user.email=a@b.c", *arguments]
    result = subprocess.run(command, cwd=folder or place.project, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    place.own()
    return result.stdout


def state_of(folder: Path) -> dict[str, object]:
    """Names, kinds, modes and contents, to compare."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


ON_GIT = [
    "echo evil > .git/hooks/pre-commit",
    "echo evil >> .git/config",
    "git config core.fsmonitor evil",
    "git config core.hooksPath ../evil",
    "rm -rf .git/hooks .git/config",
    "mv .git/hooks h; mkdir .git/hooks; echo evil > .git/hooks/pre-commit",
    "mv .git x; mkdir -p .git/hooks; echo evil > .git/hooks/pre-commit",
    "mv .git x; cp -r x .git; echo evil >> .git/config",
    "rm -rf .git; git init -q; echo evil >> .git/config",
    "ln .git/config twin && echo evil >> twin",
    "ln -sfn evil .git/hooks; ln -sf evil .git/config",
    "chmod -R 777 .git/hooks .git/config; echo evil >> .git/config",
    "umount .git/config .git/hooks .git; echo evil >> .git/config",
    "unshare -Urm sh -c 'umount -l .git/config; mount -o remount,rw,bind .git/config; echo evil >> .git/config'",
    "unshare -Urm sh -c 'mkdir m; mount --rbind . m; umount -l m/.git/config m/.git; echo evil >> m/.git/config'",
    "echo evil > .git/x; mv .git/x .git/config",
    "cp .git/config c; echo evil >> c; mv -f c .git/config",
]


@pytest.mark.parametrize("attempt", ON_GIT)
def test_hooks_and_configuration_of_git_stay_as_they_were(place: Place, attempt: str) -> None:
    git(place, "init", "-q")
    kept = [place.project / ".git" / name for name in ("config", "hooks")]
    before = kept[0].read_bytes(), state_of(kept[1])
    place.run(attempt)
    assert (kept[0].read_bytes(), state_of(kept[1])) == before
    assert not kept[0].is_symlink() and not kept[1].is_symlink()


def test_git_itself_works(place: Place) -> None:
    git(place, "init", "-q")
    result = place.run(
        "touch a; git add a; git -c user.name=A -c user.email=a@b.c commit -q -m first; git switch -q -c b; git log"
    )
    assert "first" in result.content and not result.is_error


def test_another_configuration_cannot_be_slipped_in(place: Place) -> None:
    git(place, "init", "-q")
    result = place.run("mkdir evil; cp .git/config evil/; echo ../evil > .git/commondir")
    assert not (place.project / ".git" / "commondir").exists()
    assert ".git/commondir was removed" in result.content


def test_a_second_configuration_that_git_would_read_cannot_be_made(place: Place) -> None:
    git(place, "init", "-q")
    git(place, "config", "extensions.worktreeConfig", "true")
    result = place.run("echo evil > .git/config.worktree; git status")
    assert not (place.project / ".git" / "config.worktree").exists()
    assert "No commits yet" in result.content


@pytest.mark.parametrize(
    "attempt",
    [
        "mkdir .mimo/agents",
        "mkdir -p .mimo && echo evil > .mimo/config.toml",
        "rmdir .mimo; rm -rf .mimo; mkdir .mimo; echo evil > .mimo/config.toml",
        "mv .mimo x; mkdir .mimo",
        "ln -sfn /tmp .mimo",
        "mkdir evil; mv -T evil .mimo; mv -T --exchange evil .mimo",
        "git init -q; mkdir -p .git/hooks; echo evil > .git/hooks/pre-commit",
        "echo 'gitdir: evil' > .git",
        "rmdir .git; echo 'gitdir: evil' > .git",
    ],
)
def test_what_does_not_exist_yet_cannot_be_made(place: Place, attempt: str) -> None:
    place.run(attempt)
    assert not (place.project / ".mimo").exists() and not (place.project / ".git").exists()


def test_settings_of_the_project_stay_as_they_were(place: Place) -> None:
    place.write("project/.mimo/config.toml", "mine")
    before = state_of(place.project / ".mimo")
    place.run("echo evil > .mimo/config.toml; rm -rf .mimo; mv .mimo x; mkdir .mimo; touch .mimo/new")
    assert state_of(place.project / ".mimo") == before


def test_hooks_that_do_not_exist_yet_cannot_be_made(place: Place) -> None:
    git(place, "init", "-q", "--template=")
    (place.project / ".git" / "config").unlink()
    before = state_of(place.project / ".git")
    place.run("mkdir -p .git/hooks; echo evil > .git/hooks/pre-commit; echo evil > .git/config")
    assert state_of(place.project / ".git") == before


def test_the_git_file_of_a_worktree_stays_as_it_was(place: Place) -> None:
    main = place.home / "main"
    main.mkdir()
    git(place, "init", "-q", folder=main)
    git(place, "commit", "-q", "--allow-empty", "-m", "first", folder=main)
    place.project.rmdir()
    git(place, "worktree", "add", "-q", str(place.project), folder=main)
    before = (place.project / ".git").read_text(), state_of(main)
    result = place.run(
        "rm -f .git; mv .git x; echo 'gitdir: evil' > .git; mkdir -p .git/hooks; "
        "echo evil >> ~/main/.git/config; echo evil > ~/main/.git/hooks/pre-commit; git log --oneline"
    )
    assert ((place.project / ".git").read_text(), state_of(main)) == before
    assert "first" in result.content


def test_git_data_elsewhere_in_the_project_is_kept_too(place: Place) -> None:
    git(place, "init", "-q", "--separate-git-dir", str(place.project / ".bare"))
    before = (place.project / ".bare" / "config").read_bytes()
    place.run("echo evil >> .bare/config; mv .bare x; cp -r x .bare; echo evil >> .bare/config; rm -f .git; mkdir .git")
    assert (place.project / ".bare" / "config").read_bytes() == before
    assert (place.project / ".git").is_file()


def test_git_data_of_submodules_is_kept_too(place: Place) -> None:
    git(place, "init", "-q")
    config = place.write("project/.git/modules/sub/config", "mine")
    place.run("echo evil >> .git/modules/sub/config; mv .git/modules x; mkdir -p .git/modules/sub")
    assert config.read_text() == "mine"


@pytest.mark.parametrize("name", [".git", ".mimo", ".git/hooks", ".git/config"])
def test_a_link_that_cannot_be_kept_in_its_place_is_refused(place: Place, sandbox: Sandbox, name: str) -> None:
    if name.startswith(".git/"):
        (place.project / ".git").mkdir()
    place.write("elsewhere/x", "")
    (place.project / name).symlink_to(place.home / "elsewhere")
    place.own()
    objection = sandbox.objection(place.project)
    assert objection is not None and name in objection and "symbolic link" in objection
    result = place.run("touch ran")
    assert result.is_error and name in result.content
    assert not (place.project / "ran").exists()


@pytest.mark.parametrize(
    "folder", ["/", "/tmp", "/etc", "/home", "/proc", "/proc/self", "HOME", "HOME/..", "HOME/.ssh"]
)
def test_a_folder_that_is_too_broad_is_refused(place: Place, sandbox: Sandbox, folder: str) -> None:
    place.write(".ssh/id", "")
    assert sandbox.objection(Path(folder.replace("HOME", str(place.home))))
    assert sandbox.objection(place.project) is None


def test_the_programs_folders_in_the_project_are_hidden(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place.project / "xdg"))
    config = place.write("project/xdg/mimo-tui/config.toml", "hunter2")
    result = place.run(
        "cat xdg/mimo-tui/config.toml; mv xdg x; cat x/mimo-tui/config.toml; mkdir -p xdg/mimo-tui; "
        "echo evil > xdg/mimo-tui/config.toml; rm -rf xdg"
    )
    assert "hunter2" not in result.content and config.read_text() == "hunter2"


def test_the_programs_folders_in_the_project_cannot_be_made(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place.project / "xdg"))
    place.run("mkdir -p xdg/mimo-tui; echo evil > xdg/mimo-tui/config.toml; mv xdg x; mkdir xdg")
    assert not (place.project / "xdg").exists()


def test_the_program_itself_in_the_project_stays_as_it_was(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(place.project / ".venv"))
    program = place.write("project/.venv/bin/rg", "mine")
    place.run("echo evil > .venv/bin/rg; mv .venv x; mkdir -p .venv/bin; echo evil > .venv/bin/rg")
    assert program.read_text() == "mine"


def test_mount_points_are_gone_afterwards(place: Place) -> None:
    assert ".mimo" in place.run("ls -A").content
    assert list(place.project.iterdir()) == []
    git(place, "init", "-q", "--template=")
    before = state_of(place.project)
    place.run("true")
    assert state_of(place.project) == before


def first_words(fifo: Path, output: int) -> TextIO:
    """The reading end of a pipe into which a command has begun to write; fails with what it said if it ends instead."""
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    ready, _, _ = select.select([reader, output], [], [], 60)
    assert reader in ready, os.read(output, 10_000).decode() if output in ready else "the command does not begin"
    os.set_blocking(reader, True)
    return os.fdopen(reader)


def test_what_the_user_has_put_there_meanwhile_stays(place: Place) -> None:
    os.mkfifo(place.project / "fifo")
    place.own()
    pid, output = place.start("echo ready > fifo; read line < fifo")
    with first_words(place.project / "fifo", output) as file:
        assert file.read() == "ready\n"
    (place.project / ".mimo" / "config.toml").write_text("mine")
    (place.project / "fifo").write_text("go on\n")
    os.waitpid(pid, 0)
    os.close(output)
    assert (place.project / ".mimo" / "config.toml").read_text() == "mine"
    assert not (place.project / ".mimo").stat().st_mode & 0o1000
    assert not (place.project / ".git").exists()


def test_the_last_of_several_commands_removes_the_mount_points(place: Place) -> None:
    os.mkfifo(place.project / "fifo")
    place.own()
    pid, output = place.start("echo ready > fifo; read line < fifo; mkdir .mimo/x .git/x; ls -A")
    with first_words(place.project / "fifo", output) as file:
        assert file.read() == "ready\n"
    place.run("true")  # begins and ends in the meantime
    assert (place.project / ".mimo").exists() and (place.project / ".git").exists()
    (place.project / "fifo").write_text("go on\n")
    os.waitpid(pid, 0)
    with os.fdopen(output) as file:
        assert "Read-only file system" in file.read()
    assert [path.name for path in place.project.iterdir()] == ["fifo"]


def test_a_program_that_was_killed_leaves_nothing_running_and_the_next_command_cleans_up(place: Place) -> None:
    os.mkfifo(place.project / "fifo")
    place.own()
    pid, output = place.start("exec 9> fifo; echo ready >&9; setsid sleep 1000")
    with first_words(place.project / "fifo", output) as file:
        assert file.readline() == "ready\n"
        end(pid)
        assert file.read() == ""  # all that had it open has ended
    os.close(output)
    assert (place.project / ".mimo").exists()
    (place.project / "fifo").unlink()
    place.run("true")
    assert list(place.project.iterdir()) == []


def test_a_process_in_the_background_cannot_win_a_race_at_the_end(place: Place) -> None:
    loop = "(while :; do mkdir -p .mimo/evil; done) >/dev/null 2>&1 &"
    for _ in range(10):
        place.run(f"for i in 1 2 3 4; do {loop} done")
        assert list(place.project.iterdir()) == []


def test_what_a_killed_program_left_goes_when_the_sandbox_is_next_tried_there(folder: Path, sandbox: Sandbox) -> None:
    if sandbox.name != "bubblewrap":
        pytest.skip("only bubblewrap needs mount points")
    (folder / ".mimo").mkdir(0o1755)
    (folder / ".git").mkdir(0o1755)
    assert sandbox.objection(folder) is None
    assert list(folder.iterdir()) == []
    (folder / ".mimo").mkdir()
    assert sandbox.objection(folder) is None
    assert [path.name for path in folder.iterdir()] == [".mimo"]  # the user's own
