"""The state of the folder is told without running anything that lies in it, and without waiting for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tui.agent.project.folder_state import folder_state
from tui.tools.sandbox import find_sandbox


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a").write_text("old")
    git(folder, "add", "a")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def sub_repository(project: Path, name: str) -> Path:
    """One that git goes into from the outer repository, with a file that has changed."""
    inner = project / name
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "f").write_text("old")
    git(inner, "add", ".")
    git(inner, "commit", "-q", "-m", "first")
    git(project, "add", name)
    (inner / "f").write_text("new")  # of the same length: git has to look into it
    return inner


def test_changed_files_are_counted(project: Path) -> None:
    assert find_sandbox() is not None
    assert "Git: branch main, nothing changed." in folder_state(project, is_trusted=True)
    (project / "a").write_text("new")
    (project / "b").write_text("new")
    assert "Git: branch main, 2 files changed." in folder_state(project, is_trusted=True)
    assert "Git: branch main." in folder_state(project, is_trusted=False)


@pytest.mark.parametrize("how", ["filter", "monitor", "filter of the outer one"])
def test_no_program_that_a_repository_names_is_run(project: Path, tmp_path: Path, how: str) -> None:
    evil = f"touch {tmp_path}/pwned; cat"
    inner = sub_repository(project, "inner")
    if how == "monitor":
        git(inner, "config", "core.fsmonitor", evil)
    else:
        where = project if how == "filter of the outer one" else inner
        git(where, "config", "filter.x.clean", evil)
        (where / ".gitattributes").write_text("* filter=x\n")
        (where / ("a" if where is project else "f")).write_text("dif")
    folder_state(project, is_trusted=True)
    assert not (tmp_path / "pwned").exists()
    git(project, "status")  # by the user's own git it would be
    assert (tmp_path / "pwned").exists()


def test_nothing_is_sent(project: Path, tmp_path: Path) -> None:
    """A missing object makes git ask the remote that a repository names, which here leaves a trace."""
    inner = sub_repository(project, "inner")
    tree = git(inner, "rev-parse", "HEAD^{tree}")
    for name, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::touch {tmp_path}/sent",
        "protocol.ext.allow": "always",
    }.items():
        git(inner, "config", name, value)
    (inner / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    folder_state(project, is_trusted=True)
    assert not (tmp_path / "sent").exists()
    subprocess.run(["git", "-C", str(project), "status"], capture_output=True, check=False)
    assert (tmp_path / "sent").exists(), "by the user's own git it would be"


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("kind", ["pipe", "endless", "pipe as .git"])
def test_what_is_no_regular_file_is_not_waited_for(home: Path, tmp_path: Path, kind: str, trusted: bool) -> None:
    if kind == "pipe as .git":
        os.mkfifo(tmp_path / ".git")
    else:
        (tmp_path / ".git").mkdir()
        head = tmp_path / ".git" / "HEAD"
        os.mkfifo(head) if kind == "pipe" else head.symlink_to("/dev/zero")
    assert folder_state(tmp_path, is_trusted=trusted).startswith("Today is")
