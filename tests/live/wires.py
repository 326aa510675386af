"""Requests as bytes, from a client with an address of its own: what comes back, until the other side closes or is done.

All of 127.0.0.0/8 is this machine, so nginx is 127.0.0.1 to the application and the client 127.0.0.9 to nginx.
"""

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["CLIENT", "Reply", "exchange", "raw_exchange", "replies", "unix_socket_answers", "wire"]

CLIENT = "127.0.0.9"
TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, read to the end of the connection."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def one(self, name: str) -> str | None:
        """The only value of a field, or None."""
        values = [value for field, value in self.fields if field == name]
        assert len(values) <= 1, values
        return values[0] if values else None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def wire(address: tuple[str, int], *, source: str = CLIENT) -> socket.socket:
    """Connect; the client's address is `source`."""
    return socket.create_connection(address, TIMEOUT, source_address=(source, 0))


def exchange(
    address: tuple[str, int], target: str, *fields: str, method: str = "GET", body: bytes = b"", source: str = CLIENT
) -> Reply:
    """Send a request that says it is the last one, with these lines in its head, and return the answer."""
    lines = [f"{method} {target} HTTP/1.1", *fields, "Connection: close"]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    [reply, *others] = replies(raw_exchange(address, head + body, source=source))
    assert others == []
    return reply


def raw_exchange(address: tuple[str, int], data: bytes, *, source: str = CLIENT) -> bytes:
    """Send bytes as they are, and return all that comes until the other side closes."""
    with wire(address, source=source) as connection:
        received = bytearray()
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                received += part
        except ConnectionError:
            pass  # refused before it was all sent, or closed with something unread
        return bytes(received)


def unix_socket_answers(path: Path) -> bool:
    """Whether somebody serves there."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(str(path))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: start\r\nConnection: close\r\n\r\n")
            return connection.recv(9) == b"HTTP/1.1 "
        except OSError:
            return False


def replies(received: bytes) -> list[Reply]:
    """Cut what a connection brought into answers."""
    found: list[Reply] = []
    while received:
        head, blank, received = received.partition(b"\r\n\r\n")
        assert blank, f"an answer broke off: {head!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
        status = int(first.split(" ")[1])
        body, received = _body(status, dict(fields), received)
        if status >= 200:
            found.append(Reply(status, fields, body))
    return found


def _body(status: int, fields: dict[str, str], received: bytes) -> tuple[bytes, bytes]:
    if status < 200 or status in (204, 304):
        return b"", received
    if fields.get("transfer-encoding") == "chunked":
        return _unchunked(received)
    size = int(fields.get("content-length", len(received)))
    assert len(received) >= size, f"{size} bytes were promised, and {len(received)} came"
    return received[:size], received[size:]


def _unchunked(received: bytes) -> tuple[bytes, bytes]:
    body = bytearray()
    while True:
        size, _, received = received.partition(b"\r\n")
        length = int(size, 16)
        body += received[:length]
        received = received[length + 2 :]
        if length == 0:
            return bytes(body), received
