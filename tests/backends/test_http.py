"""Time limits, redirects, proxies, certificates, dead servers: each with an error that says which and what to do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.asking import HELLO, ask, error_of, reply_of, spec_for
from tests.scripted import Reply, ScriptedServer, comment, fault, head, pause, raw, redirect, stall
from tui.backends.backend import Backend
from tui.backends.resolve import resolve
from tui.backends.spec import Timeouts
from tui.core.errors import ConfigError
from tui.core.events import TextDelta
from tui.settings.config import BackendConfig, Settings

Start = Callable[..., ScriptedServer]


@pytest.fixture
def dead_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full: what else wants to connect waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield int(listener.getsockname()[1])


# Time


async def test_a_server_that_cannot_be_connected_is_given_up_after_its_limit(full_port: int) -> None:
    spec = spec_for(f"http://127.0.0.1:{full_port}/v1", timeouts=Timeouts(connect=0.1), retries=0)
    error = await error_of(spec)
    assert error.kind == "timeout" and "`connect`" in error.message and "0.1 s" in error.message


@pytest.mark.parametrize("elements", [[stall()], [head(), stall()]], ids=["nothing at all", "a head alone"])
async def test_a_server_that_says_nothing_is_given_up_after_its_limit(scripted: Start, elements: list[Any]) -> None:
    server = scripted([Reply(*elements)])
    error = await error_of(spec_for(server, timeouts=Timeouts(first_byte=0.1, idle=60), retries=0))
    assert error.kind == "timeout" and "`first_byte`" in error.message and "0.1 s" in error.message
    await server.until(lambda: server.requests[0].abandoned)


async def test_a_server_that_stops_in_mid_answer_is_given_up_after_its_limit(scripted: Start) -> None:
    server = scripted([Reply("Half", stall())])
    came = await ask(spec_for(server, timeouts=Timeouts(first_byte=60, idle=0.1), retries=0))
    assert came[1] == TextDelta("Half") and came[-1].kind == "timeout" and "`idle`" in came[-1].message
    await server.until(lambda: server.requests[0].abandoned)


async def test_the_first_byte_may_take_longer_than_the_others(scripted: Start) -> None:
    server = scripted([Reply(head(), pause(0.3), "Hi")])
    assert (await reply_of(spec_for(server, timeouts=Timeouts(first_byte=60, idle=0.15)))).message.text == "Hi"


async def test_a_short_limit_for_the_first_byte_does_not_shorten_the_others(scripted: Start) -> None:
    server = scripted([Reply("Hi", pause(0.3), " you")])
    reply = await reply_of(spec_for(server, timeouts=Timeouts(first_byte=0.15, idle=60)))
    assert reply.message.text == "Hi you"


async def test_comments_show_that_the_server_is_alive(scripted: Start) -> None:
    waiting = [element for _ in range(6) for element in (comment(), pause(0.1))]
    server = scripted([Reply(*waiting, "Hi")])
    assert (await reply_of(spec_for(server, timeouts=Timeouts(idle=0.4), retries=0))).message.text == "Hi"


async def test_a_stalled_refusal_is_given_up_too(scripted: Start) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Oh\r\ncontent-length: 100\r\n\r\nhalf")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    spec = spec_for(f"http://127.0.0.1:{port}/v1", timeouts=Timeouts(idle=0.1), retries=0)
    assert (await error_of(spec)).kind == "timeout"
    server.close()


# Servers that are not there


async def test_a_dead_port_of_this_machine_is_met_with_how_to_start_the_server(dead_port: int) -> None:
    settings = Settings(backends={"ollama": BackendConfig(base_url=f"http://127.0.0.1:{dead_port}/v1", model="m")})
    came = await ask(resolve(settings, "ollama"))
    error = came[-1]
    assert (
        error.kind == "local_server_down" and f"127.0.0.1:{dead_port}" in error.message and "ollama serve" in error.hint
    )
    assert len(came) == 2  # and it is not tried again


async def test_a_dead_server_elsewhere_is_tried_again(dead_port: int) -> None:
    came = await ask(spec_for(f"http://127.0.0.1:{dead_port}/v1", local=False, retries=1))
    assert came[-1].kind == "network" and "cannot connect" in came[-1].message and len(came) == 3


# Redirects


async def test_a_key_does_not_follow_a_redirect_to_another_origin(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-very-secret-0123456789")
    other = scripted(["stolen"], may_complain=True)
    server = scripted([redirect(f"{other.base_url}/chat/completions?key=x")])
    error = await error_of(spec_for(server, credential={"env": "LAB_KEY"}))
    assert error.kind == "protocol" and other.root in error.message and "base_url" in error.hint
    assert not other.requests and not other.others


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1", "https://127.0.0.1", "//elsewhere", "ftp://x", "http://[oops"]
)
async def test_nor_to_any_other_scheme_host_or_port(scripted: Start, target: str) -> None:
    server = scripted([redirect(f"{target}/v1/chat/completions")])
    assert (await error_of(spec_for(server))).kind == "protocol"


async def test_only_a_key_in_the_keyring_has_to_be_given_again_for_another_address(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-lab-0123456789")
    target = redirect("http://elsewhere.invalid/v1/chat/completions")
    error = await error_of(spec_for(scripted([target]), credential={"env": "LAB_KEY"}))
    assert "base_url" in error.hint and "keys set" not in error.hint


@pytest.mark.parametrize("absolute", [True, False])
async def test_a_redirect_within_the_origin_is_followed(scripted: Start, absolute: bool) -> None:
    server = scripted([lambda request: redirect(f"{root}/v1/chat/completions"), "Hi"])
    root = server.root if absolute else ""
    assert (await reply_of(spec_for(server))).message.text == "Hi"
    assert server.requests[0].body == server.requests[1].body


async def test_a_redirect_that_would_lose_the_question_is_not_followed(scripted: Start) -> None:
    error = await error_of(spec_for(scripted([redirect("/v1/chat/completions", 302)])))
    assert error.kind == "protocol" and "base_url" in error.hint


async def test_a_circle_of_redirects_has_an_end(scripted: Start) -> None:
    error = await error_of(spec_for(scripted([redirect("/v1/chat/completions")] * 4)))
    assert error.kind == "protocol" and "circle" in error.message


async def test_listing_models_does_not_follow_one_elsewhere_either(scripted: Start) -> None:
    other = scripted()
    server = scripted(routes={"/v1/models": lambda request: redirect(f"{other.root}/v1/models", 302)})
    backend = Backend(spec_for(server))
    with pytest.raises(Exception, match="redirects to another one"):
        await backend.list_models()
    await backend.aclose()
    assert not other.others


# Proxies and certificates


async def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    scripted: Start, monkeypatch: pytest.MonkeyPatch, dead_port: int
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{dead_port}")
    assert (await reply_of(spec_for(scripted(["Hi"])))).message.text == "Hi"


async def test_a_proxy_that_is_set_is_used_and_named_when_it_is_dead(scripted: Start, dead_port: int) -> None:
    spec = spec_for("http://example.invalid/v1", local=False, proxy=f"http://127.0.0.1:{dead_port}", retries=0)
    error = await error_of(spec)
    assert error.kind == "network" and f"127.0.0.1:{dead_port}" in error.message


async def test_a_proxy_that_cannot_be_one_is_a_mistake_in_the_settings() -> None:
    error = await error_of(spec_for("http://example.invalid/v1", local=False, proxy="gopher://x"))
    assert isinstance(error, ConfigError) and "backends.lab.proxy" in error.message


async def test_a_proxy_of_the_environment_that_cannot_be_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "gopher://x")
    monkeypatch.setenv("http_proxy", "gopher://x")
    error = await error_of(spec_for("http://example.invalid/v1", local=False))
    assert isinstance(error, ConfigError) and "HTTP_PROXY" in error.message


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_certificates_that_cannot_be_read_are_a_mistake_in_the_settings(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "corp.pem"
    if content is not None:
        path.write_bytes(content)
    error = await error_of(spec_for("https://127.0.0.1:1/v1", ca_file=str(path)))
    assert isinstance(error, ConfigError) and "backends.lab.ca_file" in error.message


async def test_https_to_a_server_that_speaks_http_is_said_to_be_that() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    error = await error_of(spec_for(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"))
    server.close()
    assert error.kind == "network" and "https, and not http" in error.hint


# Connections


async def test_the_next_step_uses_the_same_connection() -> None:
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                headers = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(headers.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                body = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body))
                await writer.drain()
                writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    backend = Backend(spec_for(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"))
    for _ in range(3):
        assert [piece async for piece in backend.ask(HELLO)][-1].message.text == "Hi"  # type: ignore[union-attr]
    await backend.aclose()
    server.close()
    assert connections == 1


async def test_a_server_that_stays_silent_after_its_end_mark_does_not_hold_up_the_answer(scripted: Start) -> None:
    server = scripted([Reply("Hi", raw(b"data: [DONE]\n\n"), stall())])
    assert (await reply_of(spec_for(server))).message.text == "Hi"
    await server.until(lambda: server.requests[0].abandoned)


async def test_requests_at_the_same_time_share_one_client(scripted: Start) -> None:
    backend = Backend(spec_for(scripted(["Hi", "Hi", "Hi"])))

    async def text() -> str:
        return [piece async for piece in backend.ask(HELLO)][-1].message.text  # type: ignore[union-attr]

    assert await asyncio.gather(text(), text(), text()) == ["Hi"] * 3
    await backend.aclose()


async def test_headers_of_the_settings_are_sent(scripted: Start) -> None:
    server = scripted(["Hi"])
    await reply_of(spec_for(server, headers={"X-Team": "ml", "Connection": "close"}))
    assert server.requests[0].headers["x-team"] == "ml" and server.requests[0].headers["connection"] == "close"
    assert server.requests[0].headers["accept"] == "text/event-stream"
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_compressed_answer_is_read_though_none_was_asked_for(scripted: Start) -> None:
    import gzip

    body = gzip.compress(b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n')
    server = scripted([fault(200, body, {"content-encoding": "gzip", "content-type": "text/event-stream"})])
    assert (await reply_of(spec_for(server))).message.text == "Hi"
