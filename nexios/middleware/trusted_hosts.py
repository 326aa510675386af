"""Is this request for a host of ours? What else names one gets 400, before any handler or link is made of it.

Names are compared as they are parsed: in lower case, without port and final dot, and never by a pattern made of text.
"""

from collections.abc import Iterable
from typing import Any, Final

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios._pipeline.websocket_chain import WebSocketCallNext
from nexios.errors import BadRequest, ConfigurationError
from nexios.http.url import parse_host, parse_ip
from nexios.messages.connection import Connection
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket

__all__ = ["TrustedHosts"]

_ANY_BELOW: Final = "*."


class TrustedHosts(BaseMiddleware):
    """Lets in requests and WebSockets whose Host is one of those listed.

    Shape:  "shop.example" is that name alone; "*.shop.example" every name below it, and not itself; "*" every
            valid host. IPv6 addresses are written in brackets. Ports are not compared.

    >>> TrustedHosts(["shop.example", "*.shop.example"])
    <TrustedHosts *.shop.example shop.example>
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        """Take the hosts. Raises `ConfigurationError` for what is no host, and for none at all."""
        if isinstance(hosts, str):
            raise ConfigurationError(f"'hosts' must be a list: write hosts=[{hosts!r}].")
        listed = list(hosts)
        if not listed:
            raise ConfigurationError('TrustedHosts needs the hosts of the app: hosts=["shop.example"].')
        self._any = "*" in listed
        self._names = frozenset(_configured(host) for host in listed if host != "*" and not host.startswith(_ANY_BELOW))
        self._endings = tuple(
            f".{_configured(host.removeprefix(_ANY_BELOW), host)}" for host in listed if host.startswith(_ANY_BELOW)
        )

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Go on, or raise 400."""
        self._check(request)
        return await call_next()

    async def handle_websocket(self, websocket: WebSocket, call_next: WebSocketCallNext) -> None:
        """Go on, or deny the handshake with 400."""
        self._check(websocket)
        await call_next()

    def _check(self, connection: Connection[Any]) -> None:
        values = connection.headers.get_all("host")
        if len(values) > 1:
            raise BadRequest("The request has more than one Host header.", code="duplicate_host")
        if not values or not self._trusts(values[0]):
            raise BadRequest("The request is for a host that is not served here.", code="untrusted_host")

    def _trusts(self, text: str) -> bool:
        if text in self._names:
            return True
        host = parse_host(text)
        if host is None:
            return False
        return self._any or host.name in self._names or (host.name.endswith(self._endings) and not _is_ip(host.name))

    def __repr__(self) -> str:
        below = (f"*{ending}" for ending in self._endings)
        return f"<TrustedHosts {' '.join(sorted((*self._names, *below, *(('*',) if self._any else ()))))}>"


def _configured(text: str, whole: str | None = None) -> str:
    host = parse_host(text)
    if host is None or host.port is not None or (whole is not None and _is_ip(host.name)):
        raise ConfigurationError(
            f"{whole or text!r} in 'hosts' is no host. A host has no scheme, port or path; * is what is below it:\n\n"
            '    hosts=["shop.example", "*.shop.example", "[::1]"]\n'
        )
    return host.name


def _is_ip(name: str) -> bool:
    return parse_ip(name) is not None
