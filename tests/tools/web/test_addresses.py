"""No address of this machine, its network or its provider's metadata is fetched, however it is written."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.tools.running import content_of, error_of
from tests.tools.web.pages import Web, served
from tui.tools.fetch_url import FetchUrl
from tui.tools.web.addresses import is_public
from tui.tools.web.fetch import _certificates

PRIVATE = [
    "http://127.0.0.1/", "http://127.0.0.1:8080/x", "http://127.1/", "http://0/", "http://0.0.0.0/",
    "http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://localhost/", "https://localhost:8443/", "http://LOCALHOST./", "http://10.0.0.1/", "http://172.16.5.4/",
    "http://192.168.1.1/", "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data/", "http://2852039166/",
    "http://0xa9fea9fe/", "http://192.0.0.192/", "http://198.18.0.1/", "http://224.0.0.1/",
    "http://239.255.255.250/", "http://240.0.0.1/", "http://255.255.255.255/", "http://192.0.2.1/", "http://[::1]/",
    "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:169.254.169.254]/",
    "http://[::127.0.0.1]/", "http://[fe80::1]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
    "http://[fec0::1]/", "http://[ff02::1]/", "http://[2002:7f00:1::]/", "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/", "http://[2001:db8::1]/", "http://[2001:0:53aa:64c::1]/", "http://[100::1]/",
]  # fmt: skip

NO_PAGES = [
    "file:///etc/passwd",
    "ftp://example.org/",
    "gopher://127.0.0.1:11211/_stats",
    "javascript:alert(1)",
    "example.org",
    "//example.org/",
    "http://",
    "http:///etc/passwd",
    "http://ada:secret@example.org/",
    "http://ada@example.org/",
    "http://@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://127.0.0.1\\.example.org/",
    "http://exam ple.org/",
    "http://example.org/\r\nX-Evil: 1",
    "http://exam\tple.org/",
    "http://example.org\u2028/",
    "http://[::1",
    "http://example.org:99999/",
    "http://example.org:port/",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_private_address_is_refused(url: str, folder: Path) -> None:
    sentence = await error_of(FetchUrl(), folder, url=url)
    assert any(words in sentence for words in ("is not fetched", "not an address", "is not known")), sentence


@pytest.mark.parametrize("url", NO_PAGES)
async def test_what_is_not_plainly_the_address_of_a_page_is_refused(url: str, folder: Path) -> None:
    sentence = await error_of(FetchUrl(), folder, url=url)
    assert sentence.endswith(".") and "secret" not in sentence


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_the_internet_is_not_private(address: str) -> None:
    assert is_public(address)


async def test_a_name_that_leads_to_a_private_address_is_refused(
    folder: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, {"innocent.example": ["1.1.1.1", "127.0.0.1"]})
    sentence = await error_of(FetchUrl(), folder, url=f"http://innocent.example:{web.port}/")
    assert "127.0.0.1" in sentence and "fetch_allow" in sentence
    assert web.asked == []


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    folder: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that first gives a harmless address and then another one gets nothing from it."""
    looked_up = answers(monkeypatch, {"rebinding.example": ["127.0.0.1"]}, then={"rebinding.example": ["10.0.0.1"]})
    web.page("/", "it was the first one")
    tool = FetchUrl((f"rebinding.example:{web.port}",))
    text = await content_of(tool, folder, url=f"http://rebinding.example:{web.port}/")
    assert "it was the first one" in text
    assert looked_up == ["rebinding.example"]
    assert web.asked[0].headers["Host"] == f"rebinding.example:{web.port}"


async def test_only_the_very_host_and_port_that_are_allowed_may_be_private(folder: Path, web: Web) -> None:
    web.page("/", "hello")
    tool = FetchUrl((web.place,))
    assert "hello" in await content_of(tool, folder, url=web.url())
    for host in ("localhost", "127.0.0.2", "2130706433"):
        assert "is not fetched" in await error_of(tool, folder, url=f"http://{host}:{web.port}/")
    assert "is not fetched" in await error_of(tool, folder, url="http://127.0.0.1:1/")


async def test_a_name_that_is_not_known_is_said_to_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {})
    assert "is not known" in await error_of(FetchUrl(), folder, url="http://nowhere.example/")


def answers(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]], then: dict[str, list[str]] | None = None
) -> list[str]:
    """A name server: what names lead to, first and `then`. Returns what it was asked."""
    asked: list[str] = []

    def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        source = then if then is not None and host in asked else names
        asked.append(host)
        if host not in source:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in source[host]]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **named: (
            look_up(host, *rest, **named) if str(host).endswith(".example") else real(host, *rest, **named)
        ),
    )
    return asked


async def test_the_next_address_is_tried_where_one_does_not_answer(
    folder: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, {"two.example": ["127.0.0.9", "127.0.0.1"]})
    web.page("/", "here")
    tool = FetchUrl((f"two.example:{web.port}",))
    assert "here" in await content_of(tool, folder, url=f"http://two.example:{web.port}/")


async def test_a_certificate_is_checked_against_the_name_not_the_address(
    folder: Path, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    answers(monkeypatch, {"good.example": ["127.0.0.1"], "bad.example": ["127.0.0.1"]})
    _certificates.cache_clear()
    try:
        with served(authority.issue_cert("good.example")) as secure:
            secure.page("/", "private words")
            tool = FetchUrl((f"good.example:{secure.port}", f"bad.example:{secure.port}"))
            assert "private words" in await content_of(tool, folder, url=f"https://good.example:{secure.port}/")
            assert "Hostname mismatch" in await error_of(tool, folder, url=f"https://bad.example:{secure.port}/")
    finally:
        _certificates.cache_clear()
