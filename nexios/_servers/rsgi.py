"""How does Granian reach the core natively? RSGI 1.6: HTTP exchanges, and start and stop of the worker's loop."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from nexios._pipeline.engine import Engine
from nexios._servers.faults import send_failed
from nexios._servers.rsgi_websocket import serve_websocket
from nexios.errors import ClientDisconnect
from nexios.messages.request import Request
from nexios.messages.send import send_response
from nexios.messages.transport import Address, Pairs

__all__ = ["RSGIApplication", "RSGITransport"]

_LEFT = "the client left before the response was sent"


class RSGITransport(msgspec.Struct, eq=False):
    """One RSGI HTTP exchange."""

    _scope: Any
    _protocol: Any
    started: bool = False
    _chunks: Any = None

    @property
    def server_name(self) -> str:
        return "RSGI"

    @property
    def method(self) -> str:
        return self._scope.method  # type: ignore[no-any-return]

    @property
    def path(self) -> str:
        return self._scope.path  # type: ignore[no-any-return]

    @property
    def root_path(self) -> str:
        return ""

    @property
    def query_string(self) -> str:
        return self._scope.query_string  # type: ignore[no-any-return]

    @property
    def scheme(self) -> str:
        return self._scope.scheme  # type: ignore[no-any-return]

    @property
    def http_version(self) -> str:
        return self._scope.http_version  # type: ignore[no-any-return]

    @property
    def client(self) -> Address | None:
        return address_of(self._scope.client)

    @property
    def server(self) -> Address | None:
        return address_of(self._scope.server)

    def headers(self) -> Pairs:
        return header_pairs(self._scope)

    def header_values(self, name: str) -> list[str]:
        return self._scope.headers.get_all(name)  # type: ignore[no-any-return]

    async def next_chunk(self) -> bytes | None:
        if self._chunks is None:
            self._chunks = aiter(self._protocol)
        try:
            while True:
                if chunk := await self._chunks.__anext__():  # anext() with a default crashes on a future of Granian's
                    return bytes(chunk)
        except StopAsyncIteration:
            return None
        except (OSError, RuntimeError) as exc:
            raise ClientDisconnect("the client left before the body was whole") from exc

    async def disconnected(self) -> None:
        await self._protocol.client_disconnect()

    def stop_reading(self) -> None:
        pass

    async def send_empty(self, status: int, headers: Pairs) -> None:
        self.started = True
        self._protocol.response_empty(status, list(headers))

    async def send_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        self.started = True
        self._protocol.response_bytes(status, list(headers), body)

    async def send_file(self, status: int, headers: Pairs, path: str, start: int, stop: int, *, whole: bool) -> bool:
        self.started = True
        if whole:
            self._protocol.response_file(status, list(headers), path)
        else:
            self._protocol.response_file_range(status, list(headers), path, start, stop)
        return True

    async def send_stream(self, status: int, headers: Pairs, chunks: AsyncIterator[bytes]) -> None:
        self.started = True
        stream = self._protocol.response_stream(status, list(headers))
        async for chunk in chunks:
            try:
                await stream.send_bytes(chunk)
            except (OSError, RuntimeError) as exc:
                raise ClientDisconnect(_LEFT) from exc


def header_pairs(scope: Any) -> Pairs:
    """Return all header fields; HTTP/2 names the host in `:authority`, which RSGI keeps apart."""
    headers = scope.headers
    pairs = [(name, value) for name in headers.keys() for value in headers.get_all(name)]  # noqa: SIM118
    if scope.authority and "host" not in headers:
        pairs.append(("host", scope.authority))
    return pairs


def address_of(text: str) -> Address | None:
    """Return the two halves of "host:port"; a Unix socket has no port."""
    host, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return Address(host.strip("[]"), int(port))
    return Address(text, None) if text else None


class RSGIApplication:
    """The RSGI side of an application, which Granian prefers when it is there."""

    __slots__ = ()
    _engine: Engine | None

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The compiled app."""

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Serve one RSGI exchange."""
        engine = self._engine or self.engine
        if scope.proto != "http":
            await serve_websocket(engine, scope, protocol)
            return
        transport = RSGITransport(scope, protocol)
        path = scope.path
        request = Request(transport, engine, scope.method, path, path)
        response = await engine.handle(request)
        try:
            await send_response(transport, request, response)
        except Exception as exc:
            await send_failed(transport, request, exc)
        if request._body is not None or response.background is not None:
            await engine.finish(request, response)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the application; an exception keeps the worker from serving."""
        loop.run_until_complete(self.engine.start())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop the application."""
        loop.run_until_complete(self.engine.stop())
