"""Where does a request come from, and where did it go, when proxies of ours stand between?

Nothing is believed unless it was told who is trusted: any client can send X-Forwarded-For. What is believed is settled
before anything reads it: events, the Origin check of WebSockets, matching and all other middleware see the client and
the URL outside of the proxies. So it holds for the app as a whole, wherever it is added.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import ConfigurationError
from nexios.http.headers import Headers
from nexios.http.proxies import Claim, TrustedProxies, Values, forwarded_claim, x_forwarded_claim
from nexios.messages.connection import Connection, Outside
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.transport import Address

__all__ = ["ProxyHeaders"]

Believed = Literal["for", "proto", "host", "prefix"]

_BELIEVABLE: Final = frozenset({"for", "proto", "host", "prefix"})
_READERS: Final = {"x-forwarded": x_forwarded_claim, "forwarded": forwarded_claim}
_SCHEMES: Final = {True: ("https", "wss"), False: ("http", "ws")}


class ProxyHeaders(BaseMiddleware):
    """Believes proxies that are trusted; each header that is believed must be one that they set themselves.

    A header that a proxy passes on as it came is one that the client wrote. So believe "host" or "prefix" only of
    a proxy that is told to set them, and "forwarded" only of one that writes it.

    >>> app_middleware = ProxyHeaders(trusted=["10.0.0.0/8"], believe=["for", "proto", "host"])
    """

    handle_websocket = None
    """What it settles, it settles for WebSockets too, by `settle_head`."""

    def __init__(
        self,
        *,
        trusted: Iterable[str] = (),
        hops: int = 1,
        header: Literal["x-forwarded", "forwarded"] = "x-forwarded",
        believe: Iterable[Believed] = ("for", "proto"),
    ) -> None:
        """Take who is trusted, of how many in a row, in which header, of what.

        `trusted` has addresses and networks such as "10.0.0.0/8", and "unix" for the peer at a Unix socket.
        `hops` is how many proxies a request passes at most, the one in front of us included.

        Raises:
            ConfigurationError: An option is wrong.
        """
        believed = frozenset[str]({believe} if isinstance(believe, str) else believe)
        if not believed <= _BELIEVABLE:
            raise ConfigurationError(f"'believe' has some of {', '.join(sorted(_BELIEVABLE))}, not {sorted(believed)}.")
        if header not in _READERS:
            raise ConfigurationError(f"'header' is 'x-forwarded' or 'forwarded', not {header!r}.")
        self._proxies = TrustedProxies(trusted, hops=hops)
        self._believed = believed
        self._read = _READERS[header]

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Go on: it has no part in the chain."""
        return await call_next()

    def settle_head(self, connection: Connection[Any]) -> None:
        """Let `connection` have the client, scheme, host and prefix that its peer says, when that one is trusted.

        Raises:
            BadRequest: The peer is trusted, and what it says cannot be read.
        """
        if connection._outside is not None or not self._proxies.includes(_peer(connection)):
            return
        claim = self._read(_values(connection), self._proxies, self._believed)
        connection._outside = _outside(connection, claim)
        if claim.prefix:
            connection.path = claim.prefix + connection.path
            connection.root_path = claim.prefix + connection.root_path


def _outside(connection: Connection[Any], claim: Claim) -> Outside:
    client, scheme = connection.client, connection.scheme
    if claim.client is not None:
        client = Address(claim.client.name, claim.client.port)
    elif claim.is_hidden:
        client = None
    if claim.is_secure is not None:
        scheme = _SCHEMES[claim.is_secure][scheme in ("ws", "wss")]
    return Outside(client, scheme, claim.host)


def _peer(connection: Connection[Any]) -> str | None:
    """The address at the other end of our connection; None where it is a Unix socket, which has none."""
    client = connection._transport.client
    if client is None or not client.host or client.host.startswith(("/", "unix:")):
        return None
    return str(client.host)


def _values(connection: Connection[Any]) -> Values:
    """Headers one by one: `headers` would ask for the limits, and so for the route, which is not to be known yet."""
    if isinstance(connection, Request):
        return connection._transport.header_values
    return Headers(connection._transport.headers()).get_all
