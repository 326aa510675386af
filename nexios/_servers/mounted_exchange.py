"""What do `receive` and `send` do for a mounted ASGI application? Body in, response out, one chunk ahead at most.

The response begins with the first body message, as ASGI 3.0 asks of servers. Until then
every failure is raised to the caller, who can still answer with an error; after it
the stream breaks off, so that no client takes a part for the whole.
"""

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from nexios._servers.mounted_body import DeclaredLength, Head
from nexios._servers.mounted_lifespan import ASGIApp, Message, end
from nexios.errors import ClientDisconnect, HTTPException
from nexios.messages.content import StreamContent
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["MountedExchange"]

logger = logging.getLogger("nexios")

_END = object()


class MountedExchange:
    """One request in the hands of a mounted application.

    It does not know the Response, so that a response which nobody keeps is noticed.
    """

    def __init__(self, request: Request) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self._head: Head | None = None
        self._length: DeclaredLength | None = None
        self._answer: asyncio.Future[tuple[Head, bytes | None]] = loop.create_future()
        self._over: asyncio.Future[None] = loop.create_future()
        self._whole = False
        self._room = asyncio.Semaphore(1)
        self._chunks: asyncio.Queue[object] = asyncio.Queue()
        self._body: AsyncIterator[bytes] | None = None
        self._body_ended = False
        self._reading = asyncio.Lock()
        self._read: asyncio.Task[bytes | None] | None = None
        self._watch: asyncio.Future[None] | None = None
        self._client_left = False

    async def answer(self, response: Response, call: "asyncio.Task[None]") -> Response:
        """Fill and return `response` when its first body message is there; `call` is the task of `run`."""
        head, body = await self._answer
        if head.ends_response(self._request.method):
            return head.fill(response, None)
        return head.fill(response, body if body is not None else StreamContent(_Stream(self, call)))

    async def run(self, app: ASGIApp, scope: MutableMapping[str, Any]) -> None:
        """Call the application, and tell whoever waits for it how it ended."""
        try:
            await app(scope, self.receive, self.send)
        except Exception as exc:
            self._ended(exc)
        except BaseException:
            self._ended(RuntimeError("A mounted application was cancelled before its response was whole."))
            raise
        else:
            self._ended(None)
        finally:
            await self._stop_listening()

    def _ended(self, failure: Exception | None) -> None:
        if self._over.done():
            if failure is not None and self._whole:
                logger.error("a mounted application failed after its response", exc_info=failure)
            return
        self._fail(failure or RuntimeError("A mounted application returned before its response was whole."))

    def _fail(self, failure: Exception) -> None:
        """Raise `failure` where the response is waited for, or read."""
        if self._client_left and not isinstance(failure, ClientDisconnect):
            left = ClientDisconnect("the client left a mounted application")
            left.__cause__ = failure
            failure = left
        if not self._answer.done():
            self._answer.set_exception(failure)
        elif not self._answer.cancelled():
            self._chunks.put_nowait(failure)
        self._finish()

    def _finish(self) -> None:
        """From here on the application hears that the client has gone."""
        if not self._over.done():
            self._over.set_result(None)

    # The body of the request

    async def receive(self) -> Message:
        """The next part of the body; after it, when there is no more to do, the disconnect."""
        async with self._reading:
            if self._over.done():
                return {"type": "http.disconnect"}
            if self._body_ended or self._client_left:
                return await self._disconnect()
            return await self._part()

    async def _part(self) -> Message:
        """A read outlives an application that stops waiting for it, so that no part is lost."""
        if self._read is None:
            self._read = asyncio.create_task(self._read_part())
        try:
            chunk = await asyncio.shield(self._read)
        except ClientDisconnect:
            self._client_left = True
            return {"type": "http.disconnect"}
        except HTTPException as refusal:
            self._fail(refusal)
            raise
        self._read = None
        self._body_ended = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def _read_part(self) -> bytes | None:
        if self._body is None:
            self._body = self._request.stream()
        return await anext(self._body, None)

    async def _disconnect(self) -> Message:
        if not self._client_left:
            if self._watch is None:
                self._watch = asyncio.ensure_future(self._request._transport.disconnected())
            await asyncio.wait({self._watch, self._over}, return_when=asyncio.FIRST_COMPLETED)
            self._client_left = self._watch.done() and not self._over.done()
        return {"type": "http.disconnect"}

    async def _stop_listening(self) -> None:
        for waiting in (self._read, self._watch):
            if waiting is not None:
                waiting.cancel()
                await asyncio.wait({waiting})
                if not waiting.cancelled():
                    waiting.exception()

    # The response

    async def send(self, message: Message) -> None:
        """Take a message; waits while the chunk before it is not yet sent.

        Raises:
            OSError: Nobody reads the response any more (ASGI HTTP spec 2.4).
            RuntimeError: The message is out of order, or of a kind that was not offered.
        """
        if self._over.done():
            raise OSError("the response of the mounted application is over")
        if message["type"] == "http.response.start" and self._head is None:
            self._start(message)
        elif message["type"] == "http.response.body" and self._head is not None:
            await self._body_part(self._head, bytes(message.get("body", b"")), last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"A mounted application sent {message['type']!r} when it was not its turn.")

    def _start(self, message: Message) -> None:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
        try:
            head = Head.of(message["status"], fields)
            if not head.ends_response(self._request.method):
                self._length = DeclaredLength(head)
        except ValueError as exc:
            self._fail(exc)
            raise
        self._head = head

    async def _body_part(self, head: Head, body: bytes, *, last: bool) -> None:
        if self._length is not None:
            self._length.take(len(body), last=last)
        alone = not self._answer.done() and (last or head.ends_response(self._request.method))
        if not self._answer.done():
            self._answer.set_result((head, body if alone else None))
        if not alone and body:
            await self._room.acquire()
            self._chunks.put_nowait(body)
        if last:
            self._whole = True
            self._chunks.put_nowait(_END)
        if last or alone:
            self._finish()

    async def next_chunk(self) -> bytes:
        """The next chunk for the client. Raises what the application raised, or StopAsyncIteration at the end."""
        chunk = await self._chunks.get()
        if isinstance(chunk, bytes):
            self._room.release()
            return chunk
        self._chunks.put_nowait(chunk)
        if isinstance(chunk, Exception):
            raise chunk
        raise StopAsyncIteration

    def abandon(self, call: "asyncio.Task[None]") -> bool:
        """Nobody reads the response: cancel a call that has not completed it. Returns whether it had to be."""
        if self._over.done():
            return False
        self._finish()
        call.cancel()
        return True


class _Stream:
    """The chunks of one response. One that is dropped unread, as by a middleware, ends the call too."""

    def __init__(self, exchange: MountedExchange, call: "asyncio.Task[None]") -> None:
        self._exchange = exchange
        self._call = call
        self._dropped = weakref.finalize(self, _abandon_soon, exchange, call)
        self._dropped.atexit = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await self._exchange.next_chunk()

    async def aclose(self) -> None:
        """Cancel the call unless it has sent everything; what it does after its response goes on."""
        self._dropped.detach()
        if self._exchange.abandon(self._call):
            await end(self._call)


def _abandon_soon(exchange: MountedExchange, call: "asyncio.Task[None]") -> None:
    """Garbage is collected in any thread."""
    loop = call.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(exchange.abandon, call)
