"""The files that define subagents: what they say, and what is said of those that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.settings.agent_files import AgentDefinition, AgentFiles, agents_dir, read_agents

BACKENDS, TOOLS = ("mimo", "deepseek"), ("read_file", "search_files")


@pytest.fixture
def folder(home: Path) -> Path:
    agents_dir().mkdir(parents=True)
    return agents_dir()


def read(folder: Path, **files: str | bytes) -> AgentFiles:
    for name, words in files.items():
        (folder / f"{name}.md").write_bytes(words if isinstance(words, bytes) else words.encode())
    return read_agents(BACKENDS, TOOLS)


def test_without_a_folder_there_are_none(home: Path) -> None:
    assert read_agents(BACKENDS, TOOLS) == AgentFiles()


def test_all_that_a_file_can_say(folder: Path) -> None:
    head = "description: Looks.\nbackend: mimo\nmodel: m\ntools: [read_file]\nmax_steps: 5\nbudget: 1\n"
    found = read(folder, look=f"---\n{head}---\n\nYou look.\n\nWell.\n")
    assert found.errors == []
    assert found.definitions == [
        AgentDefinition("look", "Looks.", "You look.\n\nWell.", "mimo", "m", ("read_file",), 5, 1.0)
    ]


@pytest.mark.parametrize(
    ("tools", "meant"),
    [
        ("read_file, search_files", ("read_file", "search_files")),
        ("[read_file]", ("read_file",)),
        ("all", ("all",)),
        ("[mcp__docs__find]", ("mcp__docs__find",)),
        ("[]", ()),
    ],
)
def test_tools_are_a_list_or_words(folder: Path, tools: str, meant: tuple[str, ...]) -> None:
    (found,) = read(folder, a=f"---\ndescription: D\ntools: {tools}\n---\nP").definitions
    assert found.tools == meant


def test_they_come_by_name_and_other_files_are_left_alone(folder: Path) -> None:
    words = "---\ndescription: D\n---\nP"
    (folder / "notes.txt").write_text("no agent")
    (folder / ".hidden.md").write_text("no agent")
    assert [found.name for found in read(folder, b=words, a=words, c=words).definitions] == ["a", "b", "c"]


MISTAKES: dict[str, tuple[str | bytes, str]] = {
    "no head": ("You look.", ":1: there is no head"),
    "a head without an end": ("---\ndescription: D\nYou look.", ":1: there is no head"),
    "no description": ("---\nbackend: mimo\n---\nP", ":1: `description` is missing"),
    "no prompt": ("---\ndescription: D\n---\n\n", ": the subagent has no prompt"),
    "an unknown key": ("---\ndescription: D\nmodle: m\n---\nP", ":3: modle: unknown key, did you mean `model`?"),
    "a wrong kind": (
        "---\ndescription: D\nmax_steps: many\n---\nP",
        ":3: max_steps: must be a whole number, not a text",
    ),
    "no steps": ("---\ndescription: D\nmax_steps: 0\n---\nP", ":3: max_steps: must be at least 1, not 0"),
    "a negative budget": ("---\ndescription: D\nbudget: -1\n---\nP", ":3: budget: cannot be negative"),
    "no budget": ("---\ndescription: D\nbudget: 0\n---\nP", ":3: budget: must be above 0"),
    "an unknown backend": ("---\ndescription: D\nbackend: mimi\n---\nP", ':3: backend: no backend is called "mimi"'),
    "an unknown tool": ("---\ndescription: D\ntools: reed_file\n---\nP", "did you mean `read_file`?"),
    "no YAML": ("---\ndescription: is: so\n---\nP", ":2: the head cannot be read as YAML"),
    "a list": ("---\n- a\n---\nP", ":2: the head is no list of `key: value` lines"),
    "no UTF-8": (b"---\ndescription: \xff\n---\nP", ":2: the file is not UTF-8"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_with_its_place_and_the_others_work(folder: Path, mistake: str) -> None:
    words, said = MISTAKES[mistake]
    found = read(folder, bad=words, good="---\ndescription: D\n---\nP")
    assert [definition.name for definition in found.definitions] == ["good"]
    (error,) = found.errors
    assert error.message.startswith(f"{folder / 'bad.md'}:") and said in error.message


def test_all_mistakes_of_a_head_are_said_at_once(folder: Path) -> None:
    head = "description: D\nbackend: mimi\nmax_steps: lots\ntools: [reed_file, write_fiel]\ncolour: red"
    errors = [error.message for error in read(folder, bad=f"---\n{head}\n---\nP").errors]
    said = ("max_steps: must be a whole number, not a text", "colour: unknown", "mimi", "reed_file", "write_fiel")
    assert len(errors) == 5 and all(any(words in error for error in errors) for words in said)
    assert not any("quotes" in error for error in errors)


def test_a_name_that_cannot_be_one_is_said(folder: Path) -> None:
    (folder / "My agent.md").write_text("---\ndescription: D\n---\nP")
    assert "the file's name" in read(folder).errors[0].message


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.md")
    assert "not a regular file" in read(folder).errors[0].message


@given(head=st.text(max_size=80))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_head_holds_it_is_a_definition_or_a_mistake(folder: Path, head: str) -> None:
    found = read(folder, any=f"---\n{head}\n---\nP".encode(errors="replace"))
    assert len(found.definitions) == (not found.errors)
