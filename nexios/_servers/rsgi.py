"""How does Granian reach the core natively? RSGI 1.6: HTTP exchanges, and start and stop of the worker's loop."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from nexios._pipeline.engine import Engine
from nexios._servers.faults import send_failed
from nexios._servers.freeing import forget_frames
from nexios._servers.life import Life
from nexios._servers.linger import has_body, read_out
from nexios._servers.rsgi_break import break_connection
from nexios._servers.rsgi_head import UNREADABLE, RSGIHead
from nexios._servers.rsgi_websocket import serve_websocket
from nexios.errors import ClientDisconnect
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import send_response
from nexios.messages.transport import Pairs

__all__ = ["RSGIApplication", "RSGITransport"]

logger = logging.getLogger("nexios")

_LEFT = "the client left before the response was sent"


class RSGITransport(RSGIHead, msgspec.Struct, eq=False):
    """One RSGI HTTP exchange."""

    _scope: Any
    _protocol: Any
    started: bool = False
    _chunks: Any = None
    _received: int = 0
    _empty_chunks: int = 0
    _gone: bool = False
    _ended: bool = False

    @property
    def method(self) -> str:
        return self._scope.method  # type: ignore[no-any-return]

    @property
    def scheme(self) -> str:
        return self._scope.scheme  # type: ignore[no-any-return]

    def header_values(self, name: str) -> list[str]:
        headers = self._scope.headers
        return headers.get_all(name) or ([UNREADABLE] if name in headers else [])

    def body_fields(self) -> tuple[list[str], list[str], list[str]]:
        values = self._scope.headers.get_all
        return values("content-type"), values("content-length"), values("content-encoding")

    def arrived(self) -> bytes | None:
        return None

    def json_at_hand(self, limit: int | None) -> bytes | None:
        return None

    async def next_chunk(self) -> bytes | None:
        if self._chunks is None:
            self._chunks = aiter(self._protocol)
        try:
            while not (chunk := await self._chunks.__anext__()):  # anext() with a default crashes on Granian's futures
                self._empty_chunks += 1
        except StopAsyncIteration:
            self._ended = True
            if self._is_cut_off():
                raise ClientDisconnect("the client left before the body was whole") from None
            return None
        except (OSError, RuntimeError) as exc:
            raise ClientDisconnect("the client left before the body was whole") from exc
        self._received += len(chunk)
        return bytes(chunk)

    def _is_cut_off(self) -> bool:
        """Granian ends the body of a client that has left like any other, but for one more empty chunk.

        Trailers are an empty chunk too; so are, in HTTP/2, empty frames, and there is no way to tell.
        """
        lengths = self.header_values("content-length")
        if lengths:
            return self._received < int(lengths[0])
        return self._empty_chunks > 1 and self.http_version < "2" and "trailer" not in self._scope.headers

    async def disconnected(self) -> None:
        await self._protocol.client_disconnect()
        self._gone = True

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
        try:
            async for chunk in chunks:
                await self._send_chunk(stream, chunk)
        except BaseException:
            if not self._gone and all(name != "content-length" for name, _ in headers):
                self._break_off()
            raise

    async def _send_chunk(self, stream: Any, chunk: bytes) -> None:
        try:
            await stream.send_bytes(chunk)
        except (OSError, RuntimeError) as exc:
            self._gone = True
            raise ClientDisconnect(_LEFT) from exc

    def _break_off(self) -> None:
        """Do what the server does by itself when a response has a length: let the client see that it is not whole."""
        if not break_connection(self.client, self.server):
            logger.warning("a response broke off, and RSGI has no way to let the client know")


class RSGIApplication:
    """The RSGI side of an application, which Granian prefers when it is there."""

    _engine: Engine | None
    _life: Life | None

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
        response: Response | None = None
        broken: BaseException | None = None
        try:
            response = await engine.handle(request)
            await send_response(transport, request, response)
        except Exception as exc:
            broken = exc
            await send_failed(transport, request, exc)
        except BaseException as exc:
            broken = exc
            raise
        finally:
            if (
                request._scopes is not None
                or (request._body is not None and (request._form is not None or request._body._disconnect is not None))
                or (response is not None and response.background is not None)
            ):
                await engine.finish(request, response, broken)
        if request.method != "GET" and not transport._ended and not transport._gone and has_body(transport):
            await read_out(transport, request.limits)
            forget_frames(response)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the application; an exception keeps the worker from serving."""
        life = Life(self.engine)
        loop.run_until_complete(life.start())
        self._life = life

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop the application."""
        life, self._life = self._life, None
        if life is not None:
            loop.run_until_complete(life.stop())
