"""Do many clients that send or take nothing hold up the others, or anything for long?

What bounds them is small here, so that it is over at once; nothing is measured, and nothing waits for a time to pass.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.servers import SERVERS, Running, eventually, running
from tests.live.conftest import Live
from tests.live.wires import replies, wire

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="clients have addresses of their own on loopback, as on Linux"),
]

MANY = 20
UNBOUNDED = {"granian-rsgi": "its queue of a stream has no end, so nobody knows what the client has taken"}


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_r10_many_bodies_that_stop_coming_are_each_a_408_and_others_are_served(
    live: Live, key: str, framing: str
) -> None:
    """And their connections are closed, which Granian does when nobody holds the request any more."""
    head = f"POST /hasty/read HTTP/1.1\r\nHost: slow\r\nX-Key: {key}\r\nConnection: close\r\n{framing}\r\n\r\n"
    with ExitStack() as stack:
        slow = [stack.enter_context(wire(live.address)) for _ in range(MANY)]
        for connection in slow:
            connection.sendall(head.encode() + b"64\r\nhalf")

        assert live.direct("/tell", "Host: quick").status == 200
        answers = [replies(rest_of(connection)) for connection in slow]

    assert [[answer.status for answer in those] for those in answers] == [[408]] * MANY
    assert live.notes(key) == ["POST /hasty/read"] * MANY


def test_r10_many_clients_that_take_nothing_are_each_given_up_and_others_are_served(live: Live, key: str) -> None:
    if live.name in UNBOUNDED:
        pytest.skip(UNBOUNDED[live.name])
    with ExitStack() as stack:
        for _ in range(MANY):
            connection = stack.enter_context(wire(live.address))
            connection.sendall(f"GET /hasty/endless/{key} HTTP/1.1\r\nHost: slow\r\n\r\n".encode())

        assert live.direct("/tell", "Host: quick").status == 200
        eventually(lambda: live.notes(key) == ["given up"] * MANY, "the end of all streams")


def test_r10_many_heads_that_stop_coming_reach_no_handler_and_others_are_served(live: Live, key: str) -> None:
    """No application knows of them; how long they may take is the server's, or nginx's, to say."""
    with ExitStack() as stack:
        for half in (b"", b"GET /tell HT", f"GET /tell HTTP/1.1\r\nHost: slow\r\nX-Key: {key}\r\n".encode()):
            for _ in range(MANY):
                stack.enter_context(wire(live.address)).sendall(half)

        assert live.direct("/tell", "Host: quick").status == 200
        assert live.notes(key) == []


HURRIED = {"granian-rsgi": ("--http1-header-read-timeout", "300"), "hypercorn": ("--keep-alive", "1")}


@pytest.fixture(params=HURRIED)
def hurried(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A server that bounds the time of a head itself; Uvicorn does not."""
    server = next(server for server in SERVERS if server.name == request.param)
    pytest.importorskip(server.package)
    server = replace(server, command=(*server.command, *HURRIED[server.name]))
    with running(server, "tests.live.applications:app", tmp_path, {}) as process:
        yield process


def test_r10_a_head_that_stops_coming_is_given_up_by_servers_that_bound_it(hurried: Running) -> None:
    with wire(hurried.address) as connection:
        connection.sendall(b"GET /tell HTTP/1.1\r\nHost: slow\r\n")

        assert rest_of(connection).partition(b"\r\n")[0] in (b"", b"HTTP/1.1 408 Request Timeout")
