"""Did this request come over plain http? Then it is sent to https, before anything else is done with it.

Behind a proxy that ends TLS, every request comes over http: let `ProxyHeaders` believe that proxy, or this goes in
circles.
"""

from typing import Any, Final

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios._pipeline.websocket_chain import WebSocketCallNext
from nexios.errors import BadRequest, ConfigurationError
from nexios.http.url import Host, parse_host, parse_port
from nexios.messages.connection import Connection
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket

__all__ = ["HTTPSRedirect"]

_SECURE: Final = {"http": "https", "ws": "wss"}


class HTTPSRedirect(BaseMiddleware):
    """Answers plain http with a 308 to the same host, path and query over https.

    The host is that of the request, so put `TrustedHosts` before it, or name the `host` to send everybody to.
    """

    def __init__(self, *, host: str | None = None, port: int = 443) -> None:
        """Take where https is served. Raises `ConfigurationError` for what is no host or port."""
        named = None if host is None else parse_host(host)
        if (host is not None and named is None) or parse_port(str(port)) is None:
            raise ConfigurationError(f"HTTPSRedirect needs a host and a port, not {host!r} and {port!r}.")
        self._host = named
        self._port = None if port == 443 else port

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Redirect, or go on."""
        if request.scheme != "http":
            return await call_next()
        return response.empty(308).set_header("location", self._target(request))

    async def handle_websocket(self, websocket: WebSocket, call_next: WebSocketCallNext) -> None:
        """Deny a plain handshake with the same redirect, to wss, which browsers do not follow."""
        if websocket.scheme != "ws":
            await call_next()
            return
        await websocket.deny(308, headers=[("location", self._target(websocket))])

    def _target(self, connection: Connection[Any]) -> str:
        host = self._host or _host_of(connection)
        port = self._port if self._host is None or self._host.port is None else self._host.port
        url = connection.url.replace(scheme=_SECURE[connection.scheme], host=host.name, port=port)
        return f"{url.origin}{url.target}"


def _host_of(connection: Connection[Any]) -> Host:
    """The host that was asked for. What is none is not replaced by our own, which nobody outside may know."""
    values = connection.headers.get_all("host")
    host = parse_host(values[0]) if len(values) == 1 else None
    if host is None:
        raise BadRequest("The request does not say for which host it is.", code="malformed_host")
    return host
