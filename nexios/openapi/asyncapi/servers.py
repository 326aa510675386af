"""Where is the application? The servers of the document: those of the settings, or the one that was asked.

AsyncAPI wants a host, so without absolute URLs in the settings the document tells that of the request.
Source: AsyncAPI 3.0.0, section "Server Object".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from nexios.http.url import quote_path
from nexios.openapi.asyncapi.messages import Wire
from nexios.openapi.asyncapi.names import unique_names, word
from nexios.openapi.model import Server, to_plain

__all__ = ["Site", "server_names", "servers_of"]

_PROTOCOLS: Final[Mapping[tuple[Wire, bool], str]] = {
    ("websocket", False): "ws",
    ("websocket", True): "wss",
    ("stream", False): "http",
    ("stream", True): "https",
}
_SUFFIXES: Final[Mapping[Wire, str]] = {"websocket": "ws", "stream": "http"}


class Site(msgspec.Struct, frozen=True):
    """Where a request for the document came to.

    Shape: `host` has the port unless it is the usual one. `root_path` is what stands before every path, or "".
    """

    host: str = "localhost"
    is_secure: bool = False
    root_path: str = ""


class _Base(msgspec.Struct, frozen=True):
    """A URL in its parts."""

    host: str
    is_secure: bool
    path: str


def server_names(servers: Sequence[Server], wire: Wire) -> list[str]:
    """Return the names of the servers that speak WebSocket, or those of event streams."""
    if not servers:
        return [_SUFFIXES[wire]]
    bases = unique_names([[word(server.name or f"server{number}")] for number, server in enumerate(servers, 1)])
    return [f"{base}-{_SUFFIXES[wire]}" for base in bases]


def servers_of(servers: Sequence[Server], wires: Sequence[Wire], site: Site) -> dict[str, Any]:
    """Return the servers by name, for the ways that messages of this document travel."""
    found: dict[str, Any] = {}
    for wire in wires:
        if not servers:
            base = _Base(site.host, site.is_secure, quote_path(site.root_path))
            found[_SUFFIXES[wire]] = _server(base, wire, {})
        for name, server in zip(server_names(servers, wire) if servers else (), servers, strict=True):
            found[name] = _server(_base_of(server.url, site), wire, to_plain(server))
    return found


def _server(base: _Base, wire: Wire, words: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"host": base.host, "protocol": _PROTOCOLS[wire, base.is_secure]}
    if base.path.strip("/"):
        found["pathname"] = base.path.rstrip("/")
    found.update({name: words[name] for name in ("description", "variables") if name in words})
    return found


def _base_of(url: str, site: Site) -> _Base:
    """Return the parts of the URL of a server; one without a host is on the site that was asked."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        if not url.startswith("//"):
            return _Base(site.host, site.is_secure, f"/{url.lstrip('./')}")
        scheme, rest = "https" if site.is_secure else "http", url[2:]
    host, _, path = rest.partition("/")
    return _Base(host, scheme.lower() in ("https", "wss"), f"/{path}")
