"""Lines of JSON, cut anywhere."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends import ndjson
from tui.backends.ndjson import Parser
from tui.core.errors import BackendError


def parsed(pieces: Iterable[bytes]) -> list[str]:
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.close()


def test_each_line_is_given_out_as_soon_as_it_is_complete() -> None:
    parser = Parser()
    assert parser.feed(b'{"a":1}\n{"b"') == ['{"a":1}']
    assert parser.feed(b":2}") == []
    assert parser.feed(b'\n\n{"c":3}') == ['{"b":2}']
    assert parser.close() == ['{"c":3}']


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\n \n"])
def test_line_ends_of_all_kinds_and_a_mark_at_the_beginning(end: bytes) -> None:
    body = b"\xef\xbb\xbf" + end + b'{"a":"\xc3\xa4"}' + end + b'{"b":2}' + end
    assert parsed([body]) == parsed(body[i : i + 1] for i in range(len(body))) == ['{"a":"ä"}', '{"b":2}']


@pytest.mark.parametrize(
    "body", [b"<html>\n<title>x</title>\n</html>", b'{\n "error": "x"\n}', b'[\n{"a":1}\n]', b"busy"]
)
def test_a_body_that_is_one_document_comes_out_whole(body: bytes) -> None:
    assert parsed([body]) == parsed(body[i : i + 1] for i in range(len(body))) == [body.decode()]


def test_a_last_line_that_was_cut_is_dropped() -> None:
    assert parsed([b'{"a":1}\n{"b":']) == ['{"a":1}']


def test_nothing_is_nothing() -> None:
    assert parsed([]) == parsed([b""]) == parsed([b"\n", b" \r\n"]) == []


@pytest.mark.parametrize("start", [b"", b"<html>\n", b'{"a":1}\n'], ids=["a line", "a page", "a later line"])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ndjson, "LIMIT_BYTES", 1000)
    parser = Parser()
    parser.feed(start)
    with pytest.raises(BackendError, match="more than 1000 bytes"):
        for _ in range(12):
            parser.feed(b"x" * 100)


OBJECTS = st.dictionaries(st.text(max_size=3), st.text(max_size=8), max_size=3)


@given(values=st.lists(OBJECTS, max_size=5), data=st.data())
@settings(deadline=None, max_examples=100)
def test_cuts_anywhere_make_no_difference(values: list[dict[str, str]], data: st.DataObject) -> None:
    body = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=20)))
    pieces = (body[a:b] for a, b in itertools.pairwise([0, *cuts, len(body)]))
    assert [json.loads(event) for event in parsed(pieces)] == values
