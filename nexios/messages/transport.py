"""What must a server, or a test, provide so that the core can serve one exchange?

Two contracts, one for HTTP and one for WebSockets. ASGI, RSGI and the in-memory
transport satisfy them; the core knows nothing else of a server. Inside the core a
header is a pair of text, the name in lower case.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

__all__ = ["Address", "HTTPTransport", "Pairs", "PatientTransport", "WebSocketTransport"]

Pairs = Sequence[tuple[str, str]]
"""Header fields in order: lower-case name, value."""


class Address(NamedTuple):
    """One end of a connection: an IP address or a socket path, and the port if there is one."""

    host: str
    port: int | None


class ConnectionHead(Protocol):
    """What is known of an HTTP exchange or a WebSocket handshake before any body is read."""

    @property
    def server_name(self) -> str:
        """The server interface, for error texts: "ASGI" or "RSGI"."""

    @property
    def path(self) -> str:
        """The whole path, percent-decoded once, with the prefix the server mounts us at."""

    @property
    def root_path(self) -> str:
        """The prefix the server mounts us at, without a slash at its end; "" as a rule."""

    @property
    def query_string(self) -> str:
        """The raw text after "?", not decoded."""

    @property
    def scheme(self) -> str:
        """http, https, ws or wss."""

    @property
    def http_version(self) -> str:
        """1.0, 1.1, 2 or 3."""

    @property
    def client(self) -> Address | None:
        """The peer, as the server sees it: never taken from a header."""

    @property
    def server(self) -> Address | None:
        """Our own end of the connection."""

    def headers(self) -> Pairs:
        """All header fields in the order received."""


class HTTPTransport(ConnectionHead, Protocol):
    """One HTTP exchange: a head and a body to read, then exactly one of four verbs to answer with."""

    @property
    def method(self) -> str:
        """As sent by the client; methods are case-sensitive (RFC 9110 section 9.1)."""

    def header_values(self, name: str) -> Sequence[str]:
        """The values of one header, named in lower case, without reading the others."""

    def body_fields(self) -> tuple[Sequence[str], Sequence[str | bytes], Sequence[str]]:
        """The values of Content-Type, Content-Length and Content-Encoding, found in one look.

        Those of Content-Length may be bytes: they are looked at, and hardly ever needed as text.
        """

    def arrived(self) -> bytes | None:
        """The whole body, when nothing of it was asked for and all of it is there; None when `next_chunk` must tell.

        Waits for nothing and loses nothing. After None `next_chunk` is awaited at once, for what was begun here.
        """

    def json_at_hand(self, limit: int | None) -> bytes | None:
        """The whole body, when it is there, plain `application/json` and no longer than `limit` bytes.

        A shortcut past `body_fields` and `arrived`: nothing is lost by asking, what was given is still there for both,
        and None is always right. It says that head or body want a closer look.
        """

    async def next_chunk(self) -> bytes | None:
        """The next piece of the body, never empty; None at its end.

        Raises:
            ClientDisconnect: The client left before the end.
        """

    async def disconnected(self) -> None:
        """Return when the client has gone. What arrives of the body meanwhile is kept for `next_chunk`."""

    def stop_reading(self) -> None:
        """Let go of a read that waits for the client: nothing will be read any more."""

    async def send_empty(self, status: int, headers: Pairs) -> None:
        """Answer without a body."""

    async def send_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer with a body that is whole."""

    async def send_file(self, status: int, headers: Pairs, path: str, start: int, stop: int, *, whole: bool) -> bool:
        """Answer with bytes start..stop-1 of a file without reading it here.

        False, and nothing sent, when this server has no way to do it; `whole` says that
        the range is the file, which is all that some servers can send.
        """

    async def send_stream(self, status: int, headers: Pairs, chunks: AsyncIterator[bytes]) -> None:
        """Answer with a body that is made while it is sent."""


class PatientTransport:
    """Marks an `HTTPTransport` whose sending waits for the client to take what was sent before.

    Only there can a timeout tell that a client takes nothing: a long body is given to it in pieces.
    The others get it whole, since they would queue the pieces as well.
    """

    __slots__ = tuple[str, ...]()  # empty; as a call, because mypy takes a literal for all that may be assigned


class DirectSend(NamedTuple):
    """A server's own way to send a WebSocket message: `send(wrap(message))`, with nothing between.

    `wrap` is one function for all connections of a server, so that a message for many is wrapped once. `send` raises
    OSError when the client has gone. A transport that has it gives it as `direct`.
    """

    wrap: Callable[[str | bytes], object]
    send: Callable[[Any], Awaitable[Any]]


class WebSocketTransport(ConnectionHead, Protocol):
    """One WebSocket: a handshake to answer, then messages both ways until one side closes."""

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers, best first."""

    async def accept(self, *, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake. Raises `UnsupportedByServer` for what the server cannot send."""

    async def deny(self, status: int, headers: Pairs, body: bytes) -> None:
        """Refuse the handshake with an HTTP response, or the nearest thing the server has."""

    async def receive(self) -> str | bytes | None:
        """The next message; None when the client has closed (see `close_code`, `close_reason`)."""

    @property
    def close_code(self) -> int:
        """The code the client closed with (RFC 6455 section 7.4); 1005 when it gave none."""

    @property
    def close_reason(self) -> str:
        """The reason the client closed with."""

    async def send_text(self, text: str) -> None:
        """Send one text message."""

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message."""

    async def close(self, code: int, reason: str) -> None:
        """Close the socket after the handshake."""
