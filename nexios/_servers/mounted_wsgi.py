"""How does a WSGI application answer requests of ours? In worker threads, with the body read beforehand (PEP 3333)."""

import weakref
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import IO

from nexios._servers.wsgi_call import WSGICall
from nexios._servers.wsgi_environ import WSGIApp, environ_of
from nexios.concurrency import Threads
from nexios.messages.content import StreamContent
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.thread_io import finish_in_thread

__all__ = ["MountedWSGI"]


class MountedWSGI:
    """One WSGI application below a prefix of ours. One per mount, for one event loop.

    It is called in a thread of `threads`, with the context variables of the middleware
    around it, and may be called in several at once. Chunks are asked for one by one, as
    the client takes them; each may come from another thread.
    """

    __slots__ = ("_app", "_threads")

    def __init__(self, app: WSGIApp, threads: Threads) -> None:
        self._app = app
        self._threads = threads

    async def start(self) -> None:
        """WSGI knows no beginning."""

    async def stop(self) -> None:
        """WSGI knows no end."""

    async def __call__(self, request: Request, response: Response) -> Response:
        """Return what the application answers, as `response`: bytes when they are whole, else a stream.

        Raises:
            ClientDisconnect: The client left before its body was whole.
            HTTPException: The request is beyond our limits.
            InvalidHeader: The application set a header that may not be sent.
            Exception: What the application raised before its first chunk.
        """
        call = await self._prepared(request)
        try:
            beginning = await self._threads.run_in_thread(call.begin)
        except BaseException:
            await _give_up(call, self._threads)
            raise
        if beginning.head.ends_response(request.method):
            return beginning.head.fill(response, None)
        if beginning.whole:
            return beginning.head.fill(response, beginning.chunk)
        return beginning.head.fill(response, StreamContent(_Stream(call, self._threads, beginning.chunk)))

    async def _prepared(self, request: Request) -> WSGICall:
        spool_size = request.limits.spool_size
        body: IO[bytes] = SpooledTemporaryFile(spool_size)  # noqa: SIM115 - WSGICall.close closes it
        try:
            size = await _read_into(body, request, spool_size)
            return WSGICall(self._app, environ_of(request, body, size), spool_size=spool_size)
        except BaseException:
            body.close()
            raise


async def _read_into(file: IO[bytes], request: Request, spool_size: int) -> int:
    """Read the whole body and return its size; what goes to disk is written in a thread."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > spool_size:
            await finish_in_thread(file.write, chunk)
        else:
            file.write(chunk)
    file.seek(0)
    return size


async def _give_up(call: WSGICall, threads: Threads) -> None:
    if call.abandon():
        await threads.run_in_thread(call.close)


class _Stream:
    """The chunks of one response. One that is dropped unread, as by a middleware, closes the call right there."""

    def __init__(self, call: WSGICall, threads: Threads, first: bytes) -> None:
        self._call = call
        self._threads = threads
        self._first = first
        self._dropped = weakref.finalize(self, _close_dropped, call)
        self._dropped.atexit = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk: bytes | None = self._first
        self._first = b""
        if not chunk:
            chunk = await self._threads.run_in_thread(self._call.next_chunk)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Close the call: now, or when the step that runs in a thread is over."""
        self._dropped.detach()
        await _give_up(self._call, self._threads)


def _close_dropped(call: WSGICall) -> None:
    if call.abandon():
        call.close()
