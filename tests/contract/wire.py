"""An HTTP/1.1 client that hides nothing: one connection, and what is on it, step by step."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

__all__ = ["Answer", "Connection", "Incomplete"]

_TIMEOUT = 20.0
"""Seconds that a read may take before the test fails."""


class Incomplete(Exception):
    """The connection ended before the answer did; carries what came of the body."""

    def __init__(self, received: bytes) -> None:
        super().__init__(f"the answer broke off after {received!r}")
        self.received = received


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer: names in lower case, values as bytes."""

    version: str
    status: int
    fields: tuple[tuple[str, bytes], ...]

    def all(self, name: str) -> list[bytes]:
        """All values of a field."""
        return [value for field, value in self.fields if field == name]

    def one(self, name: str) -> bytes | None:
        """The only value of a field, or None."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times: {values}")
        return values[0] if values else None


class Connection:
    """One TCP connection to a server."""

    def __init__(self, address: tuple[str, int], *, receive_buffer: int | None = None) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(_TIMEOUT)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        self._reader = self._socket.makefile("rb")
        self._method = "GET"
        self._left: int | None = 0
        self._body = b""

    @property
    def own_address(self) -> tuple[str, int]:
        """This end, as the server should see it."""
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def ask(
        self,
        target: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str | bytes]] = (),
        body: bytes = b"",
        *,
        version: str = "1.1",
    ) -> Answer:
        """Send a request, with the length of `body` if there is any, and return the head of the answer."""
        self.start(target, method, [*fields, ("content-length", str(len(body)))] if body else fields, version=version)
        self.send(body)
        return self.answer()

    def start(
        self, target: str, method: str = "GET", fields: Iterable[tuple[str, str | bytes]] = (), *, version: str = "1.1"
    ) -> None:
        """Send the head of a request."""
        lines = [f"{method} {target} HTTP/{version}".encode("latin-1"), b"host: contract.test"]
        for name, value in fields:
            lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode("latin-1")))
        self._method = method
        self.send(b"\r\n".join(lines) + b"\r\n\r\n")

    def send_chunk(self, data: bytes) -> None:
        """Send one chunk of a body in chunked coding; b"" ends the body."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def answer(self) -> Answer:
        """Read the head of the next answer, also that of a 100."""
        version, status, *_ = self._line().split(maxsplit=2)
        fields: list[tuple[str, bytes]] = []
        while line := self._line():
            name, _, value = line.partition(b":")
            fields.append((name.decode("latin-1").lower(), value.strip()))
        answer = Answer(version.decode(), int(status), tuple(fields))
        self._left = self._length(answer)
        self._chunked = answer.one("transfer-encoding") == b"chunked"
        self._body = b""
        return answer

    def _length(self, answer: Answer) -> int | None:
        if self._method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return 0
        length = answer.one("content-length")
        return None if length is None else int(length)

    def more(self) -> bytes:
        """Return what comes next of the body: a chunk in chunked coding, else what there is; b"" at the end."""
        part = self._chunk() if self._left is None and self._chunked else self._piece()
        self._body += part
        return part

    def _piece(self) -> bytes:
        if self._left == 0:
            return b""
        part = self._read1(65536 if self._left is None else min(self._left, 65536))
        if self._left is not None:
            if not part:
                raise Incomplete(self._body)
            self._left -= len(part)
        return part

    def _chunk(self) -> bytes:
        size = int(self._line() or b"-", 16)
        data = self._read(size)
        self._line()
        if size == 0:
            self._left = 0
        return data

    def rest(self) -> bytes:
        """Return the body from its beginning, read to its end."""
        while self.more():
            pass
        return self._body

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def is_over(self) -> bool:
        """Wait for the next byte; True if the server closed the connection instead."""
        return not self._read1(1)

    def _line(self) -> bytes:
        try:
            line = self._reader.readline(65536)
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise Incomplete(self._body)
        return line.rstrip(b"\r\n")

    def _read(self, size: int) -> bytes:
        try:
            data = self._reader.read(size)
        except ConnectionError:
            data = b""
        if len(data) < size:
            raise Incomplete(self._body + data)
        return data

    def _read1(self, size: int) -> bytes:
        try:
            return self._reader.read1(size)
        except ConnectionError:
            return b""

    def close(self) -> None:
        """Close the connection at once."""
        self._reader.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
