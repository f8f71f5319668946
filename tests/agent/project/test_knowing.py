"""Notes, skills, commands and workspaces, found on real folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.agent.project.custom_commands import expand, find_commands, unusable_commands
from tui.agent.project.notes import joined, notes_below, notes_of
from tui.agent.project.skills import find_skills, listed
from tui.agent.project.workspace import read_workspace
from tui.settings.paths import config_dir


@pytest.fixture
def root(home: Path) -> Path:
    """A repository."""
    path = home / "repository"
    (path / ".git").mkdir(parents=True)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(notes: list) -> list[str]:
    return [note.name for note in notes]


def test_notes_are_read_from_the_root_down_to_the_folder_and_not_above_or_beside(root: Path) -> None:
    write(root.parent / "AGENTS.md", "not of the repository")
    write(root / "AGENTS.md", "the root's")
    write(root / "a" / "b" / "AGENTS.md", "the nearest")
    write(root / "c" / "AGENTS.md", "beside")
    assert names(notes_of(root / "a" / "b")) == ["AGENTS.md", "a/b/AGENTS.md"]


def test_without_a_repository_only_the_folders_own_notes_count(home: Path) -> None:
    write(home / "AGENTS.md", "above")
    write(home / "plain" / "AGENTS.md", "own")
    assert [note.text for note in notes_of(home / "plain")] == ["own"]


def test_an_override_stands_in_for_the_notes_of_its_folder_and_an_empty_one_does_not(root: Path) -> None:
    write(root / "AGENTS.md", "usual")
    write(root / "AGENTS.override.md", "instead")
    write(root / "a" / "AGENTS.override.md", " \n")
    write(root / "a" / "AGENTS.md", "usual")
    assert names(notes_of(root / "a")) == ["AGENTS.override.md", "a/AGENTS.md"]


def test_notes_for_other_programs_count_only_where_there_are_none_for_all(root: Path) -> None:
    write(root / "GEMINI.md", "g")
    write(root / ".github" / "copilot-instructions.md", "c")
    assert names(notes_of(root)) == ["GEMINI.md"]
    write(root / "CLAUDE.md", "c")
    assert names(notes_of(root)) == ["CLAUDE.md"]
    write(root / "a" / "AGENTS.md", "a")
    assert names(notes_of(root / "a")) == ["a/AGENTS.md"]


def test_notes_of_folders_below_come_with_the_files_in_them(root: Path) -> None:
    for folder in ("", "a", "a/b", "a/c"):
        write(root / folder / "AGENTS.md", folder)
    assert names(notes_below(root, root / "a" / "b" / "x.py")) == ["a/AGENTS.md", "a/b/AGENTS.md"]
    assert notes_below(root, root / "x.py") == []
    assert notes_below(root, root.parent / "elsewhere.py") == []


def test_a_link_out_of_the_project_brings_nothing(root: Path) -> None:
    secret = write(root.parent / "secret", "key")
    (root / "AGENTS.md").symlink_to(secret)
    (root / ".agents" / "skills").mkdir(parents=True)
    write(root.parent / "evil" / "SKILL.md", "---\ndescription: d\n---\nx")
    (root / ".agents" / "skills" / "evil").symlink_to(root.parent / "evil")
    assert notes_of(root) == []
    assert find_skills(root, is_trusted=True) == {}


def test_long_notes_are_cut_with_a_word_and_the_nearest_keep_their_room(root: Path) -> None:
    write(root / "AGENTS.md", "far " * 10_000)
    write(root / "a" / "AGENTS.md", "near " * 1000)
    text = joined(notes_of(root / "a"), 6000)
    assert text.count("near") == 1001 - 1 and len(text) < 6300 and "the rest of AGENTS.md was left out" in text


def test_a_pipe_in_place_of_notes_is_not_waited_for(root: Path) -> None:
    import os

    os.mkfifo(root / "AGENTS.md")
    assert notes_of(root) == []


def skill(folder: Path, name: str, head: str = "description: does it") -> None:
    write(folder / name / "SKILL.md", f"---\n{head}\n---\nHow it is done.")


def test_skills_of_a_project_go_before_the_users_and_need_trust(root: Path, home: Path) -> None:
    skill(root / ".mimo" / "skills", "review", "description: the project's")
    skill(home / ".claude" / "skills", "review", "description: the user's")
    skill(config_dir() / "skills", "deploy-2")
    assert listed(find_skills(root, is_trusted=True)) == "- deploy-2: does it\n- review: the project's"
    assert listed(find_skills(root, is_trusted=False)) == "- deploy-2: does it\n- review: the user's"


def test_what_is_not_called_or_described_as_a_skill_has_to_be_is_none(root: Path) -> None:
    folder = root / ".agents" / "skills"
    for name in ("Upper", "-x", "a--b", "a_b", "x" * 65):
        skill(folder, name)
    skill(folder, "other", "name: another\ndescription: d")
    skill(folder, "silent", "name: silent")
    skill(folder, "good", "name: good\ndescription: use when: it is good")
    assert list(find_skills(root, is_trusted=True)) == ["good"]


def test_a_command_has_its_arguments_put_in(root: Path) -> None:
    write(
        config_dir() / "commands" / "fix.md",
        "---\ndescription: mend it\nmode: agent\nmodel: m\n---\nFix $1 in $2: $ARGUMENTS",
    )
    write(root / ".mimo" / "commands" / "fix.md", "another")
    write(root / ".mimo" / "commands" / "look.md", "# Look around\nand say")
    write(root / ".mimo" / "commands" / "Bad name.md", "x")
    fix, look = find_commands(root, is_trusted=True)
    assert (fix.help, fix.mode, fix.model) == ("mend it", "agent", "m")
    assert fix.text("'a b' c") == "Fix a b in c: 'a b' c"
    assert (look.name, look.help, look.text("now")) == ("look", "Look around", "# Look around\nand say\n\nnow")
    assert [command.name for command in find_commands(root, is_trusted=False)] == ["fix"]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("Fix.md", b"x", "a command's name has small letters"),
        ("a b.md", b"x", "a command's name has small letters"),
        ("fix.MD", b"x", "a command's name has small letters"),
        ("undo.md", b"x", "/undo is a command of the program's own"),
        ("fix.md", b" \n", "it is empty"),
        ("fix.md", b"---\nmode: agent\n---\n", "there is no text below its head"),
        ("fix.md", b"\x7fELF\0\xff\xfe\x01", "it is not UTF-8 text"),
        ("fix.md", b"---\nmode: agnet\n---\nFix it.", "its `mode` is 'agnet': it is chat or agent"),
        ("fix.md", b"---\ndescription: [x\nFix it.", "does not end with another line `---`"),
        ("fix.md", b"---\ndescription: [x\nno key\n---\nFix it.", "cannot be read as YAML: 'no key'"),
    ],
)
def test_what_is_no_command_is_named_with_the_reason(root: Path, name: str, data: bytes, why: str) -> None:
    for folder in (config_dir() / "commands", root / ".mimo" / "commands"):
        folder.mkdir(parents=True)
        (folder / name).write_bytes(data)
        (folder / "good.md").write_text("---\ndescription: use when: it is good\n---\nGood, $$5.")
        (folder / "notes.txt").write_text("no command")
    assert [command.name for command in find_commands(root, is_trusted=True, taken=["undo"])] == ["good"]
    own, brought = unusable_commands(root, is_trusted=True, taken=["undo"])
    assert own.startswith(f"{config_dir() / 'commands' / name}: ") and why in own
    assert brought.startswith(f".mimo/commands/{name}: ") and why in brought
    assert unusable_commands(root, is_trusted=False, taken=["undo"]) == [own]


def test_two_dollars_are_one(root: Path) -> None:
    assert expand("It costs $$5, $1.", "Ada") == "It costs $5, Ada."
    assert expand("It costs $$5 or $$ARGUMENTS.", "now") == "It costs $5 or $ARGUMENTS.\n\nnow"
    assert expand("$$$1", "5") == "$5"


@given(st.text(), st.text())
def test_anything_can_be_put_into_anything(template: str, words: str) -> None:
    assert isinstance(expand(template, words), str)


@given(st.text(max_size=50))
def test_arguments_are_put_in_as_they_are_and_not_looked_through_again(words: str) -> None:
    assert expand("<$ARGUMENTS>", words) == f"<{words}>"


@given(st.lists(st.from_regex(r"[a-z$1]{1,8}", fullmatch=True), max_size=9))
def test_words_have_their_places(words: list[str]) -> None:
    filled = [*words, *[""] * (9 - len(words))]
    assert expand("|".join(f"${n}" for n in range(1, 10)), " ".join(words)) == "|".join(filled).strip()


def test_a_workspace_is_read_in_its_order_with_its_limits(home: Path) -> None:
    folder = home / "workspace"
    assert read_workspace(folder) == ""
    write(folder / "USER.md", "Ada")
    write(folder / "SOUL.md", "x" * 30_000 + "end")
    write(folder / "IDENTITY.md", "\n")
    text = read_workspace(folder)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## AGENTS.md",
        "## SOUL.md",
        "## USER.md",
    ]
    assert "## AGENTS.md\n[missing]" in text and "were left out here" in text and "end\n\n## USER.md\nAda" in text
    assert len(text) < 20_500
