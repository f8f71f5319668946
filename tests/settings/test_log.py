"""No key gets into the log, whatever carries it there; and the log never makes things worse."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.settings import log as log_module
from tui.settings.log import hide, log, log_crash, log_file, mask


@pytest.fixture(autouse=True)
def nothing_hidden_before_and_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(log_module, "_secrets", set())
    yield


def logged() -> str:
    return log_file().read_text(encoding="utf-8")


characters = st.one_of(st.characters(), st.sampled_from("•\\\"'\n\r\t\x1b\x85\u202e\ud800é0123456789-T:+ abcx[]{}"))
secrets = st.one_of(
    st.sampled_from("•:0\n"),
    st.text(characters, min_size=1, max_size=12),
    st.text(st.characters(codec="ascii"), min_size=1),
)
carriers = st.sampled_from(
    [
        str,
        repr,
        json.dumps,
        lambda secret: quote(secret.encode("utf-8", "replace"), safe=""),
        lambda secret: f"Authorization: Bearer {secret}",
        lambda secret: repr({"headers": [("authorization", f"Bearer {secret}")]}),
        lambda secret: f"http://user:{secret}@host/",
        lambda secret: secret * 3,
        lambda secret: secret[: len(secret) // 2] + secret + secret[len(secret) // 2 :],
    ]
)


@given(st.lists(st.tuples(secrets, carriers), min_size=1, max_size=4), st.text(max_size=20), st.booleans())
def test_no_hidden_secret_ever_reaches_the_log(carried: list[tuple[str, object]], around: str, as_crash: bool) -> None:
    log_module._secrets.clear()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", folder)
        for secret, _ in carried:
            hide(secret)
        message = around.join(carrier(secret) for secret, carrier in carried)  # type: ignore[operator]
        line = log_crash(error_with(message)) if as_crash else log(message)
        text = log_file().read_text(encoding="utf-8")
        for secret, _ in carried:
            assert secret not in text
            assert secret.encode("utf-8", "replace") not in log_file().read_bytes()
        assert line.startswith("details are in ")


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("Zq\\9'\x85Zq", "{secret!r}"),
        ('Zq"\\9Zq', '{{"key": "Zq\\"\\\\9Zq"}}'),
        ("Zq/9+Zq", "http://host/?q=Zq%2F9%2BZq"),
        ("Zq9é", "Zq9%C3%A9"),
    ],
)
def test_a_hidden_secret_is_masked_in_the_ways_programs_write_it(home: Path, secret: str, written: str) -> None:
    hide(secret)
    log(f"<{written.format(secret=secret)}>")
    assert "Zq" not in logged()


def test_of_secrets_that_begin_alike_no_end_stays(home: Path) -> None:
    for secret in ("Zq9", "Zq9long", "Zq9lo"):
        hide(secret)
    log("Zq9long")
    assert "ng" not in logged()


def error_with(message: str) -> Exception:
    """An error whose traceback holds `message` in a cause, a note and a source of its own."""
    try:
        try:
            raise KeyError(message)
        except KeyError as cause:
            raise RuntimeError(f"while {message}") from cause
    except RuntimeError as error:
        error.add_note(message)
        return error


def test_a_crash_is_logged_with_its_traceback_and_time(home: Path) -> None:
    line = log_crash(error_with("a thing"))
    assert line == f"details are in {home}/.local/state/mimo-tui/mimo-tui.log"
    assert "RuntimeError: while a thing" in logged()
    assert "direct cause" in logged()
    assert logged()[:2] == "20"


LOOKS = [
    "sk-proj-Abc123_def456ghi",
    "tp-cn4abcdefgh",
    "gsk_abcdefghijklmnop",
    "AIzaSyAbcdefghijklmnopqrstu",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
]
CARRIERS = [
    "Authorization: Bearer {}",
    "authorization: bearer {}",
    "{{'x-api-key': '{}'}}",
    '{{"api_key": "{}"}}',
    "[(b'api-key', b'{}')]",
    "api_key={}&x=1",
    "GITHUB_TOKEN = {}",
    "password: {}",
    "http://user:{}@proxy:3128/",
    "Set-Cookie: {}",
]


@pytest.mark.parametrize("key", LOOKS)
def test_what_looks_like_a_key_is_masked_though_nobody_hid_it(home: Path, key: str) -> None:
    log(f"the server said: {key} is wrong, see /v1/{key}")
    assert key not in logged()
    assert "is wrong" in logged()


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_stands_where_keys_stand_is_masked(home: Path, carrier: str) -> None:
    log(carrier.format("Zq9Zq9Zq9") + " and more")
    assert "Zq9" not in logged()
    assert "and more" in logged()


@pytest.mark.parametrize(
    "words",
    [
        "an ordinary sentence about a task-list and a desk-lamp",
        'File "tui/backends/http.py", line 31, in stream',
        "used 300 tokens: 200 in, 100 out",
        "http://127.0.0.1:8000/v1/models",
        "KeyError: 'choices'",
        "the token was not expected",
    ],
)
def test_what_is_no_key_stays_readable(words: str) -> None:
    assert mask(words) == words


@pytest.mark.parametrize(
    "piece", ["a_", "a-token", "eyJ", "sk-", "token ", "://", "bearer ", "eyJaaaaaaaa.", "token" + " " * 50]
)
def test_masking_a_long_text_takes_no_longer_than_its_length_asks_for(piece: str) -> None:
    mask(piece * 100_000)


def test_what_is_logged_cannot_harm_a_terminal(home: Path) -> None:
    log("\x1b]0;title\x07 \u202e \ud800 \x9b")
    assert not set(logged()) & {"\x1b", "\x07", "\u202e", "\ud800", "\x9b"}


def test_the_log_is_for_the_user_alone(home: Path) -> None:
    log_file().parent.mkdir(parents=True)
    log_file().write_text("")
    log_file().chmod(0o644)
    log("something")
    assert stat.S_IMODE(log_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(log_file().parent.stat().st_mode) == 0o700


def test_the_log_does_not_grow_for_ever(home: Path) -> None:
    for number in range(30):
        log(f"{number} " + "x" * 100_000)
    sizes = [path.stat().st_size for path in log_file().parent.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) < 2_500_000
    assert "29 xxx" in logged()


def test_an_error_that_cannot_say_what_it_is_is_logged_too(home: Path) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    assert log_crash(Mute()).startswith("details are in")
    assert "Mute" in logged()


@pytest.mark.parametrize("obstacle", ["file", "folder"])
def test_a_log_that_cannot_be_written_is_said_with_the_error_itself(home: Path, obstacle: str) -> None:
    hide("Zq9Zq9")
    if obstacle == "file":
        log_file().parent.parent.mkdir(parents=True)
        log_file().parent.write_text("")
    else:
        log_file().mkdir(parents=True)
    line = log_crash(ValueError("the key Zq9Zq9 is wrong"))
    assert line.startswith("ValueError: the key ••• is wrong (there is no log: cannot write ")
    assert "\n" not in line


def test_a_program_that_breaks_shows_where_the_details_are_and_no_traceback(home: Path) -> None:
    """The whole way: an error that nobody expected, from the command line to the screen and the log."""
    program = """
import os, sys
from tui import cli
from tui.cli import config
from tui.settings.credentials import Secret
def break_down():
    key = Secret(os.environ["LAB_KEY"])
    raise RuntimeError("broke with " + key.reveal())
config._show = break_down
sys.exit(cli.main(["config", "show"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "LAB_KEY": "Zq9Zq9Zq9"}
    )
    assert done.returncode == 1
    assert done.stderr == f"mimo-tui: something went wrong that should not: details are in {log_file()}\n"
    assert "RuntimeError: broke with •••" in logged()
    assert "Zq9Zq9Zq9" not in logged()
