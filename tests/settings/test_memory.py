"""What is remembered is there again in the next session, for its project alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.core.errors import UsageError
from tui.settings.memory import add_memory, read_memory
from tui.settings.paths import config_dir
from tui.settings.project import project_root


def test_a_note_is_there_again_in_all_folders_of_its_project_and_in_no_other(home: Path) -> None:
    inner, other = home / "a" / "src", home / "b"
    (home / "a" / ".git").mkdir(parents=True)
    inner.mkdir()
    other.mkdir()
    path = add_memory(inner, "tests run with  `make test`\n")
    assert read_memory(home / "a") == read_memory(inner) == "- tests run with `make test`"
    assert read_memory(other) == ""
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_note_is_kept_once_and_after_those_before_it(home: Path) -> None:
    for note in ("one", "two", "one"):
        add_memory(home / "a", note)
    assert read_memory(home / "a") == "- one\n- two"


def test_what_the_user_wrote_for_everywhere_comes_first(home: Path) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "memory.md").write_text("I use tabs.\n")
    add_memory(home / "a", "it uses spaces")
    assert read_memory(home / "a") == "I use tabs.\n\n- it uses spaces"


@pytest.mark.parametrize("text", ["", " \n", "x" * 1001])
def test_what_is_no_note_is_refused(home: Path, text: str) -> None:
    with pytest.raises(UsageError):
        add_memory(home, text)
    assert read_memory(home) == ""


def test_of_a_long_memory_the_newest_notes_are_given(home: Path) -> None:
    for number in range(100):
        add_memory(home, f"{number} " + "x" * 200)
    text = read_memory(home)
    assert len(text) < 8200 and "- 99 x" in text and "- 1 x" not in text and "left out" in text


def test_dot_files_under_git_make_no_project_of_the_home_folder(home: Path) -> None:
    (home / ".git").mkdir()
    (home / "work").mkdir()
    assert project_root(home / "work") == home / "work"
    assert project_root(home) == home


def test_a_note_for_everywhere_is_there_in_all_folders(home: Path) -> None:
    add_memory(home / "a", "answer in French", everywhere=True)
    add_memory(home / "b", "it uses spaces")
    assert read_memory(home / "b") == "- answer in French\n\n- it uses spaces"
    assert read_memory(home / "c") == "- answer in French"


def test_a_memory_that_is_full_takes_no_more(home: Path) -> None:
    with pytest.raises(UsageError, match="full"):
        for number in range(100):
            add_memory(home, f"{number} " + "x" * 990)
    assert len(read_memory(home)) < 8200
