"""A project's configuration counts when the user trusts it, as it was when they did, and in its narrow bounds."""

from __future__ import annotations

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
