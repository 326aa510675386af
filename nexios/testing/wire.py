"""How does a request of httpx2 become an exchange with the app, and what comes back?

Nothing leaves the process: a request for another host is refused, wherever it came from.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from nexios.http.headers import check_name, check_value
from nexios.messages.transport import Address
from nexios.testing.exchange import Exchange, Serve
from nexios.testing.legal import IllegalSequence
from nexios.testing.library import (
    URL,
    AsyncBaseTransport,
    AsyncByteStream,
    ConnectError,
    ReadTimeout,
    RemoteProtocolError,
    Request,
    Response,
)
from nexios.testing.transport import MemoryTransport
from nexios.testing.websocket_wire import MemoryWebSocket

__all__ = ["EXCHANGES", "AppTransport"]

EXCHANGES: Final = "nexios.exchanges"
"""The extension of a request with a list for those who want to see its exchange."""
_PORTS: Final = {"http": 80, "https": 443}


class AppTransport(AsyncBaseTransport):
    """Carries requests to one app, in memory."""

    def __init__(
        self, serve: Serve, *, base_url: URL, root_path: str, client_address: Address, raise_app_exceptions: bool
    ) -> None:
        self.raise_app_exceptions = raise_app_exceptions
        self._serve = serve
        self._base_url = base_url
        self._root_path = root_path
        self._client_address = client_address
        self._open: set[Exchange] = set()

    async def handle_async_request(self, request: Request) -> Response:
        """Return the response as soon as it has begun; its body is made while it is read."""
        exchange = self._begin(request)
        try:
            async with _patience(request):
                await exchange.transport.answered()
            if not exchange.transport.started or (exchange.unhandled and self.raise_app_exceptions):
                await exchange.end()
            self._raise_errors(exchange, request)
            exchange.check_head()
        except BaseException:
            await self.end(exchange, grace=0)
            raise
        transport = exchange.transport
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in transport.response_headers]
        return Response(transport.status, headers=headers, stream=_Body(self, exchange, request))

    async def leave_early(self, request: Request, *, sent: int | None, received: int | None) -> bytes:
        """Send the request and leave after so many bytes of its body or of the response's; return what was received."""
        exchange = self._begin(request, leave_after=sent)
        got = bytearray()
        try:
            async with _patience(request):
                await exchange.transport.answered()
                while received is None or len(got) < received:
                    if (chunk := await exchange.transport.next_response_chunk()) is None:
                        break
                    got += chunk
        except BaseException:
            await self.end(exchange, grace=0)
            raise
        await self.end(exchange)
        self._raise_app_errors(exchange)
        return bytes(got if received is None else got[:received])

    def _begin(self, request: Request, leave_after: int | None = None) -> Exchange:
        self._refuse_foreign(request)
        exchange = Exchange(self._memory(request, leave_after), self._serve)
        self._open.add(exchange)
        request.extensions.get(EXCHANGES, []).append(exchange)
        return exchange

    def _refuse_foreign(self, request: Request) -> None:
        """Nothing that belongs to this app's host is kept in a request that is for another."""
        url = request.url
        if url.host != self._base_url.host or url.port not in (None, self._base_url.port):
            for name in ("authorization", "cookie", "proxy-authorization"):
                request.headers.pop(name, None)
            raise ConnectError(
                f"{url.copy_with(query=None, fragment=None)} is not the app under test, "
                f"which is at {self._base_url}; no request leaves the process",
                request=request,
            )

    def _memory(self, request: Request, leave_after: int | None) -> MemoryTransport:
        url = request.url
        if not isinstance(request.stream, AsyncByteStream):
            raise TypeError("the body of the request cannot be read asynchronously")
        return MemoryTransport(
            check_name(request.method).upper(),
            url.path,
            headers=_headers(request),
            body=request.stream,
            query_string=url.query.decode("ascii"),
            scheme=url.scheme,
            root_path=self._root_path,
            client=self._client_address,
            server=Address(url.host, url.port or _PORTS.get(url.scheme)),
            leave_after=leave_after,
        )

    def websocket(self, request: Request, subprotocols: Sequence[str]) -> MemoryWebSocket:
        """Return the WebSocket that a request for its handshake opens (RFC 6455 section 4.1)."""
        self._refuse_foreign(request)
        url, own = request.url, ("accept", "accept-encoding", "connection", "content-length")
        headers = [pair for pair in _headers(request) if pair[0] not in own]
        headers += [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")]
        headers += [("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]
        if subprotocols:
            headers.append(("sec-websocket-protocol", check_value(", ".join(subprotocols))))
        return MemoryWebSocket(
            url.path,
            headers=headers,
            query_string=url.query.decode("ascii"),
            scheme="wss" if url.scheme in ("https", "wss") else "ws",
            root_path=self._root_path,
            client=self._client_address,
            server=Address(url.host, url.port or _PORTS.get(url.scheme)),
            subprotocols=subprotocols,
        )

    def _raise_errors(self, exchange: Exchange, request: Request) -> None:
        """The test's own errors first, then the app's, then what any client would notice."""
        if exchange.transport.body_error is not None:
            raise exchange.transport.body_error
        self._raise_app_errors(exchange)
        if not exchange.transport.started:
            raise RemoteProtocolError("the app closed the connection without a response", request=request)

    def _raise_app_errors(self, exchange: Exchange) -> None:
        error = exchange.take_error()
        if error is not None and (self.raise_app_exceptions or isinstance(error, IllegalSequence)):
            raise error

    async def read(self, exchange: Exchange, request: Request) -> AsyncIterator[bytes]:
        """Yield the body of the response; raise what went wrong while it was made."""
        size = 0
        while True:
            async with _patience(request):
                chunk = await exchange.transport.next_response_chunk()
            if chunk is None:
                break
            size += len(chunk)
            if chunk:
                yield chunk
        async with _patience(request):
            await exchange.finished()
        self._raise_errors(exchange, request)
        if not exchange.transport.complete:
            raise RemoteProtocolError("the app broke off its response", request=request)
        exchange.check_size(size)

    async def end(self, exchange: Exchange, grace: float = 5.0) -> None:
        """Leave an exchange, and let the app come to its end of it."""
        self._open.discard(exchange)
        await exchange.end(grace)

    async def release(self, exchange: Exchange) -> None:
        """End an exchange whose response is not wanted further; raise what the app made of it."""
        await self.end(exchange)
        self._raise_app_errors(exchange)

    async def aclose(self) -> None:
        """Leave every exchange that is still open."""
        for exchange in tuple(self._open):
            await self.end(exchange)


class _Body(AsyncByteStream):
    """The body of one response. Closing it before its end is how a client leaves."""

    def __init__(self, wire: AppTransport, exchange: Exchange, request: Request) -> None:
        self._wire = wire
        self._exchange = exchange
        self._request = request

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._wire.read(self._exchange, self._request)

    async def aclose(self) -> None:
        await self._wire.release(self._exchange)


def _headers(request: Request) -> list[tuple[str, str]]:
    """Return the header fields as a server gives them. Raises `InvalidHeader`, a ValueError."""
    return [
        (check_name(name.decode("latin-1")), check_value(value.decode("latin-1")))
        for name, value in request.headers.raw
    ]


@asynccontextmanager
async def _patience(request: Request) -> AsyncGenerator[None, None]:
    """Wait no longer than the request's timeout. Raises `ReadTimeout`."""
    seconds = request.extensions.get("timeout", {}).get("read")
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as exc:
        if not limit.expired():
            raise
        raise ReadTimeout(f"the app did nothing for {seconds} s", request=request) from exc
