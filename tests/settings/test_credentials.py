"""Where keys come from, to which server they belong, and what is said when there is none. The keyring: tests/cli."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import signal
import time
from pathlib import Path

import pytest

from tui.core.errors import CredentialError, MimoError, UsageError
from tui.settings import credentials
from tui.settings.credentials import Secret, credential_for, origin_of, secret_from
from tui.settings.log import mask

URL = "http://127.0.0.1:1/v1"
KEY = "Zq9-Zq9-Zq9"


def test_a_secret_is_shown_by_reveal_alone(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(KEY)
    logging.getLogger().warning("%s %r", secret, secret)
    shown = [str(secret), repr(secret), f"{secret} {secret!r:>40}", repr([secret]), str({"a": secret}), caplog.text]
    assert secret.reveal() == KEY
    assert not any("Zq9" in text for text in shown)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("leave", [pickle.dumps, copy.deepcopy, copy.copy])
def test_a_secret_is_not_written_or_copied(leave: object) -> None:
    with pytest.raises(TypeError, match="not written anywhere"):
        leave(Secret(KEY))  # type: ignore[operator]


def test_a_secret_is_masked_in_the_log_from_its_beginning() -> None:
    Secret("Yw8 it looks like nothing")
    assert mask("<Yw8 it looks like nothing>") == "<•••>"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.deepseek.com", "https://api.deepseek.com:443"),
        ("https://api.deepseek.com:443/v1/", "https://api.deepseek.com:443"),
        ("HTTPS://API.DeepSeek.com/v1", "https://api.deepseek.com:443"),
        ("http://localhost", "http://localhost:80"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("http://user:password@host:1/", "http://host:1"),
        ("https://host@evil.example/v1", "https://evil.example:443"),
    ],
)
def test_a_key_belongs_to_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["", "embedded:", "api.deepseek.com", "ftp://host", "http://", "http://a:b", "http://["]
)
def test_what_is_no_address_has_no_key(url: str) -> None:
    with pytest.raises(UsageError):
        origin_of(url)


def test_a_backend_that_needs_no_key_gets_none() -> None:
    assert credential_for("lab", "embedded:", "none") is None


def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", f" {KEY}\n")
    secret = credential_for("lab", URL, {"env": "LAB_KEY"})
    assert secret and secret.reveal() == KEY


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("LAB_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("LAB_KEY", value)
    with pytest.raises(CredentialError, match=r"backend lab .* environment variable LAB_KEY, which is not set"):
        credential_for("lab", URL, {"env": "LAB_KEY"})


@pytest.mark.parametrize("value", [" \n", "two\nlines", "tab\there", "\x1b[31m", "ключ", "a\x7fb", "Bearer Zq9"])
def test_a_variable_that_holds_no_key_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LAB_KEY", value)
    with pytest.raises(CredentialError, match="the environment variable LAB_KEY is not a key: it") as caught:
        credential_for("lab", URL, {"env": "LAB_KEY"})
    assert value.strip() == "" or value.strip() not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("output", ["Zq9\\n", "Zq9", "Zq9\\r\\nurl: x\\nuser: y\\n", "  Zq9  \\n"])
def test_a_key_is_the_first_line_that_a_command_prints(home: Path, output: str) -> None:
    secret = credential_for("lab", URL, {"command": ["printf", output]})
    assert secret and secret.reveal() == "Zq9"


def test_a_commands_relative_path_begins_at_the_config_file_not_in_the_project(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, word in ((home / ".config" / "mimo-tui", "mine"), (tmp_path / "project", "theirs")):
        folder.mkdir(parents=True)
        script = folder / "key.sh"
        script.write_text(f"#!/bin/sh\necho {word}\n")
        script.chmod(0o700)
    monkeypatch.chdir(tmp_path / "project")
    secret = credential_for("lab", URL, {"command": ["./key.sh"]})
    assert secret and secret.reveal() == "mine"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-program-here"], "cannot be started: .*No such file"),
        (["/"], "cannot be started: .*Permission denied"),
        (["a\x00b"], "cannot be started"),
        (["sh", "-c", "echo first >&2; echo last >&2; exit 3"], "ended with 3: last$"),
        (["sh", "-c", "echo Authorization: Bearer Zq9Zq9 >&2; exit 1"], "ended with 1: Authorization: Bearer •••$"),
        (["sh", "-c", "kill -9 $$"], "ended with -9"),
        (["true"], "what `true` printed first is not a key: it is empty"),
        (["printf", "\\nsecond"], "is not a key: it is empty"),
        (["printf", "\\377"], "is not a key: it has characters that are not printable ASCII"),
    ],
)
def test_a_command_that_gives_no_key_is_explained(home: Path, command: list[str], words: str) -> None:
    with pytest.raises(CredentialError, match=words):
        credential_for("lab", URL, {"command": command})


def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "COMMAND_TIMEOUT_S", 0.5)
    pid_file = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 600 & echo $! > '{pid_file}'; echo it printed something; exit 0"]
    with pytest.raises(CredentialError, match="did not end within"):
        credential_for("lab", URL, {"command": command})
    wait_until_gone(int(pid_file.read_text()))


def test_a_command_cannot_ask_on_the_terminal(home: Path) -> None:
    command = ["sh", "-c", "read answer; echo got:$answer; (echo > /dev/tty) 2>/dev/null && echo drew"]
    secret = credential_for("lab", URL, {"command": ["sh", "-c", f"{command[2]}; exit 0"]})
    assert secret and secret.reveal() == "got:"


def test_a_setting_that_means_nothing_is_an_error_not_a_crash() -> None:
    with pytest.raises(MimoError):
        credential_for("lab", URL, {"file": "key.txt"})


@pytest.mark.parametrize("text", ["Zq9", "Zq9\n", "Zq9\r\n", "Zq9\r", "Zq 9"])
def test_one_line_end_is_left_out_of_what_was_typed(text: str) -> None:
    assert secret_from(text).reveal() == text.rstrip("\r\n")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "it is empty"),
        ("\n", "it is empty"),
        ("  \n", "it is empty"),
        ("Zq9\n\n", "more than one line"),
        ("Zq9\nZq9", "more than one line"),
        ("Zq9\r\r", "more than one line"),
        ("Zq9\t", "not printable ASCII"),
        ("\x1b[A", "not printable ASCII"),
        ("Zq9\x00", "not printable ASCII"),
        ("Zq9é", "not printable ASCII"),
        ("\ufeffZq9", "not printable ASCII"),
        (" Zq9", "begins or ends with a space"),
        ("Bearer Zq9", "Bearer"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_being_shown(text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong) as caught:
        secret_from(text)
    assert "Zq9" not in str(caught.value) + caught.value.hint


def wait_until_gone(pid: int) -> None:
    for _ in range(500):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return  # ended; nobody has asked for its exit code yet
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    pytest.fail(f"process {pid} still runs")
