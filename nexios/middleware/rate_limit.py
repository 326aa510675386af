"""Does this client ask too often? Limits for the app, a router or a route; what is over them gets 429.

Answers say how much is left, in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), and a 429
when to come back, in `Retry-After` (RFC 9110 section 10.2.3). What is refused is not counted, so a client that waits
as long as it is told is served.

A client is whoever `request.client` says: no header of its own is believed, see `ProxyHeaders`.
"""

import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, get_args

from nexios._injection.manner import is_async
from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios._pipeline.websocket_chain import WebSocketCallNext
from nexios.errors import ConfigurationError, TooManyRequests
from nexios.http.headers import is_token
from nexios.http.networks import network_of
from nexios.messages.connection import Connection
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.middleware.rate_limit_counters import Counters, Hit, Limit, MemoryCounters, parse_limit
from nexios.stores.base import StoreUnavailable

__all__ = ["RateLimitMiddleware", "by_address", "by_user"]

Key = Callable[[Any], str | None]
WhenUnavailable = Literal["count_here", "refuse"]

_logger = logging.getLogger("nexios")

_LONGEST_KEY: Final = 63
"""Characters: a digest is longer, so that no key can be that of a long one."""
_PAUSE: Final = 1.0
"""Seconds in which an engine that was away is not asked, so that not every request waits for it."""


def by_address(connection: Connection[Any]) -> str:
    """Return whose address it is: of IPv4 the address, of IPv6 its network of 64 bits.

    Clients without an address, as at a Unix socket, are one.
    """
    client = connection.client
    return network_of(None if client is None else client.host)


def by_user(identify: Callable[[Any], str]) -> Key:
    """Return a key that is `identify(request.user)`; clients that are anonymous have that of their address.

    >>> app_limit = RateLimitMiddleware("100/hour", key=by_user(lambda user: user["name"]))
    """

    def key(connection: Connection[Any]) -> str:
        user = connection.user
        return by_address(connection) if user is None else f"user:{identify(user)}"

    return key


class RateLimitMiddleware(BaseMiddleware):
    """Lets a client send so many requests, and open so many WebSockets, in a time: `RateLimitMiddleware("5/minute")`.

    One instance counts for all routes that it is around together; a route with a limit of its own has an instance of
    its own.
    """

    def __init__(
        self,
        *limits: str,
        key: Key = by_address,
        name: str = "",
        counters: Counters | None = None,
        when_unavailable: WhenUnavailable = "count_here",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take limits, such as "5/minute"; a request has to be within all of them.

        `key(connection)` says who asks, None for one without a limit. `counters` are those of this process by default;
        others, which several processes and limits share, need the `name` of this limit. What happens while their engine
        is away, `when_unavailable` says: each process counts for itself, or all requests are refused with 503.

        Raises:
            ConfigurationError: An option is wrong.
        """
        parsed = sorted(map(parse_limit, limits), key=lambda limit: limit.window)
        if not parsed or len({limit.window for limit in parsed}) != len(parsed):
            raise ConfigurationError(
                "RateLimitMiddleware needs a limit, and of several each for another time:\n\n"
                '    app.add_middleware(RateLimitMiddleware, "5/minute", "100/hour")\n'
            )
        if name and not is_token(name):
            raise ConfigurationError(f"'name' is made of letters, digits, '-' and '_', not {name!r}.")
        if not callable(key) or is_async(key):
            raise ConfigurationError(f"'key' is a function of the connection that is not async, not {key!r}.")
        if when_unavailable not in get_args(WhenUnavailable):
            raise ConfigurationError(
                f"'when_unavailable' is one of {get_args(WhenUnavailable)}, not {when_unavailable!r}."
            )
        if counters is not None and not name:
            raise ConfigurationError(
                "Counters that are shared need to know which limit counts; limits of one name count together:\n\n"
                f'    RateLimitMiddleware({limits[0]!r}, name="sign-in", counters=counters)\n'
            )
        self._limits = parsed
        self._key = key
        self._name = f"{name}:" if name else ""
        self._here = MemoryCounters(clock=clock)
        self._counters: Counters = self._here if counters is None else counters
        self._refuses = when_unavailable == "refuse"
        self._clock = clock
        self._away_until: float | None = None
        self._labels = {limit: f'"{self._name}{limit.text}"' for limit in parsed}
        """The names of the policies: Strings of RFC 9651, which nothing in them can break out of."""
        policies = [f"{label};q={limit.amount};w={limit.window}" for limit, label in self._labels.items()]
        self._policy = ("ratelimit-policy", ", ".join(policies))

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Keep the counters open while the app runs."""
        await self._counters.start()
        try:
            yield
        finally:
            await self._here.stop()
            await self._counters.stop()

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Go on, or raise 429."""
        key = self._key(request)
        if key is None:
            return await call_next()
        hits = await self._count(key)
        answer = await call_next()
        state = ("ratelimit", self._state(hits))
        if answer._pairs is None and answer._media is not None:  # nothing but a media type, as mostly
            answer._pairs, answer._media = [answer._media, self._policy, state], None
            return answer
        headers = answer.headers
        for name, value in (self._policy, state):
            inner = headers.get(name)
            headers[name] = value if inner is None else f"{value}, {inner}"
        return answer

    async def handle_websocket(self, websocket: WebSocket, call_next: WebSocketCallNext) -> None:
        """Go on, or deny the handshake with 429."""
        key = self._key(websocket)
        if key is not None:
            await self._count(key)
        await call_next()

    async def _count(self, key: str) -> list[Hit]:
        """Count a request in all limits, the shortest first. What one refuses, those that are longer do not count."""
        hits: list[Hit] = []
        bucket = self._name + (key if len(key) <= _LONGEST_KEY else _digest(key))
        for limit in self._limits:
            hit = await self._hit(limit, bucket)
            if not hit.allowed:
                fields = (self._policy, ("ratelimit", self._state([hit])))
                raise TooManyRequests(retry_after=hit.seconds, headers=fields)
            hits.append(hit)
        return hits

    async def _hit(self, limit: Limit, bucket: str) -> Hit:
        if self._counters is self._here:
            return await self._here.hit(limit, bucket)
        if self._away_until is None or self._clock() >= self._away_until:
            try:
                hit = await self._counters.hit(limit, bucket)
            except StoreUnavailable:
                if self._refuses:
                    raise
                self._note_absence()
            else:
                self._away_until = None
                return hit
        return await self._here.hit(limit, bucket)

    def _note_absence(self) -> None:
        if self._away_until is None:
            _logger.warning("the engine of the rate limits is away; until it is back, each process counts for itself")
        self._away_until = self._clock() + _PAUSE

    def _state(self, hits: list[Hit]) -> str:
        return ", ".join([f"{self._labels[hit.limit]};r={hit.remaining};t={hit.seconds}" for hit in hits])

    def __repr__(self) -> str:
        return f"<RateLimitMiddleware {self._policy[1]}>"


def _digest(key: str) -> str:
    """A client may choose what its key is made of, and so how long it is."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
