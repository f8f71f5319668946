"""A project's configuration counts when the user trusts it, as it was when they did, and in its narrow bounds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tui.core.errors import ConfigError, MimoError
from tui.settings.config import examine, load
from tui.settings.project_config import read_project
from tui.settings.trust import distrust, fingerprint, trust, trust_file, trust_state

EVERYTHING = """
[defaults]
backend = "deepseek"
[agent]
allow = [{ tool = "run_command", words = ["make", "*"], folder = "/" }]
[mcp.docs]
command = ["./serve.sh"]
[[hooks]]
on = "after_tool"
command = ["./check.sh"]
"""


@pytest.fixture
def root(home: Path) -> Path:
    path = home / "project"
    (path / ".git").mkdir(parents=True)
    (path / ".mimo").mkdir()
    (path / ".mimo" / "config.toml").write_text(EVERYTHING)
    (path / "check.sh").write_text("true")
    return path


def test_nothing_of_it_counts_before_and_all_of_it_after(root: Path) -> None:
    before = load(root, ["deepseek"])
    assert (before.defaults.backend, before.agent.allow, before.mcp, before.hooks) == (None, (), {}, ())
    trust(root)
    inner = root / "src"
    inner.mkdir()
    after = load(inner, ["deepseek"])
    assert after.defaults.backend == "deepseek"
    assert after.hooks[0].command == (str(root / "check.sh"),)
    assert after.mcp["docs"].command == (str(root / "serve.sh"),)
    assert after.agent.allow[0].folder == str(inner), "a rule of a project holds nowhere else, whatever it says"


@pytest.mark.parametrize("name", [".mimo/config.toml", "check.sh", "serve.sh"])
def test_a_change_of_what_it_runs_is_asked_about_again(root: Path, name: str) -> None:
    trust(root)
    with (root / name).open("a") as file:
        file.write("# changed")
    assert trust_state(root) == "changed"
    assert load(root, ["deepseek"]).hooks == ()
    trust(root)
    assert trust_state(root) == "trusted"


def test_notes_may_change(root: Path) -> None:
    trust(root)
    (root / "AGENTS.md").write_text("new")
    assert trust_state(root) == "trusted"


def test_what_was_shown_is_what_is_trusted(root: Path) -> None:
    seen = fingerprint(root)
    (root / "check.sh").write_text("rm -rf /")
    with pytest.raises(MimoError, match="changed"):
        trust(root, seen)
    assert trust_state(root) == "unknown"


def test_trust_is_for_the_real_folder_by_whatever_way_one_comes(root: Path, home: Path) -> None:
    (home / "link").symlink_to(root)
    trust(home / "link")
    assert trust_state(root) == "trusted"
    assert distrust(root / ".mimo") and not distrust(root)
    assert trust_state(home / "link") == "unknown"


@pytest.mark.parametrize("content", ["x =", "project = 1", "[[project]]\npath = 1", "[[project]]\npath = '/'"])
def test_a_broken_file_trusts_nothing(root: Path, content: str) -> None:
    trust(root)
    trust_file().write_text(content)
    assert trust_state(root) == "unknown"


@pytest.mark.parametrize(
    "more",
    [
        '[backends.mine]\nbase_url = "http://example.org/v1"',
        '[agent]\npolicy = "auto"',
        '[agent]\nsandbox = "off"',
        "[agent]\nnetwork = true",
        '[agent]\nworkspace = "/etc"',
        '[mcp.x]\ncommand = ["x"]\nenv = { T = { keyring = "github" } }',
        '[[hooks]]\non = "now"\ncommand = ["x"]',
    ],
)
def test_what_is_the_users_alone_is_a_mistake_in_a_project(root: Path, more: str) -> None:
    (root / ".mimo" / "config.toml").write_text(more)
    assert read_project(root).errors
    assert examine(root)[1] == [], "which keeps nobody from starting while it is not trusted"
    trust(root)
    with pytest.raises(ConfigError) as error:
        load(root)
    assert error.value.file == root / ".mimo" / "config.toml"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["sh", "-c", "./tools/a.sh x"], "tools/a.sh"),
        (["sh", "-c", "cd tools && sh b.sh"], "tools/b.sh"),
        (["sh", "-c", "cat x | tools/c.sh; true"], "tools/c.sh"),
        (["sh", "-c", 'exec "$PWD/tools/a.sh"'], "tools/a.sh"),
        (["run", "--x=tools/d.sh"], "tools/d.sh"),
        (["python3", "-m", "srv"], "srv.py"),
        (["python3", "-m", "srv"], "srv/more/inner.py"),
        (["sh", "-c", "python3 -m a.srv"], "a/srv.py"),
        (["make", "check"], "Makefile"),
        (["make", "-C", "sub", "check"], "sub/GNUmakefile"),
        (["npm", "run", "x"], "package.json"),
        (["python3", "tools"], "tools/__main__.py"),
    ],
)
@pytest.mark.parametrize("kind", ["[[hooks]]\non = 'after_tool'", "[mcp.x]"])
def test_files_are_found_wherever_a_command_names_them(root: Path, kind: str, command: list[str], name: str) -> None:
    (root / ".mimo" / "config.toml").write_text(f"{kind}\ncommand = {json.dumps(command)}\n")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("one")
    trust(root)
    (root / name).write_text("two")
    assert trust_state(root) == "changed"


def test_all_of_a_folder_counts_for_a_server_and_what_it_checks_does_not_for_a_hook(root: Path) -> None:
    (root / "src").mkdir()
    for kind, state in (("[[hooks]]\non = 'after_tool'", "trusted"), ("[mcp.x]", "changed")):
        (root / ".mimo" / "config.toml").write_text(f'{kind}\ncommand = ["tool", "src"]\n')
        (root / "src" / "x").write_text("one")
        trust(root)
        (root / "src" / "x").write_text("two")
        assert trust_state(root) == state


def test_what_a_hook_only_writes_is_no_program_of_it(root: Path) -> None:
    (root / ".mimo" / "config.toml").write_text(
        "[[hooks]]\non = 'after_tool'\ncommand = ['sh', '-c', 'date >> seen']\n"
    )
    trust(root)
    (root / "seen").write_text("today")
    assert trust_state(root) == "trusted"


def test_a_configuration_that_is_no_regular_file_or_endless_is_a_clear_mistake(root: Path) -> None:
    config = root / ".mimo" / "config.toml"
    for make, words in (
        (lambda: os.mkfifo(config), "not a regular file"),
        (lambda: config.symlink_to("/dev/zero"), "not a regular file"),
        (lambda: config.write_text("# " + "x" * 300_000), "longer than 256 KB"),
    ):
        config.unlink()
        make()
        assert words in read_project(root).errors[0].message
        assert fingerprint(root)
        assert load(root).hooks == ()
