"""Servers fail in many ways, and this one can fail in each."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import httpx
import pytest

from tests.scripted import (
    Reply,
    ScriptedServer,
    cut_off,
    fault,
    half_chunk,
    head,
    html,
    json_response,
    redirect,
    reset,
    stall,
)
from tests.scripted.test_server import ask, joined, request

Start = Callable[..., ScriptedServer]


def test_refusals_carry_status_headers_and_body(scripted: Start) -> None:
    server = scripted([fault(429, message="slow down", code="rate", headers={"retry-after": "3"}), fault(529, "busy")])
    limited, busy = ask(server), ask(server)
    assert limited.status_code == 429 and limited.headers["retry-after"] == "3"
    assert limited.json()["error"] == {"message": "slow down", "type": None, "code": "rate"}
    assert busy.status_code == 529 and busy.text == "busy"


def test_pages_json_and_redirects_can_stand_in_for_a_stream(scripted: Start) -> None:
    server = scripted([html("Bad Gateway"), json_response({"error": {"message": "no"}}), redirect("http://x/y", 308)])
    page, error, moved = ask(server), ask(server), ask(server)
    assert page.status_code == 200 and "<title>Bad Gateway" in page.text
    assert error.status_code == 200 and error.json()["error"]["message"] == "no"
    assert moved.status_code == 308 and moved.headers["location"] == "http://x/y"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply("a", reset()), httpx.ReadError),
        (Reply("a", cut_off()), httpx.RemoteProtocolError),
        (Reply("a", half_chunk()), httpx.RemoteProtocolError),
        (Reply(reset()), httpx.ReadError),
        (fault("reset"), httpx.ReadError),
        (fault("cut_off"), httpx.RemoteProtocolError),
    ],
)
def test_a_connection_can_break_at_any_point(scripted: Start, reply: Reply, error: type[Exception]) -> None:
    server = scripted([reply, "fine"])
    with pytest.raises(error):
        ask(server)
    assert joined(ask(server).text) == "fine"


@pytest.mark.parametrize("reply", [fault("stall"), Reply(stall()), Reply(head(), stall())])
def test_a_server_can_fall_silent(scripted: Start, reply: Reply) -> None:
    server = scripted([reply])
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.base_url}/chat/completions", json=request(), timeout=0.1)
    server.wait_until(lambda: server.requests[0].abandoned)


def test_a_half_chunk_says_more_than_it_sends(scripted: Start) -> None:
    server = scripted([Reply(half_chunk())])
    body = json.dumps(request()).encode()
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.partition(b"\r\n\r\n")[2] == b'28\r\ndata: {"choices"'


def test_a_connection_serves_several_requests_and_chunked_ones(scripted: Start) -> None:
    server = scripted(["one", "two"])
    with httpx.Client() as client:
        client.post(f"{server.base_url}/chat/completions", json=request())
        chunked = client.post(f"{server.base_url}/chat/completions", content=iter([json.dumps(request()).encode()]))
    assert joined(chunked.text) == "two"
