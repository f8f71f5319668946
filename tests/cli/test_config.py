"""`mimo-tui config`: every mistake with its file, line, key and what was probably meant; and never a secret."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tui.cli import main


@pytest.fixture
def folder(home: Path) -> Path:
    """The program's config folder."""
    path = home / ".config" / "mimo-tui"
    path.mkdir(parents=True)
    return path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tui", *arguments], capture_output=True, text=True)


def test_the_command_shows_the_mistake_and_ends_with_2(folder: Path) -> None:
    (folder / "config.toml").write_text('[backends.lab]\nbase_url = "http://127.0.0.1:1/v1"\nretires = 4\n')
    done = run("config", "check")
    place = f"{folder}/config.toml:3"
    assert done.stderr == f"mimo-tui: {place}: backends.lab.retires: unknown key, did you mean `retries`?\n"
    assert (done.stdout, done.returncode) == ("1 mistake\n", 2)


def test_every_command_that_needs_settings_says_the_same(folder: Path) -> None:
    (folder / "config.toml").write_text("[agent]\nmax_step = 4\n")
    for arguments in (["config", "show"], ["keys", "status", "deepseek"], ["run", "hello"]):
        done = run(*arguments)
        assert f"{folder}/config.toml:2: agent.max_step: unknown key, did you mean `max_steps`?" in done.stderr
        assert done.returncode == 2


def test_of_many_mistakes_other_commands_show_one_and_where_to_see_all(folder: Path) -> None:
    (folder / "config.toml").write_text("a = 1\nb = 2\nc = 3\n")
    done = run("config", "show")
    assert "config.toml:1: a: unknown key" in done.stderr
    assert "`mimo-tui config check` shows all 3 mistakes" in done.stderr
    assert run("config", "check").stderr.count("unknown key") == 3


def test_path_is_the_file_alone_whether_it_is_there_or_not(home: Path) -> None:
    assert run("config", "path").stdout == f"{home}/.config/mimo-tui/config.toml\n"


def test_without_a_file_everything_is_fine(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check"]) == 0
    assert "config.toml is not there: the program's own settings are used" in capsys.readouterr().out
    assert not (home / ".config").exists()


def test_a_folder_where_the_file_should_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").mkdir()
    assert main(["config", "check"]) == 2
    assert f"{folder}/config.toml: this is a folder, where a TOML file should be" in capsys.readouterr().err


def test_a_pipe_where_the_file_should_be_is_not_waited_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "config.toml")
    assert main(["config", "check"]) == 2
    assert "config.toml: this is not a regular file" in capsys.readouterr().err


def test_a_file_where_the_folder_should_be(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".config").mkdir()
    (home / ".config" / "mimo-tui").write_text("")
    assert main(["config", "check"]) == 2
    assert "config.toml: cannot be read: Not a directory" in capsys.readouterr().err


def test_a_link_to_the_file_is_followed_and_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dotfiles.toml").write_text("[agent]\nmax_steps = 0\n")
    (folder / "config.toml").symlink_to(tmp_path / "dotfiles.toml")
    assert main(["config", "check"]) == 2
    assert f"{folder}/config.toml:2: agent.max_steps: must be above 0" in capsys.readouterr().err


def test_a_link_to_nothing_is_a_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").symlink_to("gone.toml")
    assert main(["config", "check"]) == 2
    assert "config.toml: this is a link to gone.toml, which is not there" in capsys.readouterr().err


def test_a_file_that_may_not_be_read(folder: Path) -> None:
    file = folder / "config.toml"
    file.write_text("")
    file.chmod(0)
    done = without_rights("config", "check")
    assert f"mimo-tui: {file}: cannot be read: Permission denied" in done.stderr
    assert done.returncode == 2


def test_what_the_program_wrote_is_checked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "backends").mkdir()
    (folder / "backends" / "lab.toml").write_text("base_url = 'http://127.0.0.1:1/v1'\n\nretires = 1\n")
    (folder / "backends" / "bad name.toml").write_text("")
    (folder / "approvals.toml").write_text("[[allow]]\ntool = 'a'\n[[allow]]\n")
    assert main(["config", "check"]) == 2
    shown = capsys.readouterr().err
    assert f"{folder}/backends/lab.toml:3: backends.lab.retires: unknown key, did you mean `retries`?" in shown
    assert f"{folder}/backends/bad name.toml: the file's name cannot be used" in shown
    assert f"{folder}/approvals.toml:3: agent.allow[1]: `tool` is missing" in shown


def test_what_points_nowhere_in_a_file_of_the_program_is_found_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.toml").write_text("[ui]\n")
    (folder / "backends").mkdir()
    (folder / "backends" / "lab.toml").write_text("# 1\npreset = 'opnai'\n")
    assert main(["config", "check"]) == 2
    assert f"{folder}/backends/lab.toml:2: backends.lab.preset: no preset is called" in capsys.readouterr().err


def test_commands_of_the_users_that_cannot_be_used_are_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "commands").mkdir(parents=True, exist_ok=True)
    (folder / "commands" / "Fix\x1b.md").write_text("Fix it.")
    assert main(["config", "check"]) == 2
    said = capsys.readouterr().err
    assert "a command's name has small letters" in said and "\x1b" not in said


def test_what_means_nothing_yet_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").write_text("[ui]\nlanguage = 'de'\n")
    assert main(["config", "check"]) == 0
    assert "note: `ui.language` is not used by this version" in capsys.readouterr().out


def test_a_project_cannot_change_settings(folder: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".mimo").mkdir(parents=True)
    (project / ".mimo" / "config.toml").write_text("[agent]\npolicy = 'auto'\n")
    command = [sys.executable, "-m", "tui", "config"]
    shown = subprocess.run([*command, "show"], cwd=project, capture_output=True, text=True)
    assert tomllib.loads(shown.stdout)["agent"]["policy"] == "ask"
    checked = subprocess.run([*command, "check"], cwd=project, capture_output=True, text=True)
    assert "config.toml is not read: you do not trust this project" in checked.stdout
    assert "agent.policy: unknown key" in checked.stdout


def test_show_is_toml_with_the_programs_own_values(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").write_text("[backends.lab]\nbase_url = 'http://127.0.0.1:1/v1'\nretries = 0\n")
    assert main(["config", "show"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)
    assert shown["backends"]["lab"] == {"base_url": "http://127.0.0.1:1/v1", "retries": 0}
    assert shown["agent"]["max_steps"] == 200


def test_show_never_shows_what_may_be_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").write_text(
        """
        [backends.lab]
        base_url = "http://127.0.0.1:1/v1"
        proxy = "http://me:hunter2@proxy:3128"
        headers = { X-Team = "hunter2", Authorization = "Basic hunter2" }
        credential = { command = ["curl", "-H", "Authorization: Bearer hunter2"] }
        body = { extra = { api_key = "hunter2" }, temperature = 0.2 }
        [mcp.docs]
        url = "http://me:hunter2@example.org/mcp"
        headers = { Authorization = "Bearer hunter2" }
        [mcp.github]
        command = ["github-mcp-server"]
        env = { GITHUB_TOKEN = "hunter2", OTHER = { keyring = "github" } }
        """
    )
    assert main(["config", "show"]) == 0
    text = capsys.readouterr().out
    shown = tomllib.loads(text)
    assert "hunter2" not in text
    assert shown["backends"]["lab"]["headers"].keys() == {"X-Team", "Authorization"}
    assert shown["backends"]["lab"]["body"]["temperature"] == 0.2
    assert shown["mcp"]["github"]["env"]["OTHER"] == {"keyring": "github"}


def test_what_is_shown_cannot_harm_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").write_text('[defaults]\nmodel = "\\u001b[31m\\u009b\\u202e"\n"\\u001b[2J" = 1\n')
    main(["config", "check"])
    (folder / "config.toml").write_text('[defaults]\nmodel = "\\u001b[31m\\u009b\\u202e"\n')
    assert main(["config", "show"]) == 0
    shown = "".join(capsys.readouterr())
    assert not set(shown) & {"\x1b", "\x9b", "\u202e"}


def without_rights(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program so that mode bits count, for root too."""
    prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, sys.executable, "-m", "tui", *arguments], capture_output=True, text=True)
