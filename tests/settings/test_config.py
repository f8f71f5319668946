"""What the program adds to the settings, and how the files come together (mistakes: tests/cli)."""

from __future__ import annotations

import stat
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tui.backends.resolve import resolve
from tui.backends.spec import Rules
from tui.core.errors import ConfigError, MimoError, UsageError
from tui.core.usage import Price
from tui.settings import schema
from tui.settings.config import (
    AllowRule,
    Settings,
    config_file,
    error_at,
    examine,
    load,
    plain,
    remove_backend,
    save_backend,
    save_rule,
)
from tui.settings.paths import config_dir

EVERYTHING = """
[defaults]
backend = "mimo"
mode = "chat"

[backends.mimo]
preset = "xiaomi-mimo"
model = "mimo-v2.6-pro"
thinking = "high"
fallback = ["lab"]

[backends.lab]
wire = "chat-completions"
base_url = "http://127.0.0.1:8000/v1"
model = "Qwen3-8B"
context_window = 32768
max_output = 8192
price = { input = 0.2, output = 0.6, cached = 0.02 }
strategy = "auto"
credential = { env = "LAB_KEY" }
timeouts = { connect = 10, first_byte = 600, idle = 60 }
retries = 4
proxy = "http://127.0.0.1:3128"
ca_file = "corp.pem"
headers = { X-Team = "ml" }
[backends.lab.body]
temperature = 0.2
[backends.lab.rules]
replay_reasoning = "tool_calls"

[modes.agent]
backend = "mimo"
theme = "agent-era"

[agent]
policy = "ask"
sandbox = "on"
network = false
max_steps = 200
budget = 5.0
command_timeout = 120
fetch_allow = ["127.0.0.1:8080"]
web_search = { kind = "searxng", url = "http://127.0.0.1:8888" }

[[agent.allow]]
tool = "run_command"
words = ["git", "diff", "*"]

[mcp.github]
command = ["github-mcp-server", "stdio"]
env = { GITHUB_TOKEN = { keyring = "github" } }
[mcp.docs]
url = "https://example.org/mcp"

[[hooks]]
on = "before_tool"
command = ["./check.sh"]
timeout = 10

[ui]
language = "auto"
"""


@pytest.fixture
def folder(home: Path) -> Path:
    path = home / ".config" / "mimo-tui"
    path.mkdir(parents=True)
    return path


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def test_everything_that_can_be_set_is_read(folder: Path) -> None:
    write(folder / "config.toml", EVERYTHING)
    write(folder / "corp.pem", "a certificate")
    settings = load(preset_names=["xiaomi-mimo"])
    lab = settings.backends["lab"]
    assert lab.price == Price(0.2, 0.6, 0.02)
    assert lab.ca_file == str(folder / "corp.pem")
    assert lab.credential == {"env": "LAB_KEY"}
    assert (lab.rules, lab.body) == ({"replay_reasoning": "tool_calls"}, {"temperature": 0.2})
    expected = tomllib.loads(EVERYTHING)
    expected["backends"]["lab"]["ca_file"] = lab.ca_file
    expected["hooks"][0]["command"] = [str(folder / "check.sh")]
    assert set_of(plain(settings), expected) == expected


def set_of(settings: Any, expected: Any) -> Any:
    """Of the settings what the file sets: what it does not has the program's own values."""
    if isinstance(expected, dict):
        return {name: set_of(settings[name], value) for name, value in expected.items()}
    if isinstance(expected, list) and len(expected) == len(settings):
        return [set_of(one, value) for one, value in zip(settings, expected, strict=True)]
    return settings


def test_without_files_the_programs_own_values_count(home: Path) -> None:
    assert load() == Settings()


def test_every_rule_of_the_backends_can_be_set_and_no_other() -> None:
    assert set(schema.Rules.__annotations__) == set(Rules.__annotations__)


def test_an_added_backend_is_there_and_the_users_file_is_as_it_was(folder: Path) -> None:
    write(folder / "config.toml", "# mine\n[ui]\nlanguage='de'   # spaced by me\n")
    path = save_backend("lab-2", {"base_url": "http://127.0.0.1:1/v1", "headers": {"X-A": 'quotes " and \\'}})
    assert path == folder / "backends" / "lab-2.toml"
    assert load().backends["lab-2"].headers == {"X-A": 'quotes " and \\'}
    assert (folder / "config.toml").read_text() == "# mine\n[ui]\nlanguage='de'   # spaced by me\n"


def test_added_files_are_for_the_user_alone(home: Path) -> None:
    for path in (save_backend("lab", {"preset": "openai"}), save_rule(AllowRule("edit_file"))):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_entry_of_the_user_wins_as_a_whole_over_an_added_one(folder: Path) -> None:
    save_backend("lab", {"preset": "openai", "retries": 9, "credential": {"env": "KEY"}})
    write(folder / "config.toml", "[backends.lab]\nbase_url = 'http://127.0.0.1:1/v1'\n")
    lab = load().backends["lab"]
    assert (lab.base_url, lab.preset, lab.retries, lab.credential) == ("http://127.0.0.1:1/v1", None, None, None)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a.b", "a b", "-a", "é", "a\n", "@"])
def test_a_backend_whose_name_would_be_no_file_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        save_backend(name, {"preset": "openai"})
    assert not remove_backend(name)
    assert not config_dir().exists()


def test_an_added_backend_is_checked_before_it_is_written(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"backends\.lab\.retires: unknown key, did you mean `retries`\?"):
        save_backend("lab", {"retires": 4})
    assert not config_dir().exists()


def test_a_removed_backend_is_gone_and_one_of_the_users_own_is_not_touched(folder: Path) -> None:
    write(folder / "config.toml", "[backends.mine]\npreset = 'openai'\n")
    save_backend("lab", {"preset": "openai"})
    assert remove_backend("lab")
    assert not remove_backend("lab")
    assert not remove_backend("mine")
    assert list(load().backends) == ["mine"]


def test_rules_of_the_user_and_of_approvals_both_count(folder: Path) -> None:
    write(folder / "config.toml", "[[agent.allow]]\ntool = 'edit_file'\n")
    first = AllowRule("run_command", words=("git", "diff", "*"))
    second = AllowRule("run_command", command='echo "a\nb"')
    for rule in (first, second, first):
        save_rule(rule)
    assert load().agent.allow == (AllowRule("edit_file"), first, second)


def test_a_rule_is_not_added_to_a_file_that_cannot_be_read(folder: Path) -> None:
    write(folder / "approvals.toml", "allow = [")
    with pytest.raises(ConfigError, match=r"approvals\.toml:1"):
        save_rule(AllowRule("edit_file"))
    assert (folder / "approvals.toml").read_text() == "allow = ["


def test_half_written_files_and_backups_are_not_read(folder: Path) -> None:
    for name in (".lab.toml.x1.tmp", ".hidden.toml", "lab.toml~", "notes.txt"):
        write(folder / "backends" / name, "not = [toml")
    assert load() == Settings()


def test_a_file_where_the_backends_should_be_is_said(folder: Path) -> None:
    write(folder / "backends", "")
    with pytest.raises(ConfigError, match="backends: cannot be read: Not a directory"):
        load()
    with pytest.raises(MimoError, match="cannot write"):
        save_backend("lab", {"preset": "openai"})


def test_names_are_checked_only_against_names_that_are_given(folder: Path) -> None:
    write(folder / "config.toml", "[defaults]\nbackend = 'deepseek'\n")
    assert load().defaults.backend == "deepseek"
    with pytest.raises(ConfigError, match=r"config\.toml:2: defaults\.backend: no backend is called"):
        load(preset_names=["openai"])
    assert load(preset_names=["deepseek"]).defaults.backend == "deepseek"


def test_a_mistake_that_shows_later_is_placed_where_its_key_is_set(folder: Path) -> None:
    write(folder / "config.toml", "[ui]\n")
    save_backend("lab", {"preset": "openai", "wire": "messages"})
    error = error_at(("backends", "lab", "wire"), "not now")
    assert str(error) == f"{folder}/backends/lab.toml:3: backends.lab.wire: not now"
    assert str(error_at(("backends", "none", "wire"), "not now")) == "backends.none.wire: not now"


NAMES = sorted(
    {name for record in vars(schema).values() for name in getattr(record, "__annotations__", {}) if name[0] != "_"}
    | {"lab", "github", "chat", "X-Team", "é\n", "a b"}
)
VALUES = st.one_of(
    st.sampled_from(["agent", "none", "deepseek", "http://a", "", "\x1b"]),
    st.integers(-2, 10**20),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.times(),
    st.datetimes(),
)
TABLES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(NAMES), TABLES, max_size=5))
def test_whatever_is_in_the_file_is_good_or_a_mistake_on_some_line(table: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", folder)
        write(config_file(), tomli_w.dumps(table))
        settings, errors = examine(preset_names=["deepseek"])
        for error in errors:
            assert error.file == config_file()
            assert error.line is not None
            assert "\n" not in error.message
        if not errors:
            given_back = plain(settings)
            write(config_file(), tomli_w.dumps(given_back))
            assert plain(load(preset_names=["deepseek"])) == given_back


def test_what_is_read_can_be_used(folder: Path) -> None:
    write(folder / "config.toml", EVERYTHING)
    write(folder / "corp.pem", "a certificate")
    spec = resolve(load(preset_names=["xiaomi-mimo"]), "lab")
    assert (spec.timeouts.connect, spec.retries, spec.context_window) == (10, 4, 32768)


def test_the_files_place_is_known_without_a_file(home: Path) -> None:
    assert config_file() == home / ".config" / "mimo-tui" / "config.toml"


def test_a_backend_that_others_name_is_not_removed_from_under_them(folder: Path) -> None:
    save_backend("ok", {"base_url": "http://127.0.0.1:1/v1"})
    save_backend("other", {"base_url": "http://127.0.0.1:2/v1", "fallback": ["ok"]})
    write(folder / "config.toml", "[modes.agent]\nbackend = 'ok'\n")
    with pytest.raises(UsageError, match=r"modes\.agent\.backend, backends\.other\.fallback"):
        remove_backend("ok")
    assert load(preset_names=()).backends["ok"]
