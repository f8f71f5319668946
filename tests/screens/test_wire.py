"""The wire view: the exact request, the raw reply, and a curl command that sends the same again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from textual.app import App
from textual.widgets import Static

from tests.app.driving import configure, opened
from tests.scripted import ScriptedServer
from tui.core.events import Record, ReplyReceived, RuleLearned, StepStarted
from tui.core.messages import Json, Origin
from tui.screens.step import StepScreen
from tui.screens.wire import curl_command, curl_of, sent_text

KEY = "sk-very-secret-0123456789"
HEADERS = {"Content-Type": "application/json", "Authorization": "•••", "X-Team": "•••"}
ORIGIN = Origin("my-lab", "http://lab/v1", "m", "chat-completions")
NASTY: Json = {
    "messages": [{"role": "user", "content": 'it\'s $HOME `id` \\ "x"\n\r!! ${A} %s @x 漢'}],
    "stream": False,
}


def run(command: str, folder: Path, **more: str) -> bytes:
    """What the command prints when `sh` runs it, with the programs in `folder` before those of the system."""
    script = folder / "command.sh"
    script.write_text(command)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", **more}
    return subprocess.run(["/bin/sh", script], capture_output=True, env=env, check=True, timeout=60).stdout


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A folder with a curl that prints its arguments, NUL between them, then its input if it is to read that."""
    script = tmp_path / "curl"
    script.write_text('#!/bin/sh\nprintf \'%s\\0\' "$@"\n[ "$*" = "${*%@-}" ] || cat\n')
    script.chmod(0o755)
    return tmp_path


def test_the_key_is_a_variable_and_the_rest_is_as_it_was_sent(recorder: Path) -> None:
    command = curl_command("http://lab/v1/chat/completions?a=1&b=2", HEADERS, sent_text(NASTY), "MY_LAB_API_KEY")
    told = run(command, recorder, MY_LAB_API_KEY=KEY, X_TEAM="a b").decode().split("\0")
    assert told == [
        *("-N", "http://lab/v1/chat/completions?a=1&b=2"),
        *("-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {KEY}", "-H", "X-Team: a b"),
        *("--data-binary", sent_text(NASTY), ""),
    ]


@pytest.mark.parametrize("size", [99_000, 300_000])
def test_a_body_of_any_size_arrives_whole(recorder: Path, size: int) -> None:
    body = "it's " * (size // 5)
    assert run(curl_command("http://lab", {"x-api-key": "•••"}, body, "K"), recorder, K=KEY).decode().count(body) == 1


@given(some.text())
def test_no_text_leaves_its_quotes(text: str) -> None:
    import shlex

    body = sent_text({"content": text})
    assert shlex.split(curl_command("http://lab", {}, body, "K"))[-1] == body


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_sends_what_the_program_sent(
    home: Path, scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "project"
    folder.mkdir()
    server = scripted(["Hello.", "Hello."], key=KEY)
    monkeypatch.setenv("LAB_KEY", KEY)
    configure(server, backend='credential = { env = "LAB_KEY" }')
    async with opened(folder, (120, 50)) as it:
        await it.say('it\'s "quoted" $HOME `id`')
        await it.until_shown("Hello.")
        await it.until_done()
        await it.press("ctrl+t")
        await it.chat_focus("trace")
        await it.press("enter", "left")
        await it.until_shown("[Wire]", "POST http://127.0.0.1", "Authorization: •••", "HTTP 200", "data: {")
        assert KEY not in it.screen
        await it.press("C")
        await it.until_shown("as a curl command")
        command = it.app.clipboard
    assert KEY not in command
    told = run(command, home, LAB_KEY=KEY)
    assert b"Hello" in told
    first, second = server.requests
    assert first.body == second.body


async def test_what_was_learned_is_in_the_request_and_every_reply_is_shown() -> None:
    body: Json = {"max_completion_tokens": 9}
    events = [
        StepStarted(ORIGIN, "http://lab/v1/chat/completions", {}, HEADERS),
        ReplyReceived(400, {"server": "x"}, '{"error": "no\x1b[2J"}'),
        RuleLearned("max_tokens_field", '"max_completion_tokens"', "no"),
        ReplyReceived(200, {}, "data: {}\r\n\r\ndata: [DONE]\r\n"),
    ]
    app: App[None] = App()
    async with app.run_test(size=(100, 40)) as pilot:
        screen = StepScreen([Record("s", 1, 1, 1000.0, event) for event in events], body)
        await app.push_screen(screen)
        await pilot.press("left")
        text = screen.lines.text
    assert '{"max_completion_tokens":9}' in text
    assert "HTTP 400\nserver: x\n\n" in text and "HTTP 200\n\ndata: {}\n\ndata: [DONE]" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("credential", "key", "words"),
    [
        (None, "MY_LAB_API_KEY", '"$MY_LAB_API_KEY"'),
        ("keyring", "MY_LAB_API_KEY", '"$MY_LAB_API_KEY"'),
        ({"command": ["pass", "lab"]}, "MY_LAB_API_KEY", '"$MY_LAB_API_KEY"'),
        ({"env": "lab_key"}, "", '"$lab_key"'),
        ("none", "", ""),
    ],
)
def test_the_variable_of_the_key_is_the_one_that_is_set_or_is_named(credential: object, key: str, words: str) -> None:
    started = StepStarted(ORIGIN, "http://lab/v1/chat/completions", {}, HEADERS)
    curl = curl_of([Record("s", 1, 1, 1000.0, started)], NASTY, credential)
    assert curl is not None
    assert (curl.key, list(curl.others)) == (key, ["X_TEAM"])
    assert words in curl.command and ("Authorization" in curl.command) == (credential != "none")


async def test_the_screen_says_which_variable_to_set_first() -> None:
    started = StepStarted(ORIGIN, "http://lab/v1/chat/completions", {}, {"Authorization": "•••"})
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = StepScreen([Record("s", 1, 1, 1000.0, started)], {})
        await app.push_screen(screen)
        await pilot.press("C")
        keys = screen.query_one("#step-keys", Static)
        assert "set MY_LAB_API_KEY to the key first" in str(keys.render())


def test_of_a_step_without_a_request_there_is_no_command() -> None:
    assert curl_of([], {}) is None
