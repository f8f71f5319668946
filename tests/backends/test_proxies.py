"""Proxies and certificates, with a real proxy and a real TLS server whose authority nobody else knows."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import trustme

from tests.backends.asking import ask, error_of, reply_of, spec_for
from tests.faults.dialects import CHAT
from tests.faults.raw_server import RawServer
from tests.faults.streams import whole
from tui.core.errors import ConfigError

ANSWER = whole(CHAT, CHAT.events())
KEY = "sk-not-for-the-proxy-0123456789"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "corp.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[RawServer]:
    with RawServer([ANSWER], tls=_context(authority, "127.0.0.1", "lab.test")) as server:
        yield server


def _context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


class Proxy:
    """Takes CONNECT for any host, and connects to `port` of this machine. Keeps what it was asked in the open."""

    def __init__(self, port: int, reply: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self.port, self.reply = port, reply
        self.heads: list[bytes] = []
        self.passed = b""
        """What the client sent through it once it was connected."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), ExitStack() as stack:
            stack.callback(client.close)
            head = b""
            while b"\r\n\r\n" not in head and (piece := client.recv(4096)):
                head += piece
            self.heads.append(head)
            client.sendall(self.reply)
            if b" 200 " not in self.reply:
                return
            server = stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))
            back = threading.Thread(target=_pour, args=(server, client), daemon=True)
            back.start()
            while piece := client.recv(65_536):
                self.passed += piece
                server.sendall(piece)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


# Certificates


async def test_an_authority_of_the_users_own_is_trusted_once_it_is_named(tls_server: RawServer, ca_file: str) -> None:
    assert (await reply_of(spec_for(f"{tls_server.root}/v1", ca_file=ca_file))).message.text == "Hello"


async def test_an_unknown_authority_is_refused_at_once_and_is_not_tried_again(tls_server: RawServer) -> None:
    came = await ask(spec_for(f"{tls_server.root}/v1", local=False, retries=4))
    assert len(came) == 2 and came[-1].kind == "network" and not came[-1].retryable
    assert "not trusted" in came[-1].message and "ca_file" in came[-1].hint and not tls_server.requests


async def test_a_certificate_for_another_host_is_refused_too(authority: trustme.CA, ca_file: str) -> None:
    with RawServer([ANSWER], tls=_context(authority, "elsewhere.test")) as server:
        error = await error_of(spec_for(f"{server.root}/v1", ca_file=ca_file, retries=0))
    assert error.kind == "network" and "not trusted" in error.message and not server.requests


async def test_the_usual_authorities_are_not_replaced_by_the_users_own(ca_file: str) -> None:
    from tui.backends.http import _tls_context

    assert len(_tls_context(ca_file).get_ca_certs()) == len(_tls_context(None).get_ca_certs()) + 1


# Proxies


async def test_https_goes_through_a_proxy_which_sees_neither_key_nor_question(
    tls_server: RawServer, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    with Proxy(tls_server.port) as proxy:
        url = "https://lab.test/v1"
        spec = spec_for(url, local=False, ca_file=ca_file, proxy=proxy.url, credential={"env": "LAB_KEY"})
        assert (await reply_of(spec)).message.text == "Hello"
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT lab.test:443 ") and KEY.encode() not in head + proxy.passed
    assert KEY.encode() in tls_server.requests[0]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_used(
    tls_server: RawServer, ca_file: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with Proxy(tls_server.port) as proxy:
        monkeypatch.setenv(name, proxy.url)
        spec = spec_for("https://lab.test/v1", local=False, ca_file=ca_file)
        assert (await reply_of(spec)).message.text == "Hello"
    assert len(proxy.heads) == 1


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "example.org,127.0.0.1"])
async def test_a_host_of_no_proxy_is_asked_straight(
    tls_server: RawServer, ca_file: str, monkeypatch: pytest.MonkeyPatch, exception: str
) -> None:
    with Proxy(tls_server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", exception)
        spec = spec_for(f"{tls_server.root}/v1", local=False, ca_file=ca_file)
        assert (await reply_of(spec)).message.text == "Hello"
    assert not proxy.heads


async def test_the_proxy_of_the_backend_wins_over_that_of_the_environment(
    tls_server: RawServer, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(tls_server.port) as named, Proxy(1) as other:
        monkeypatch.setenv("HTTPS_PROXY", other.url)
        monkeypatch.setenv("NO_PROXY", "*")
        spec = spec_for("https://lab.test/v1", local=False, ca_file=ca_file, proxy=named.url)
        assert (await reply_of(spec)).message.text == "Hello"
    assert len(named.heads) == 1 and not other.heads


async def test_a_password_for_the_proxy_goes_to_the_proxy_alone(tls_server: RawServer, ca_file: str) -> None:
    with Proxy(tls_server.port) as proxy:
        url = proxy.url.replace("http://", "http://me:word@")
        spec = spec_for("https://lab.test/v1", local=False, ca_file=ca_file, proxy=url)
        assert (await reply_of(spec)).message.text == "Hello"
    assert b": Basic bWU6d29yZA==\r\n" in proxy.heads[0]
    assert b"proxy-authorization" not in tls_server.requests[0].lower()


@pytest.mark.parametrize(
    ("status", "says"), [("407 Proxy Authentication Required", "USER:PASSWORD"), ("403 Forbidden", "right one")]
)
async def test_a_proxy_that_refuses_is_said_to(status: str, says: str) -> None:
    with Proxy(1, f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()) as proxy:
        came = await ask(spec_for("https://lab.test/v1", local=False, proxy=proxy.url))
    assert len(came) == 2 and came[-1].kind == "network" and status[:3] in came[-1].message and says in came[-1].hint


async def test_a_proxy_that_hangs_up_is_tried_again() -> None:
    with Proxy(1, b"") as proxy:
        came = await ask(spec_for("https://lab.test/v1", local=False, proxy=proxy.url, retries=2))
    assert came[-1].kind == "network" and len(proxy.heads) == 3


async def test_a_socks_proxy_without_its_package_is_met_with_what_to_install() -> None:
    error = await error_of(spec_for("https://lab.test/v1", local=False, proxy="socks5://127.0.0.1:1"))
    assert isinstance(error, ConfigError) and "SOCKS" in error.message and "socksio" in error.hint


async def test_a_secret_in_a_header_that_cannot_be_sent_is_not_told() -> None:
    with RawServer([ANSWER]) as server:
        error = await error_of(spec_for(f"{server.root}/v1", headers={"X-Token": "secret\nvalue"}))
        assert "secret" not in error.message + error.hint and "headers" in error.message
        error = await error_of(spec_for(f"{server.root}/v1", headers={"X-Token": "schlüssel\udc80"}))
        assert "schl" not in error.message + error.hint and "headers" in error.message
