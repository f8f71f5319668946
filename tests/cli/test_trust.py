"""`mimo-tui trust` says what a project would be allowed to do, and lets it, or no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.agent.project.offer import offer_of
from tui.cli import main
from tui.settings.paths import config_dir
from tui.settings.trust import trust_state


@pytest.fixture
def project(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = home / "project"
    (path / ".mimo" / "commands").mkdir(parents=True)
    (path / ".mimo" / "commands" / "look.md").write_text("Look.")
    (path / ".mimo" / "config.toml").write_text(
        '[[hooks]]\non = "after_tool"\ncommand = ["sh", "-c", "x\\u001b[2Jy"]\n'
    )
    (path / "AGENTS.md").write_text("Be kind.")
    monkeypatch.chdir(path)
    return path


def test_it_says_exactly_what_it_allows(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "--show"]) == 0
    said = capsys.readouterr().out
    assert "run at after_tool, inside the sandbox: sh -c" in said and "\x1b" not in said
    assert "tell the model what AGENTS.md says (8 characters)" in said and "/look: Look." in said
    assert trust_state(project) == "unknown"
    assert main(["trust"]) == 0
    assert trust_state(project) == "trusted"
    capsys.readouterr()
    assert main(["trust", "--show"]) == 0
    assert "is trusted. It is allowed to:" in capsys.readouterr().out


def test_a_subagent_that_cannot_be_used_is_not_offered(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agents = project / ".mimo" / "agents"
    agents.mkdir()
    (agents / "good.md").write_text("---\ndescription: looks\nbackend: lab\n---\nLook.")
    (agents / "bad.md").write_text("---\ndescription: looks\ntools: [nope]\n---\nLook.")
    config = config_dir() / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[backends.lab]\nbase_url = "http://127.0.0.1:1/v1"\nwire = "chat-completions"\nmodel = "m"\n')
    assert main(["trust", "--show"]) == 0
    said = capsys.readouterr().out
    assert "offer the model the subagent good," in said and "the subagent bad" not in said
    assert "(not a subagent that can be used: .mimo/agents/bad.md:3: tools: no tool for subagents" in said
    config.write_text("x = [")
    assert main(["trust", "--show"]) == 0
    assert "can be used: .mimo/agents/good.md:3: backend: no backend is called" in capsys.readouterr().out


def test_it_says_which_files_have_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project / ".mimo" / "config.toml"
    config.write_text('[[hooks]]\non = "after_tool"\ncommand = ["sh", "check.sh"]\n')
    (project / "check.sh").write_text("true")
    main(["trust"])
    (project / "AGENTS.md").write_text("Notes may change.")
    assert trust_state(project) == "trusted"
    capsys.readouterr()
    (project / "check.sh").write_text("false")
    assert main(["trust", "--show"]) == 0
    assert "has changed since it was trusted" in (said := capsys.readouterr().out)
    assert "Changed since: check.sh.\n" in said
    config.write_text('[[hooks]]\non = "after_tool"\ncommand = ["sh", "other.sh"]\n')
    (project / "other.sh").write_text("\x1b[2J")
    main(["trust"])
    said = capsys.readouterr().out
    assert "Changed since: .mimo/config.toml, check.sh, other.sh.\n" in said and "\x1b" not in said
    assert main(["trust", "--show"]) == 0 and "Changed since" not in capsys.readouterr().out


def test_it_lists_and_takes_back(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["trust", str(project)])
    (project / ".mimo" / "config.toml").write_text("")
    capsys.readouterr()
    assert main(["trust", "--list"]) == 0
    said = capsys.readouterr().out
    assert str(project) in said and "changed since" in said
    assert main(["trust", "--remove", str(project)]) == 0
    assert main(["trust", "--remove"]) == 1
    assert main(["trust", "--list"]) == 0 and str(project) not in capsys.readouterr().out.splitlines()[-1]


def test_it_says_what_is_allowed_from_now_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{project} is allowed to, from now on:\n") and "is not trusted" not in said


@pytest.mark.parametrize("where", [".", ".."])
def test_the_home_folder_and_what_is_above_it_are_no_project(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    folder = (home / where).resolve()
    (home / "AGENTS.md").write_text("Be kind.")
    monkeypatch.chdir(folder)
    for words in (["trust"], ["trust", "--show"]):
        assert main(words) == 2
        said = capsys.readouterr()
        assert f"{folder} is never a project" in said.err and not said.out
    assert trust_state(folder) == "unknown" and offer_of(folder).is_empty


def test_a_configuration_with_mistakes_is_not_trusted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".mimo" / "config.toml").write_text('[agent]\npolicy = "auto"\n')
    for words in (["trust"], ["trust", "--show"]):
        assert main(words) == 2
        said = capsys.readouterr()
        assert "agent.policy" in said.err and not said.out
    assert trust_state(project) == "unknown"


def test_config_check_says_what_counts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "check"])
    assert ".mimo/config.toml is not read: you do not trust this project" in capsys.readouterr().out
    main(["trust"])
    main(["config", "check"])
    assert ".mimo/config.toml is read: you trust this project" in capsys.readouterr().out
    (project / ".mimo" / "config.toml").write_text("x = 1")
    assert main(["config", "check"]) == 0
    said = capsys.readouterr().out
    assert "it has changed since" in said and "x: unknown key" in said


def test_skills_that_cannot_be_used_are_named_with_the_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project / ".agents" / "skills" / "other"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: another\ndescription: d\n---\nx")
    assert main(["trust", "--show"]) == 0
    assert ".agents/skills/other: its `name` is another, and has to be the folder's" in capsys.readouterr().out


def test_commands_that_cannot_be_used_are_named_with_the_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".mimo" / "commands" / "undo.md").write_text("Shadow.")
    assert main(["trust", "--show"]) == 0
    said = capsys.readouterr().out
    assert "(not a command that can be used: .mimo/commands/undo.md: /undo is a command of the program's own)" in said
    assert "add the command /undo" not in said and "add the command /look" in said
    assert main(["config", "check"]) == 0
    main(["trust"])
    capsys.readouterr()
    assert main(["config", "check"]) == 2
    assert ".mimo/commands/undo.md: /undo is a command of the program's own" in capsys.readouterr().err
