"""What a model sees of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from tests.tools.running import content_of, error_of
from tui.tools.list_files import ENTRIES, ListFiles

LIST = ListFiles()


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 10)


async def test_a_folder_is_a_tree_with_sizes(folder: Path) -> None:
    fill(folder, "b.txt", "a/deep/c.txt", "a/d.txt")
    (folder / "large").write_bytes(b"x" * 4100)
    assert (await content_of(LIST, folder)).split("\n") == [
        "a/",
        "  d.txt  10 B",
        "  deep/",
        "    c.txt  10 B",
        "b.txt  10 B",
        "large  4.1 KB",
    ]


async def test_a_part_of_it_can_be_listed(folder: Path) -> None:
    fill(folder, "a/b", "c")
    assert await content_of(LIST, folder, path="a") == "b  10 B"
    assert await content_of(LIST, folder, path="./a/") == "b  10 B"
    assert await content_of(LIST, folder, path=str(folder / "a")) == "b  10 B"


async def test_dotfiles_are_listed_but_git_data_is_not(folder: Path) -> None:
    fill(folder, ".git/HEAD", ".env", ".github/x.yml")
    assert (await content_of(LIST, folder)).split("\n") == [".env  10 B", ".github/", "  x.yml  10 B"]


async def test_what_git_ignores_is_left_out_by_name(folder: Path) -> None:
    fill(folder, "node_modules/a/b", "out.log", "kept", "sub/out.log")
    (folder / ".gitignore").write_text("node_modules/\n*.log\n")
    assert (await content_of(LIST, folder)).split("\n") == [
        ".gitignore  20 B",
        "kept  10 B",
        "[left out by .gitignore: node_modules/, out.log, sub/]",
    ]


async def test_an_ignored_folder_is_listed_when_it_is_asked_for(folder: Path) -> None:
    fill(folder, "node_modules/a/b")
    (folder / ".gitignore").write_text("node_modules/\n*.x\n")
    assert await content_of(LIST, folder, path="node_modules") == "a/\n  b  10 B"
    fill(folder, "all/a.x")
    assert await content_of(LIST, folder, path="all") == "a.x  10 B"


async def test_links_and_empty_folders_are_seen_but_not_followed(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "out").symlink_to("/etc")
    (folder / "broken").symlink_to("nowhere")
    assert (await content_of(LIST, folder)).split("\n") == ["broken  -> nowhere", "empty/  (empty)", "out  -> /etc"]


async def test_folders_in_which_there_are_only_folders_are_listed(folder: Path) -> None:
    fill(folder, "a/b", "out/log", "repository/.git/HEAD")
    (folder / ".gitignore").write_text("out/\n")
    (folder / "nest" / "deep" / "er").mkdir(parents=True)
    (folder / "a" / "nest" / "deep").mkdir(parents=True)
    assert (await content_of(LIST, folder)).split("\n") == [
        ".gitignore  5 B",
        "a/",
        "  b  10 B",
        "  nest/",
        "    deep/  (empty)",
        "nest/",
        "  deep/",
        "    er/  (empty)",
        "repository/  (empty)",
        "[left out by .gitignore: out/]",
    ]


async def test_an_empty_folder_says_so(folder: Path) -> None:
    assert await content_of(LIST, folder) == "The folder is empty."


async def test_of_many_files_deeper_folders_stay_closed_and_are_counted(folder: Path) -> None:
    fill(folder, "top", *(f"many/{n}" for n in range(ENTRIES + 5)), *(f"few/{n}" for n in range(3)))
    lines = (await content_of(LIST, folder)).split("\n")
    assert lines == [
        "few/",
        "  0  10 B",
        "  1  10 B",
        "  2  10 B",
        f"many/  ({ENTRIES + 5} files, not shown)",
        "top  10 B",
    ]


async def test_a_folder_with_too_many_files_is_cut_with_a_count(folder: Path) -> None:
    fill(folder, *(f"{n:04}" for n in range(ENTRIES + 50)))
    lines = (await content_of(LIST, folder)).split("\n")
    assert len(lines) == ENTRIES + 1
    assert lines[-1] == "… 50 more entries, not shown"


async def test_a_file_is_named_with_its_size(folder: Path) -> None:
    fill(folder, "a")
    assert await content_of(LIST, folder, path="a") == "a  10 B"


async def test_a_missing_folder_names_what_is_near(folder: Path) -> None:
    fill(folder, "source/a")
    assert "source" in await error_of(LIST, folder, path="sorce")
    assert "NUL" in await error_of(LIST, folder, path="\0")


async def test_names_that_are_odd_do_not_break_the_list(folder: Path) -> None:
    fill(folder, "a\nb", "-x", "with space", "\x1b[31mred")
    (folder / os.fsdecode(b"\xff")).write_text("x")
    lines = (await content_of(LIST, folder)).split("\n")
    assert len(lines) == 5 and all(line.isprintable() for line in lines)


async def test_the_users_own_ripgrep_settings_do_not_matter(folder: Path, monkeypatch) -> None:
    fill(folder, "a")
    (folder.parent / "rc").write_text("--glob=!a\n")
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", str(folder.parent / "rc"))
    assert await content_of(LIST, folder) == "a  10 B"


async def test_nothing_is_named_where_nothing_is_like_it(folder: Path) -> None:
    fill(folder, ".gitignore", "ignored", "nonl.txt", "n", "src/calc_test.py")
    assert await error_of(LIST, folder, path="nope") == "nope does not exist."
    assert "Near it in .: ignored" in await error_of(LIST, folder, path="igored")
    assert "Near it in src: calc_test.py" in await error_of(LIST, folder, path="src/test_calc.py")
    assert "Near it in src: calc_test.py" in await error_of(LIST, folder, path="src/calc")
