"""May the page that opens this WebSocket do so?

Browsers open WebSockets to every site, with that site's cookies, and no CORS stands between: the
server has to look at Origin itself (RFC 6455 section 10.2). A client that is no browser sends none.
"""

from collections.abc import Iterable

from nexios.errors import ConfigurationError
from nexios.http.origins import configured_origins, parse_origin
from nexios.http.url import URL, Host, parse_host
from nexios.messages.websocket import WebSocket

__all__ = ["OriginPolicy"]


class OriginPolicy:
    """Lets in what has no Origin, what comes from our own, and the origins listed; "*" lists all of them.

    Raises:
        ConfigurationError: One of `allowed` is no origin such as "https://app.example".
    """

    __slots__ = ("_allowed", "_any")

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        if isinstance(allowed, str):
            raise ConfigurationError(f"'allowed_origins' must be a list: write allowed_origins=[{allowed!r}].")
        listed = frozenset(allowed)
        self._any = "*" in listed
        self._allowed = configured_origins(listed - {"*"}, "allowed_origins")

    def allows(self, websocket: WebSocket) -> bool:
        """Whether the handshake may go on; an Origin that is twice there, "null" or malformed is a foreign one."""
        values = websocket.headers.get_all("origin")
        if not values or self._any:
            return True
        origin = parse_origin(values[0]) if len(values) == 1 else None
        if origin is None:
            return False
        return origin.origin in self._allowed or _is_ours(origin, websocket)


def _is_ours(origin: URL, websocket: WebSocket) -> bool:
    """The page has our host and port. It may be https where we see ws, because a proxy ended TLS; never the reverse."""
    values = websocket.headers.get_all("host")
    host = parse_host(values[0]) if len(values) == 1 else None
    if host is None or origin.scheme not in ("http", "https"):
        return False
    if origin.scheme == "http" and websocket.scheme in ("wss", "https"):
        return False
    return origin.netloc == _netloc(origin.scheme, host)


def _netloc(scheme: str, host: Host) -> str:
    return URL(scheme=scheme, host=host.name, port=host.port).netloc
