"""Ways to reach the network while it is off."""

from __future__ import annotations

import os
import socket

import pytest

from tests.tools.confined import Place

pytestmark = pytest.mark.slow

SENDING = {
    "tcp by the shell": "(echo hello > /dev/tcp/127.0.0.1/{port}) && echo sent",
    "udp by the shell": "(echo hello > /dev/udp/127.0.0.1/{port}) && echo sent-but-where",
    "tcp": 'python3 -c \'import socket; socket.create_connection(("127.0.0.1", {port})); print("sent")\'',
    "tcp of version 6": 'python3 -c \'import socket; socket.create_connection(("::ffff:127.0.0.1", {port})); print("sent")\'',  # noqa: E501
    "udp": 'python3 -c \'import socket; socket.socket(2, 2).sendto(b"hello", ("127.0.0.1", {port}))\'',
    "tcp with data first": 'python3 -c \'import socket; s = socket.socket(); s.sendto(b"hello", 0x20000000, '
    '("127.0.0.1", {port})); print("sent")\'',
    "through /proc of another": "nsenter -t {parent} -n sh -c '(echo hello > /dev/tcp/127.0.0.1/{port}) && echo sent'",
    "a namespace of its own": "unshare -Urn bash -c '(echo hello > /dev/tcp/127.0.0.1/{port}) && echo sent'",
}


@pytest.mark.parametrize("attempt", SENDING.values(), ids=SENDING.keys())
def test_a_server_on_the_loopback_is_not_reached(place: Place, attempt: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        port = server.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))
        result = place.run(attempt.replace("{port}", str(port)).replace("{parent}", "1"))
        assert "sent\n" not in result.content
        for listening in (server, datagrams):
            listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
        with pytest.raises(BlockingIOError):
            datagrams.recv(10)


def test_names_are_not_resolved_nor_raw_packets_sent(place: Place) -> None:
    result = place.run(
        "getent hosts example.org && echo resolved; python3 -c 'import socket; socket.getaddrinfo(\"example.org\", 80)' "  # noqa: E501
        '&& echo resolved; python3 -c \'import socket; socket.socket(2, 3, 1).sendto(b"x", ("127.0.0.1", 0))\' && echo raw; '  # noqa: E501
        "python3 -c 'import socket; socket.socket(17, 3, 3).send(b\"x\")' && echo raw; exit 0"
    )
    assert "resolved" not in result.content and "raw" not in result.content.splitlines()


def test_no_server_can_be_opened_to_the_outside(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = (
        f"import socket; s = socket.create_server(('0.0.0.0', {port})); s.settimeout(1); s.accept(); print('reached')"
    )
    pid, output = place.start(f'python3 -c "{code}"')
    try:
        for _ in range(20):
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=0.2)
    finally:
        with os.fdopen(output) as file:
            assert "reached" not in file.read()
        os.waitpid(pid, 0)


@pytest.mark.parametrize(("family", "kind"), [(40, 1), (38, 5)], ids=["vsock", "alg"])
def test_sockets_past_all_namespaces_are_closed(place: Place, family: int, kind: int) -> None:
    code = f"import socket; socket.socket({family}, {kind}); print('made')"
    assert "made" not in place.run(f'python3 -c "{code}"', network=True).content.split("\n")


def test_the_network_is_there_where_it_is_allowed(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = place.run(f"(echo hello > /dev/tcp/127.0.0.1/{port}) && echo connected", network=True)
        assert "connected" in result.content
