"""Where paths lead: what counts as inside, outside and protected decides what is asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tui.tools.paths import locate


@pytest.mark.parametrize("path", [".", "", "a", "a/b/c", "./a/../b", "a//b", "~", "~/x", "..a", "a/..b"])
def test_what_is_in_the_folder_is_inside(folder: Path, path: str) -> None:
    location = locate(folder, path)
    assert location.inside and not location.protected and not location.error
    assert location.path.is_relative_to(folder)


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "/", "/etc/passwd", "//etc/passwd", "../project2"])
def test_what_is_not_in_the_folder_is_outside(folder: Path, path: str) -> None:
    assert not locate(folder, path).inside


def test_a_home_sign_is_a_name_like_any_other(folder: Path) -> None:
    assert locate(folder, "~/.ssh").path == folder / "~" / ".ssh"


def test_an_absolute_path_into_the_folder_is_inside(folder: Path) -> None:
    assert locate(folder, str(folder / "a")).inside


def test_a_link_out_of_the_folder_is_outside(folder: Path) -> None:
    (folder / "link").symlink_to("/etc")
    (folder / "file").symlink_to("/etc/passwd")
    (folder / "dangling").symlink_to("/nowhere/x")
    for path in ("link", "link/passwd", "link/not/there", "file", "dangling", "dangling/y"):
        location = locate(folder, path)
        assert not location.inside, path
    assert locate(folder, "link/passwd").path == Path("/etc/passwd")


def test_going_up_behind_a_link_starts_from_where_it_leads(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/ssl")
    assert locate(folder, "link/../passwd").path == Path("/etc/passwd")


def test_a_link_within_the_folder_is_inside(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    assert locate(folder, "link/new/file") == (folder / "real/new/file", True, False, "")


def test_a_folder_that_is_reached_through_a_link_is_still_the_folder(folder: Path) -> None:
    alias = folder.parent / "alias"
    alias.symlink_to(folder)
    assert locate(alias, "a").inside
    assert locate(alias, str(folder / "a")).inside
    assert locate(folder, str(alias / "a")).inside


@pytest.mark.parametrize(
    "path",
    [
        ".git",
        ".git/config",
        ".git/hooks",
        ".git/hooks/pre-commit",
        ".git/config.worktree",
        ".git/commondir",
        ".git/modules/a/config",
        ".git/rebase-merge/git-rebase-todo",
        ".git/rebase-apply/apply-opt",
        ".git/sequencer/opts",
        ".git/remotes/origin",
        ".git/branches/origin",
        ".mimo",
        ".mimo/config.toml",
        ".GIT/config",
        ".Mimo/agents/x",
        "a/../.git/hooks/x",
        "vendor/lib/.git/config",
    ],
)
def test_what_makes_programs_run_is_protected(folder: Path, path: str) -> None:
    location = locate(folder, path)
    assert location.protected and location.inside


@pytest.mark.parametrize(
    "path", ["git/config", ".github/hooks", ".gitignore", ".git/info/exclude", "hooks", "a.mimo", ".mimo2"]
)
def test_what_only_looks_like_it_is_not(folder: Path, path: str) -> None:
    assert not locate(folder, path).protected


def test_a_link_to_what_is_protected_is_protected(folder: Path) -> None:
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / "link").symlink_to(".git/hooks")
    assert locate(folder, "link/pre-commit").protected


def test_git_data_in_another_place_is_protected_too(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", "--separate-git-dir", folder / "data"], cwd=folder, check=True)
    assert locate(folder, "data/config").protected and locate(folder, "data/hooks/x").protected
    assert not locate(folder, "data/info/exclude").protected


def test_the_data_of_any_repository_is_protected_whatever_its_folder_is_called(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", folder / "a" / "data"], check=True)
    for name in ("config", "hooks/x", "worktrees/x/config", "rebase-merge/git-rebase-todo", "HEAD", "objects/info/x"):
        assert locate(folder, f"a/data/{name}").protected, name
    assert locate(folder / "a" / "data", "config").protected
    assert not locate(folder, "a/data/info/exclude").protected and not locate(folder, "a/config").protected


def test_the_last_that_makes_a_folder_a_repository_is_protected(folder: Path) -> None:
    (folder / "a" / "objects").mkdir(parents=True)
    assert locate(folder, "a/HEAD").protected and locate(folder, "a/refs/x").protected
    assert not locate(folder, "a/objects/x").protected and not locate(folder, "a/config").protected
    (folder / "a" / "HEAD").touch()
    assert locate(folder, "a/config").protected and locate(folder, "a/objects/x").protected


def test_git_data_behind_a_link_is_protected_too(folder: Path) -> None:
    (folder / "data" / "hooks").mkdir(parents=True)
    (folder / ".git").symlink_to("data")
    assert locate(folder, "data/hooks/x").protected


@pytest.mark.parametrize(
    "path",
    ["a\0b", "\0", "\ud800", "x" * 256, "new/" + "é" * 128 + "/x", "x" * 5000, "a/" * 2048],
    ids=lambda path: repr(path)[:20],
)
def test_what_can_be_no_path_is_an_error_and_not_inside(folder: Path, path: str) -> None:
    location = locate(folder, path)
    assert location.error and not location.inside
    assert len(location.error.encode()) < 300


def test_the_longest_name_is_a_name(folder: Path) -> None:
    (folder / ("x" * 255)).touch()
    assert locate(folder, "x" * 255).inside and locate(folder, "./" * 3000 + "y").inside


def test_the_programs_own_environment_is_protected_where_it_lies_in_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    assert not locate(folder, ".venv/bin/rg").protected
    monkeypatch.setattr("sys.prefix", str(folder / ".venv"))
    assert locate(folder, ".venv/bin/rg").protected and locate(folder, ".venv/lib/new.pth").protected
    assert not locate(folder, ".venv2/x").protected and not locate(folder, "a").protected
    monkeypatch.setattr("sys.prefix", str(folder.parent))  # as with a project below /usr
    assert not locate(folder, "a").protected


def test_a_circle_of_links_is_no_exception(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    locate(folder, "a/x")
