"""What is at this URL, at once or not at all? The keys of an issuer, which may be slow, large or not what it was.

A timeout of a socket begins anew with each byte, so a server that sends a byte now and then could hold a thread for
weeks. Here the connection is cut when the time for the whole answer is over.
"""

import asyncio
import socket
import ssl
import threading
import urllib.request
from contextlib import suppress
from http.client import HTTPConnection, HTTPMessage, HTTPResponse, HTTPSConnection
from typing import IO, Any, Final

__all__ = ["fetch_document"]

_LONGEST: Final = 1024 * 1024
_TIMEOUT: Final = 5.0


async def fetch_document(url: str, *, timeout: float = _TIMEOUT) -> bytes:
    """Return what is at a URL of http or https, within `timeout` seconds.

    Raises:
        OSError: It cannot be had, or leads elsewhere.
        ValueError: It is over 1 MiB.
        http.client.HTTPException: What answers does not speak HTTP.
    """
    return await asyncio.to_thread(_get, url, timeout)


def _get(url: str, timeout: float) -> bytes:
    deadline = _Deadline(timeout)
    opener = urllib.request.build_opener(_NoRedirect, _Plain(deadline), _Secure(deadline))
    request = urllib.request.Request(url, headers={"accept": "application/json"})
    try:
        with opener.open(request, timeout=timeout) as answer:
            content: bytes = answer.read(_LONGEST + 1)
    finally:
        deadline.end()
    if deadline.is_over:
        raise TimeoutError("the answer took too long")
    if len(content) > _LONGEST:
        raise ValueError("it is over 1 MiB")
    return content


class _Deadline:
    """Cuts the connections of one request when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._spares: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def connect(self, address: tuple[str, int], *args: Any) -> socket.socket:
        """Connect, and keep a second handle: TLS takes the first."""
        connection = socket.create_connection(address, *args)
        self._spares.append(connection.dup())
        if self.is_over:
            self._cut()
        return connection

    def end(self) -> None:
        """Let go of everything."""
        self._timer.cancel()
        self._timer.join()
        for spare in self._spares:
            spare.close()

    def _cut(self) -> None:
        self.is_over = True
        for spare in self._spares:
            with suppress(OSError):  # it is closed already
                spare.shutdown(socket.SHUT_RDWR)


class _Plain(urllib.request.HTTPHandler):
    """For a server on this machine."""

    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> HTTPConnection:
        return _watched(HTTPConnection(host, **options), self._deadline)


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> HTTPConnection:
        context = ssl.create_default_context()
        return _watched(HTTPSConnection(host, context=context, **options), self._deadline)


def _watched(connection: HTTPConnection, deadline: _Deadline) -> HTTPConnection:
    connection._create_connection = deadline.connect  # type: ignore[attr-defined]  # made to be replaced, in 3.11 to 3.14
    return connection


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """A redirect is an error, as the keys are at one place."""
