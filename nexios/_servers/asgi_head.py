"""What does an ASGI scope say of a connection, over HTTP or a WebSocket? What a server leaves out has a default.

A mixin without fields of its own: `_scope` is the transport's.
"""

from collections.abc import MutableMapping
from typing import Any

from nexios.messages.transport import Address, Pairs

__all__ = ["ASGIHead", "address_of"]


class ASGIHead:
    """The head of one exchange, read from its scope."""

    __slots__ = tuple[str, ...]()  # empty; as a call, because mypy takes a literal for all that may be assigned

    _scope: MutableMapping[str, Any]

    @property
    def server_name(self) -> str:
        """The name of this server interface."""
        return "ASGI"

    @property
    def path(self) -> str:
        """The decoded path."""
        return self._scope["path"]  # type: ignore[no-any-return]

    @property
    def root_path(self) -> str:
        """The prefix the server mounts us at."""
        return (self._scope.get("root_path") or "").rstrip("/")

    @property
    def query_string(self) -> str:
        """The text after "?": ASCII as a rule, UTF-8 where a client did not percent-encode."""
        return (self._scope.get("query_string") or b"").decode("utf-8", "replace")

    @property
    def http_version(self) -> str:
        """The HTTP version of the exchange, or of the handshake."""
        version = self._scope.get("http_version") or "1.1"
        return "1.0" if version == "1" else version  # "1" is what Granian says of HTTP/1.0

    @property
    def client(self) -> Address | None:
        """The peer."""
        return address_of(self._scope.get("client"))

    @property
    def server(self) -> Address | None:
        """Our end."""
        return address_of(self._scope.get("server"))

    def headers(self) -> Pairs:
        """The header fields."""
        pairs = self._scope.get("headers") or ()
        return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs]


def address_of(value: Any) -> Address | None:
    """Return the address in a scope; Granian has the port as text there.

    >>> address_of(("10.0.0.1", "8000"))
    Address(host='10.0.0.1', port=8000)
    """
    if not value:
        return None
    host, port = value
    return Address(str(host), None if port is None else int(port))
