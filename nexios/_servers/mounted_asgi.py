"""How does a foreign ASGI application answer requests of ours? As behind a server, which we are to it (ASGI 3.0)."""

import asyncio
from typing import Any

from nexios._servers.mounted_body import octets
from nexios._servers.mounted_exchange import MountedExchange
from nexios._servers.mounted_lifespan import ASGIApp, MountedLifespan, end
from nexios.http.url import quote_path
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.transport import Address

__all__ = ["MountedASGI"]

DRAIN_GRACE = 10.0
"""Seconds that calls which go on after their response (background tasks) get at the stop."""


class MountedASGI:
    """One foreign ASGI application below a prefix of ours. One per mount, for one event loop.

    Each request is a call of the application in a task of its own, with the context
    variables of the middleware around it.
    """

    __slots__ = ("_app", "_calls", "_lifespan")

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lifespan = MountedLifespan(app)
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Run the application's startup. Raises RuntimeError when the application says that it failed."""
        await self._lifespan.start()

    async def stop(self) -> None:
        """Let the calls end that still run, then run the application's shutdown."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=DRAIN_GRACE)
        await end(*self._calls)
        await self._lifespan.stop()

    async def __call__(self, request: Request, response: Response) -> Response:
        """Return what the application answers, as `response`: bytes when they are whole, else a stream.

        Raises:
            ClientDisconnect: The client left, and the application gave up.
            HTTPException: The request is beyond our limits.
            InvalidHeader: The application set a header that may not be sent.
            Exception: What the application raised before it answered.
        """
        exchange = MountedExchange(request)
        call = asyncio.create_task(exchange.run(self._app, self._scope(request)), name="call of a mounted application")
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        try:
            return await exchange.answer(response, call)
        except BaseException:
            await end(call)
            raise

    def _scope(self, request: Request) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": request.http_version,
            "method": request.method.upper(),
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": quote_path(request.path).encode("ascii"),
            "query_string": octets(request.query_string),
            "root_path": request.root_path,
            "headers": [(octets(name), octets(value)) for name, value in request.headers.pairs],
            "client": _pair(request.client, 0),
            "server": _pair(request._transport.server, None),
            "state": self._lifespan.state.copy(),
        }


def _pair(address: Address | None, port: int | None) -> tuple[str, int | None] | None:
    """A Unix socket has no port, which a server may say and a client may not."""
    if address is None:
        return None
    return address.host, port if address.port is None else address.port
