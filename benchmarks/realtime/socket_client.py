"""How does one process speak to thousands of WebSockets without being what is measured?

A client of a few lines on the transports of the event loop: it reads whole frames out of what arrives, and offers
no compression. Source: RFC 6455 sections 4.1 and 5.2; the mask of its frames is zero.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

__all__ = ["HANDSHAKE", "Client", "frame"]

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a frame of a client, whole and masked with zeros.

    >>> frame(1, b"hello")
    b'\\x81\\x85\\x00\\x00\\x00\\x00hello'
    """
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class Client(asyncio.Protocol):
    """One connection; `got` is called with the payload of each text message."""

    __slots__ = ("_got", "_is_open", "_rest", "_transport", "opened")

    def __init__(self, got: Callable[[bytes], None]) -> None:
        self._got = got
        self._rest = b""
        self._is_open = False
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._write(HANDSHAKE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for the handshake."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the server ended the handshake"))

    def data_received(self, data: bytes) -> None:
        """Read whole frames, and keep what is left."""
        data = self._rest + data if self._rest else data
        if not self._is_open and (data := self._handshake(data)) and not self._is_open:
            self._rest = data
            return
        at, end = 0, len(data)
        while end - at >= 2:
            start, size = at + 2, data[at + 1]
            if size >= 126:
                start += 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : start], "big")
            if start + size > end:
                break
            self._frame(data[at] & 15, data[start : start + size])
            at = start + size
        self._rest = data[at:]

    def send(self, text: bytes) -> None:
        """Send a text message."""
        self._write(frame(_TEXT, text))

    def close(self) -> None:
        """End the connection, with no more words than a close frame."""
        self._write(frame(_CLOSE, b"\x03\xe8"))
        if self._transport is not None:
            self._transport.close()

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            self._got(payload)
        elif opcode == _PING:
            self._write(frame(_PONG, payload))

    def _handshake(self, data: bytes) -> bytes:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            return data
        if not head.startswith(b"HTTP/1.1 101"):
            if not self.opened.done():
                self.opened.set_exception(ConnectionError(head.split(b"\r\n")[0].decode("latin-1")))
            return b""
        self._is_open = True
        self.opened.set_result(None)
        return rest

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
