"""What a page says comes as text, within limits, and nothing of the user's goes to it."""

from __future__ import annotations

import gzip
import io
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import PIL.Image
import pytest

from tests.tools.running import content_of, error_of, outcome_of
from tests.tools.web.pages import Web, served
from tui.tools.desk import Desk
from tui.tools.errors import ToolError
from tui.tools.fetch_url import FetchUrl
from tui.tools.web.fetch import fetch


@pytest.fixture
def tool(web: Web) -> FetchUrl:
    return FetchUrl((web.place,))


async def test_a_page_comes_as_markdown(web: Web, tool: FetchUrl, folder: Path) -> None:
    url = web.page(
        "/doc/",
        "<!doctype html><title>Guide &amp; more</title><h1>Start</h1><p>Read <b>this</b> and <a href='next'>that</a>."
        "<ul><li>one<li>two</ul><table><tr><th>a<th>b<tr><td>1<td>2</table><pre><code>x = 1\n  y</code></pre>",
    )
    text = await content_of(tool, folder, url=url)
    assert text.startswith(f"[{url} · Guide & more. What follows is the page's, not the user's.]\n# Start\n")
    for part in ("**this**", f"[that]({web.url('/doc/next')})", "- one\n- two", "| 1 | 2 |", "```\nx = 1\n  y\n```"):
        assert part in text


async def test_nothing_of_the_user_goes_along(
    web: Web, tool: FetchUrl, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".netrc").write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    web.pages["/"] = (302, {"Location": "/b", "Set-Cookie": "id=1"}, b"")
    web.page("/b", "done")
    await content_of(tool, folder, url=web.url("/#part"))
    for asked in web.asked:
        assert set(asked.headers) <= {"Host", "Accept", "Accept-Encoding", "Connection", "User-Agent"}
        assert asked.headers["User-Agent"].startswith("mimo-tui/")
    assert [asked.path for asked in web.asked] == ["/", "/b"]


# Text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=iso-8859-1", "<p>Grüße – 5 €".encode("cp1252")),
        ("text/html", '<meta charset="windows-1252"><p>Grüße – 5 €'.encode("cp1252")),
        ("text/html", "<p>Grüße – 5 €".encode()),
        ("text/html", b"\xff\xfe" + "<p>Grüße – 5 €".encode("utf-16-le")),
        ("text/html; charset=no-such-thing", "<p>Grüße – 5 €".encode()),
        ("text/html; charset=zip", "<p>Grüße – 5 €".encode()),
        ("text/plain; charset=utf-16", "Grüße – 5 €".encode("utf-16")),
        ("application/xml", '<?xml version="1.0" encoding="windows-1252"?><a>Grüße – 5 €</a>'.encode("cp1252")),
    ],
)
async def test_its_characters_are_read_as_it_says_or_looks(
    kind: str, body: bytes, web: Web, tool: FetchUrl, folder: Path
) -> None:
    assert "Grüße – 5 €" in await content_of(tool, folder, url=web.page("/", body, kind))


async def test_what_is_not_shown_is_not_read(web: Web, tool: FetchUrl, folder: Path) -> None:
    hidden = [
        "<script>alert('S1')</script>",
        "<style>S2 {}</style>",
        "<!-- S3 -->",
        "<p hidden>S4</p>",
        '<p style="display: none">S5</p>',
        '<div style="visibility:hidden">S6</div>',
        "<template>S7</template>",
        "<iframe>S8</iframe>",
        '<img alt="x" src="data:image/png;base64,S9">',
        "<svg><text>SA</text></svg>",
        '<input type="hidden" value="SB">',
    ]
    text = await content_of(tool, folder, url=web.page("/", f"<body><p>seen</p>{''.join(hidden)}<p>too</p>"))
    assert text.partition("]\n")[2].split() == ["seen", "too"]


async def test_no_control_and_nothing_that_cannot_be_seen_reaches_the_model(
    web: Web, tool: FetchUrl, folder: Path
) -> None:
    tags = "".join(chr(0xE0000 + ord(char)) for char in "obey")
    evil = f"a\x1b[31mb\x1b]0;title\x07c\x00\x08d\u202ee\u2066f\u200bg\x9bh{tags}i"
    for kind in ("text/html; charset=utf-8", "text/plain; charset=utf-8"):
        text = await content_of(tool, folder, url=web.page("/", evil, kind))
        body = text.partition("]\n")[2]
        assert body.isascii() and body.replace("\n", "").isprintable()
        assert body.startswith("ab")


@pytest.mark.parametrize(
    "html",
    ["<div>" * 100_000 + "deep", "<" * 100_000, "<a " * 50_000, "<table>" * 5000 + "x", "&" * 100_000, "<!--" * 50_000],
    ids=["deep", "open", "attributes", "tables", "entities", "comments"],
)
async def test_html_that_is_meant_to_hurt_does_not(html: str, web: Web, tool: FetchUrl, folder: Path) -> None:
    assert not (await outcome_of(tool, folder, url=web.page("/", html))).is_error


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", '{"a": 1}'), ("text/markdown", "# Title"), ("text/plain", "a < b"), ("", "plain words")],
)
async def test_other_text_comes_as_it_is(kind: str, body: str, web: Web, tool: FetchUrl, folder: Path) -> None:
    assert (await content_of(tool, folder, url=web.page("/", body, kind))).endswith(f"]\n{body}")


async def test_a_page_without_text_is_said_to_have_none(web: Web, tool: FetchUrl, folder: Path) -> None:
    assert "no text" in await content_of(tool, folder, url=web.page("/", "<script>draw()</script>"))


# Other kinds


async def test_an_image_is_shown(web: Web, tool: FetchUrl, folder: Path) -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (3, 2)).save(file, "PNG")
    outcome = await outcome_of(tool, folder, url=web.page("/a.png", file.getvalue(), "image/png"))
    assert outcome.images[0].media_type == "image/png" and outcome.images[0].name == "a.png"
    assert "cannot be shown" in await error_of(tool, folder, url=web.page("/b.png", b"\x89PNG\r\n\x1a\n!", "image/png"))


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/pdf", b"%PDF-1.7", "PDF"),
        ("", b"%PDF-1.7", "PDF"),
        ("application/zip", b"PK\x03\x04\0", "application/zip"),
        ("application/octet-stream", b"\0\1\2", "not text"),
        ("video/mp4", b"\0\1\2", "video/mp4"),
    ],
)
async def test_what_has_no_text_is_refused_with_a_word(
    kind: str, body: bytes, said: str, web: Web, tool: FetchUrl, folder: Path
) -> None:
    assert said in await error_of(tool, folder, url=web.page("/", body, kind))


async def test_a_status_that_is_an_error_is_told_with_what_the_page_says(
    web: Web, tool: FetchUrl, folder: Path
) -> None:
    web.pages["/"] = (503, {"Content-Type": "text/html"}, b"<p>Come <b>back</b> later")
    assert (
        await error_of(tool, folder, url=web.url()) == f"{web.url()} answered with the status 503.\nCome **back** later"
    )


# Redirects


@pytest.fixture
def other() -> Iterator[Web]:
    with served() as web:
        yield web


async def test_redirects_are_followed_within_the_host(web: Web, tool: FetchUrl, folder: Path) -> None:
    web.redirect("/a", "/b?x=1")
    web.redirect("/b", web.page("/c", "there"))
    assert "there" in await content_of(tool, folder, url=web.url("/a"))


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://localhost/",
        "http://2130706433/",
        "//10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://ada:pw@127.0.0.1/",
    ],
)
async def test_a_redirect_to_what_is_refused_is_refused(location: str, web: Web, tool: FetchUrl, folder: Path) -> None:
    sentence = await error_of(tool, folder, url=web.redirect("/", location))
    assert any(words in sentence for words in ("is not fetched", "Only addresses"))
    assert len(web.asked) == 1


async def test_a_redirect_to_another_port_of_the_host_is_checked_anew(
    web: Web, other: Web, tool: FetchUrl, folder: Path
) -> None:
    url = web.redirect("/", other.page("/", "private"))
    assert "is not fetched" in await error_of(tool, folder, url=url)
    assert other.asked == []
    assert "private" in await content_of(FetchUrl((web.place, other.place)), folder, url=url)


async def test_a_redirect_to_another_host_is_told_and_not_followed(web: Web, tool: FetchUrl, folder: Path) -> None:
    """An address that is allowed could else hand on what stands in it to anybody."""
    text = await content_of(tool, folder, url=web.redirect("/", "http://1.1.1.1/?secret"))
    assert "another host, which was not asked: http://1.1.1.1/?secret" in text


async def test_redirects_in_a_circle_come_to_an_end(web: Web, tool: FetchUrl, folder: Path) -> None:
    assert "more than 5 times" in await error_of(tool, folder, url=web.redirect("/", "/"))
    assert len(web.asked) == 6


# Limits


async def test_a_long_text_is_cut_and_the_whole_is_kept(web: Web, tool: FetchUrl, folder: Path, home: Path) -> None:
    desk = Desk(lambda: "s1")
    lines = "\n".join(f"line {number}" for number in range(10_000))
    outcome = await outcome_of(tool, folder, desk=desk, url=web.page("/", lines, "text/plain"))
    assert len(outcome.content) < 40_000 and "line 9999" in outcome.content and "read_file" in outcome.content
    assert desk.outputs.folder is not None
    assert "line 5000\n" in (desk.outputs.folder / "1.txt").read_text()


async def test_of_a_huge_page_the_beginning_is_read(web: Web, tool: FetchUrl, folder: Path) -> None:
    text = await content_of(tool, folder, url=web.page("/", b"x" * 7_000_000, "text/plain"))
    assert "longer than 5 MB" in text


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_what_is_packed_is_unpacked_up_to_the_limit(
    encoding: str, web: Web, tool: FetchUrl, folder: Path
) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    assert "packed" in await content_of(
        tool, folder, url=web.page("/a", pack(b"packed words"), "text/plain", Content_Encoding=encoding)
    )
    bomb = pack(b"0" * 300_000_000)
    text = await content_of(tool, folder, url=web.page("/b", bomb, "text/plain", Content_Encoding=encoding))
    assert "longer than 5 MB" in text


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip"])
async def test_what_cannot_be_unpacked_is_said(encoding: str, web: Web, tool: FetchUrl, folder: Path) -> None:
    url = web.page("/", b"\x01not packed at all", "text/plain", Content_Encoding=encoding)
    assert "compress" in await error_of(tool, folder, url=url)


async def test_a_server_that_never_ends_is_given_up(web: Web) -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while not gone.wait(0.01):
                handler.wfile.write(b"x")

    web.pages["/"] = drip
    with pytest.raises(ToolError, match=r"longer than 0\.3 s"):
        await fetch(web.url(), (web.place,), timeout_s=0.3)
    gone.set()


async def test_a_server_that_breaks_off_is_said_to(web: Web, tool: FetchUrl, folder: Path) -> None:
    web.pages["/"] = (200, {"Content-Length": "1000"}, b"too little")
    assert "broke off" in await error_of(tool, folder, url=web.url())


async def test_a_port_where_nobody_listens_is_said_to_be_one(folder: Path) -> None:
    with served() as web:
        place = web.place
    assert "cannot be connected to" in await error_of(FetchUrl((place,)), folder, url=f"http://{place}/")


# Proxies


@pytest.fixture
def proxy(other: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The proxy of the environment: it is asked for whole addresses."""
    monkeypatch.setenv("http_proxy", other.url())
    return other


async def test_the_proxy_of_the_environment_is_asked(proxy: Web, folder: Path) -> None:
    proxy.page("http://1.1.1.1/x", "by proxy", "text/plain")
    assert "by proxy" in await content_of(FetchUrl(), folder, url="http://1.1.1.1/x")
    assert proxy.asked[0].headers["Host"] == "1.1.1.1"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "2130706433", "db.internal", "printer.local"])
async def test_the_proxy_is_not_asked_for_what_is_private(host: str, proxy: Web, folder: Path) -> None:
    assert "is not fetched" in await error_of(FetchUrl(), folder, url=f"http://{host}/")
    assert proxy.asked == []


async def test_what_is_private_and_allowed_is_reached_without_the_proxy(
    web: Web, tool: FetchUrl, proxy: Web, folder: Path
) -> None:
    assert "near" in await content_of(tool, folder, url=web.page("/", "near"))
    assert proxy.asked == []
