"""`mimo-tui backends`: adding a server from a script, trying it out, and seeing what is there."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest

from tests.scripted import Reply, ScriptedServer, fault, tool_call
from tui.backends.presets import presets
from tui.cli import main
from tui.settings.learned import Learned, keep_learned

Start = Callable[..., ScriptedServer]
Out = pytest.CaptureFixture[str]


@pytest.fixture
def config(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's config folder, not made yet; the work folder is another one."""
    work = home.parent / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(keyring, "get_keyring", keyring.backends.fail.Keyring)  # another test may have set one
    return home / ".config" / "mimo-tui"


def backends(*arguments: str) -> int:
    return main(["backends", *arguments])


def row(output: str, name: str) -> str:
    return next(line for line in output.splitlines() if line.split()[:1] == [name])


def test_the_list_says_what_is_ready_and_what_to_do_for_the_others(
    config: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.mkdir(parents=True)
    (config / "config.toml").write_text(
        '[defaults]\nbackend = "work"\n'
        '[backends.work]\npreset = "deepseek"\ncredential = { env = "WORK_KEY" }\n'
        '[backends.other]\npreset = "deepseek"\ncredential = { env = "OTHER_KEY" }\n'
        '[backends.third]\npreset = "deepseek"\n'
    )
    monkeypatch.setenv("WORK_KEY", "sk-1234567890")
    assert backends("list") == 0
    out = capsys.readouterr().out
    assert row(out, "work").split()[1] == "*" and row(out, "work").rstrip().endswith("WORK_KEY")
    assert " yes, " in row(out, "work") and "OTHER_KEY, which is not set" in row(out, "other")
    assert row(out, "openai").endswith(
        "no key: no keyring can be used here; mimo-tui backends add openai --key-env OPENAI_API_KEY"
    )
    assert row(out, "third").endswith(f"; set `credential` under [backends.third] in {config / 'config.toml'}")
    assert row(out, "embedded").endswith("no: mimo-tui models pull smollm2-135m")
    assert row(out, "ollama").endswith("no model is set: mimo-tui backends models ollama")
    assert "sk-1234567890" not in out


def test_the_list_says_what_the_built_in_model_needs(
    config: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert backends("list") == 0
    assert "no: xllamacpp is not installed: " in row(capsys.readouterr().out, "embedded")


def test_the_list_is_in_groups_and_leaves_out_what_few_ask_for(
    config: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends("add", "lab", "--base-url", "http://x/v1", "--no-key")
    capsys.readouterr()
    assert backends("list") == 0
    short = capsys.readouterr().out
    lines = short.splitlines()
    places = [lines.index(heading) for heading in ("Yours", "Vendors", "On this machine")]
    assert places == sorted(places) and lines[places[0] + 1].startswith("lab")
    assert "\nanthropic " in short and "\nmimo-plan-sgp " not in short and "backends list --all" in short
    assert backends("list", "--all") == 0
    everything = capsys.readouterr().out
    assert {line.split()[0] for line in everything.splitlines() if line} >= set(presets())


def test_show_says_of_each_value_who_said_it(config: Path, capsys: Out) -> None:
    config.mkdir(parents=True)
    (config / "config.toml").write_text(
        '[backends.mine]\npreset = "deepseek"\nthinking = "low"\n[backends.mine.rules]\nstream_usage = false\n'
        '[models."deepseek-flash"]\nimages = false\nmax_output = 9\n'
    )
    said = "tool_choice is \x1b[31mnot supported"
    keep_learned(Learned("https://api.deepseek.com", "deepseek-flash", "system_role", "user", said, "2026-11-25"))
    assert backends("show", "mine") == 0
    out = capsys.readouterr().out
    values = {line.split()[0]: line.split(maxsplit=1)[1] for line in out.splitlines() if len(line.split()) > 1}
    assert values["thinking"].startswith("you") and values["rules.stream_usage"].split() == ["you", "false"]
    assert values["rules.thinking"].startswith("preset") and values["max_output"].split() == [
        "you,",
        "in",
        "models",
        "9",
    ]
    assert values["rules.images"].endswith("false") and values["rules.images"].startswith("you, in models")
    assert values["rules.reasoning_required"].split() == ["preset", "true"]
    assert values["rules.system_role"].split() == ["learned", "2026-11-25", "user"]
    assert values["context_window"].split() == ["catalogue", "1000000"] and values["price"].startswith("catalogue")
    assert values["rules.tool_schema"].split() == ["full"]
    assert "not supported" in out and "--forget" in out and "\x1b" not in out


def test_what_is_not_known_is_shown_as_unknown(config: Path, capsys: Out) -> None:
    assert backends("show", "openrouter") == 0
    out = capsys.readouterr().out
    assert row(out, "price").split() == ["price", "unknown"]
    assert row(out, "context_window").split() == ["context_window", "unknown"]


def test_what_was_learned_can_be_forgotten(config: Path, capsys: Out) -> None:
    for model in ("deepseek-flash", "deepseek-v4-pro"):
        for rule, value in (("images", False), ("context_window", 900_000)):
            keep_learned(Learned("https://api.deepseek.com", model, rule, value, "so", "2026-11-25"))
    assert backends("show", "deepseek", "--forget") == 0
    assert "Forgot 2 learned rules of deepseek-flash at https://api.deepseek.com." in capsys.readouterr().out
    assert backends("show", "deepseek", "--forget") == 0
    assert "Nothing was learned" in capsys.readouterr().out
    assert backends("show", "deepseek", "--model", "deepseek-v4-pro") == 0
    assert "900000" in row(capsys.readouterr().out, "context_window")


def test_a_backend_is_added_with_its_wire_and_thinking(config: Path, capsys: Out) -> None:
    assert backends("add", "mine", "--preset", "anthropic", "--thinking", "max") == 0
    assert backends("add", "own", "--base-url", "http://127.0.0.1:9/x", "--wire", "messages", "--model", "m") == 0
    assert tomllib.loads((config / "backends" / "mine.toml").read_text())["thinking"] == "max"
    assert backends("show", "own") == 0
    assert row(capsys.readouterr().out, "wire").split() == ["wire", "you", "messages"]


def test_a_server_is_added_from_a_script_shown_and_removed(config: Path, capsys: Out) -> None:
    assert backends("add", "lab", "--base-url", "http://127.0.0.1:8000/v1", "--model", "m", "--key-env", "LAB_KEY") == 0
    said = capsys.readouterr().out
    assert "LAB_KEY" in said and "mimo-tui backends test lab" in said and "mimo-tui --backend lab" in said
    path = config / "backends" / "lab.toml"
    assert tomllib.loads(path.read_text()) == {
        "base_url": "http://127.0.0.1:8000/v1",
        "model": "m",
        "credential": {"env": "LAB_KEY"},
    }
    assert not (config / "config.toml").exists()
    assert backends("show", "lab") == 0
    shown = capsys.readouterr().out
    assert row(shown, "model").split() == ["model", "you", "m"]
    assert row(shown, "wire").split() == ["wire", "chat-completions"]
    assert backends("remove", "lab") == 0
    assert not path.exists() and backends("show", "lab") == 2


def test_a_preset_is_added_under_its_own_name(config: Path, capsys: Out) -> None:
    assert backends("add", "ollama", "--model", "qwen3:8b") == 0
    assert "keys set" not in capsys.readouterr().out
    assert backends("list") == 0
    assert row(capsys.readouterr().out, "ollama").endswith("needs no key")
    assert backends("remove", "ollama") == 0
    assert "preset" in capsys.readouterr().out


def test_after_adding_a_vendor_the_next_step_is_its_key(config: Path, capsys: Out) -> None:
    assert backends("add", "work", "--preset", "deepseek") == 0
    said = capsys.readouterr().out
    assert "mimo-tui keys set work" in said and "https://platform.deepseek.com" in said


def test_a_server_without_a_model_is_added_with_how_to_choose_one(config: Path, capsys: Out) -> None:
    assert backends("add", "lab", "--base-url", "http://127.0.0.1:8000/v1", "--no-key") == 0
    assert "mimo-tui backends models lab" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lab"], "a backend needs a `preset` or a `base_url`"),
        (["lab", "--preset", "deepsek"], "did you mean `deepseek`"),
        (["lab", "--base-url", "ftp://x"], "--base-url: must be a URL"),
        (["lab", "--base-url", "http://me:secret@x/v1"], "cannot be in the URL"),
        (["lab", "--base-url", "http://x", "--wire", "mesages"], "--wire: must be"),
        (["lab", "--base-url", "http://x", "--key-env", ""], "--key-env"),
        (["lab", "--preset", "deepseek", "--thinking", "hihg"], "--thinking: must be"),
        (["lab", "--preset", "anthropic", "--model", "claude-opus-5-5", "--thinking", "off"], "has no level `off`"),
        (["a b", "--base-url", "http://x"], "letters, digits"),
        (["../x", "--base-url", "http://x"], "letters, digits"),
    ],
)
def test_what_cannot_be_added_is_refused_and_not_kept(
    config: Path, capsys: Out, arguments: list[str], words: str
) -> None:
    assert backends("add", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not list(config.rglob("*"))


def test_a_backend_that_is_there_is_not_replaced(config: Path, capsys: Out) -> None:
    assert backends("add", "lab", "--base-url", "http://x/v1") == 0
    assert backends("add", "lab", "--base-url", "http://y/v1") == 2
    assert "backends remove lab" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mine", "deepseek", "nobody"])
def test_only_what_was_added_can_be_removed(config: Path, capsys: Out, name: str) -> None:
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[backends.mine]\nbase_url = "http://x/v1"\n')
    assert backends("remove", name) == 2
    assert name in capsys.readouterr().err
    assert "mine" in (config / "config.toml").read_text()


def test_a_test_says_point_by_point_what_works(config: Path, capsys: Out, scripted: Start) -> None:
    server = scripted(["ready", Reply(tool_call("report_colour", {"colour": "green"}))])
    backends("add", "lab", "--base-url", server.base_url, "--model", "scripted", "--no-key")
    capsys.readouterr()
    assert backends("test", "lab") == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["ok", "server"],
        ["ok", "model"],
        ["ok", "answer"],
        ["ok", "thinking"],
        ["ok", "tools"],
    ]


def test_a_test_that_fails_says_what_to_do_and_exits_with_1(config: Path, capsys: Out, scripted: Start) -> None:
    server = scripted([fault(402, message="no money \x1b[31m")])
    backends("add", "lab", "--base-url", server.base_url, "--model", "scripted", "--no-key")
    capsys.readouterr()
    assert backends("test", "lab") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAILED") and "no money" in last and "\x1b" not in last


def test_models_are_listed_from_the_server(config: Path, capsys: Out, scripted: Start) -> None:
    server = scripted(models=["b", {"id": "a", "max_model_len": 8192}, "evil\x1b[2J"])
    backends("add", "lab", "--base-url", server.base_url, "--model", "b", "--no-key")
    capsys.readouterr()
    assert backends("models", "lab") == 0
    out = capsys.readouterr().out
    assert row(out, "a").split() == ["a", "8,192", "tokens", "unknown", "unknown"]
    assert row(out, "b").split() == ["b", "*", "unknown", "unknown", "unknown"]
    assert "\x1b" not in out


def test_a_dead_server_has_no_models_and_the_user_is_told_why(config: Path, capsys: Out) -> None:
    backends("add", "lab", "--base-url", "http://127.0.0.1:1/v1", "--no-key")
    assert backends("models", "lab") == 1
    assert "no server answers at 127.0.0.1:1" in capsys.readouterr().err


def test_secrets_in_headers_are_not_shown(config: Path, capsys: Out) -> None:
    config.mkdir(parents=True)
    (config / "config.toml").write_text(
        '[backends.lab]\nbase_url = "http://x/v1"\nheaders = { api-key = "sk-123456" }\nproxy = "http://u:pw@p:1"\n'
    )
    assert backends("show", "lab") == 0
    out = capsys.readouterr().out
    assert "api-key" in out and "sk-123456" not in out and "pw" not in out
