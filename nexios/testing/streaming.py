"""How is a response read while it is made? In a block: `async with`, or `with` in a synchronous test."""

from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any

from nexios.testing.library import Response, SyncByteStream
from nexios.testing.portal import Portal

__all__ = ["ResponseStream"]


class ResponseStream:
    """A request that is sent when its block is entered; the response is left with the block."""

    def __init__(self, send: Callable[[], Coroutine[Any, Any, Response]], portal: Portal | None) -> None:
        self._send = send
        self._portal = portal
        self._response: Response | None = None

    async def __aenter__(self) -> Response:
        """Send the request; the response has begun."""
        self._response = await self._send()
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave: the app sees a client that has gone, unless all was read."""
        if self._response is not None:
            await self._response.aclose()

    def __enter__(self) -> Response:
        """Send the request from a synchronous test."""
        if self._portal is None:
            raise RuntimeError("enter the client first: with TestClient(app) as client: ...")
        response = self._portal.run(self.__aenter__())
        return Response(
            response.status_code,
            headers=response.headers,
            stream=_Chunks(response, self._portal),
            request=response.request,
            extensions=response.extensions,
            history=response.history,
        )

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave, as from an `async with`."""
        if self._portal is not None:
            self._portal.run(self.__aexit__(kind, exc, traceback))


class _Chunks(SyncByteStream):
    """The raw body of an asynchronous response, chunk by chunk."""

    def __init__(self, response: Response, portal: Portal) -> None:
        self._chunks = response.aiter_raw()
        self._portal = portal

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._portal.run(self._next())) is not None:
            yield chunk

    async def _next(self) -> bytes | None:
        return await anext(self._chunks, None)
