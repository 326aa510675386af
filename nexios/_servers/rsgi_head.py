"""What does an RSGI scope say of a connection? The same for HTTP and WebSockets (RSGI 1.6).

A mixin without fields of its own: `_scope` is the transport's.
"""

from typing import Any, Final

from nexios.messages.transport import Address, Pairs

__all__ = ["UNREADABLE", "RSGIHead", "address_of", "header_pairs"]

UNREADABLE: Final = "\ufffd"
"""What stands for a header of which Granian shows no value, because none is ASCII. Where it was taken for absent, a
client that sends `X-Forwarded-For: \xff` to a proxy would seem to be the proxy, and two readers see two requests."""


class RSGIHead:
    """The head of one exchange, read from its scope."""

    __slots__ = tuple[str, ...]()  # empty; as a call, because mypy takes a literal for all that may be assigned

    _scope: Any

    @property
    def server_name(self) -> str:
        """The name of this server interface."""
        return "RSGI"

    @property
    def path(self) -> str:
        """The decoded path."""
        return self._scope.path  # type: ignore[no-any-return]

    @property
    def root_path(self) -> str:
        """RSGI has no prefix."""
        return ""

    @property
    def query_string(self) -> str:
        """The text after "?"."""
        return self._scope.query_string  # type: ignore[no-any-return]

    @property
    def http_version(self) -> str:
        """The HTTP version of the exchange, or of the handshake."""
        version: str = self._scope.http_version
        return "1.0" if version == "1" else version

    @property
    def client(self) -> Address | None:
        """The peer."""
        return address_of(self._scope.client)

    @property
    def server(self) -> Address | None:
        """Our end."""
        return address_of(self._scope.server)

    def headers(self) -> Pairs:
        """The header fields."""
        return header_pairs(self._scope)


def header_pairs(scope: Any) -> Pairs:
    """Return all header fields; HTTP/2 names the host in `:authority`, which RSGI keeps apart."""
    headers = scope.headers
    pairs = [(name, value) for name in headers.keys() for value in headers.get_all(name) or (UNREADABLE,)]  # noqa: SIM118
    if scope.authority and "host" not in headers:
        pairs.append(("host", scope.authority))
    return pairs


def address_of(text: str) -> Address | None:
    """Return the two halves of "host:port"; a Unix socket has no port.

    >>> address_of("[::1]:8000")
    Address(host='::1', port=8000)
    """
    host, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return Address(host.strip("[]"), int(port))
    return Address(text, None) if text else None
