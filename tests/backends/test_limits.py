"""What a server may not do to our memory, and what it may not get us to print."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from tests.scripted import Response, ScriptedServer
from tui.backends.backend import Backend
from tui.backends.errors import explain
from tui.backends.resolve import is_loopback, resolve
from tui.backends.spec import Request
from tui.backends.sse import LIMIT_BYTES, Parser
from tui.core.errors import BackendError
from tui.core.messages import user
from tui.settings.log import hide
from tui.settings.schema import BackendConfig, Settings


def test_an_event_of_many_lines_has_the_limit_of_one() -> None:
    parser, line = Parser(), b"data: " + b"x" * (1 << 20) + b"\n"
    with pytest.raises(BackendError, match="event of more"):
        for _ in range(LIMIT_BYTES // len(line) + 2):
            parser.feed(line)


async def test_an_answer_that_is_compressed_twice_is_refused(scripted: Callable[..., ScriptedServer]) -> None:
    body = gzip.compress(gzip.compress(b"x" * 1_000_000))
    server = scripted([Response(200, body, {"Content-Encoding": "gzip, gzip"})])
    config = BackendConfig(wire="chat-completions", base_url=server.base_url, model="m", credential="none")
    backend = Backend(resolve(Settings(backends={"lab": config}), "lab"))
    with pytest.raises(BackendError, match="more than once"):
        async for _ in backend.ask(Request("", (user("Hi"),))):
            pass
    await backend.aclose()


@pytest.mark.parametrize("padding", [0, 190, 470, 490])
def test_a_key_is_masked_before_the_message_is_cut(padding: int) -> None:
    secret = "correct-horse-battery-staple-0123456789"
    hide(secret)
    spec = resolve(Settings(), "deepseek")
    for body in (json.dumps({"error": {"message": "x" * padding + f" bad key {secret}"}}), "x" * padding + secret):
        error = explain(401, {}, body, spec)
        assert "correct" not in error.message + error.raw


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.2:1/v1", True),
        ("http://localhost.:1", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.1.example.org", False),
        ("http://128.0.0.1", False),
    ],
)
def test_what_is_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected
