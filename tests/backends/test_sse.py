"""Server-sent events as the specification has them, and as servers bend it."""

from __future__ import annotations

import pytest

from tui.backends import sse
from tui.backends.sse import Parser
from tui.core.errors import BackendError


def events(body: bytes) -> list[str]:
    parser = Parser()
    return parser.feed(body) + parser.close()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data:a\n\ndata:  b\n\n", ["a", " b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b": keep-alive\n\ndata: a\n: again\n\n", ["a"]),
        (b"event: message\nid: 1\nretry: 5\nwhatever\ndata: a\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"\n\n\ndata: a\n\n\n\n", ["a"]),
        (b"data: a\n\ndata: [DONE]", ["a", "[DONE]"]),
        (b'error: {"code":500}\n\n', ['{"error": {"code":500}}']),
        ("data: é\n\n".encode(), ["é"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b"", []),
        (b"\n \n", []),
    ],
)
def test_the_data_of_each_event_comes_out(body: bytes, expected: list[str]) -> None:
    assert events(body) == expected
    parser = Parser()
    one_by_one = [event for i in range(len(body)) for event in parser.feed(body[i : i + 1])]
    assert one_by_one + parser.close() == expected


@pytest.mark.parametrize("body", [b'{"choices": [\n\n]}', b'[{"error":{}}]', b"<html>\n\n</html>"])
def test_a_body_that_is_no_event_stream_is_one_event_at_its_end(body: bytes) -> None:
    parser = Parser()
    assert parser.feed(b"\n\n " + body[:3]) + parser.feed(body[3:]) == []
    assert parser.close() == [body.decode()]


def test_an_event_comes_out_with_its_last_byte() -> None:
    parser = Parser()
    assert parser.feed(b"data: a\r\n\r") == ["a"]
    assert parser.feed(b"\ndata: b\n") == []
    assert parser.feed(b"\n") == ["b"]


def test_a_server_cannot_fill_the_memory_with_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LIMIT_BYTES", 1000)
    parser = Parser()
    with pytest.raises(BackendError, match="more than 1000 bytes"):
        for _ in range(3):
            parser.feed(b"data: " + b"x" * 500)
