"""Breaking a connection of this process by its two ends."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from nexios._servers.rsgi_break import break_connection
from nexios.messages.transport import Address

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A client's socket and the server's socket."""
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(socket.create_server((request.param, 0), family=_family(request.param)))
            client = stack.enter_context(socket.create_connection(listener.getsockname()[:2], timeout=10))
        except OSError:
            pytest.skip(f"this machine has no {request.param}")
        yield client, stack.enter_context(listener.accept()[0])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def address(name: tuple[str, int]) -> Address:
    return Address(name[0], name[1])


def test_the_client_of_a_broken_connection_sees_its_end(ends: Pair) -> None:
    client, server = ends
    server.sendall(b"sent before")

    assert break_connection(address(server.getpeername()), address(server.getsockname()))
    assert client.recv(100) == b"sent before"
    assert client.recv(100) == b""


def test_the_end_of_the_client_is_not_taken_for_the_end_of_the_server(ends: Pair) -> None:
    client, server = ends
    assert break_connection(address(server.getpeername()), address(server.getsockname()))

    with pytest.raises(OSError):
        server.sendall(b"after the end")
    assert client.recv(100) == b""


def test_other_connections_stay(ends: Pair) -> None:
    client, server = ends
    host, port, *_ = server.getpeername()

    assert not break_connection(Address(host, port + 1), address(server.getsockname()))
    server.sendall(b"still there")
    assert client.recv(100) == b"still there"


@pytest.mark.parametrize("client", [None, Address("/run/app.sock", None)])
def test_a_connection_without_an_address_is_not_found(client: Address | None) -> None:
    assert not break_connection(client, Address("127.0.0.1", 8000))
