"""How is a body read? Once, within limits, and never taken for whole when the client left half way."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import msgspec

from nexios.errors import BadRequest, BodyConsumed, ContentTooLarge, HTTPException, RequestTimeout, UnsupportedMediaType
from nexios.http.framing import promises_more
from nexios.messages.patience import going_on
from nexios.messages.transport import HTTPTransport
from nexios.settings import Limits

__all__ = ["Body", "open_body"]

_TURNS_OF_A_READ = 10
"""How often the event loop turns until two messages that are there have come up through the transport's tasks."""
_CHUNKS_A_TURN = 256
"""After so many chunks the event loop gets a turn, so that a body in tiny pieces cannot hold it."""


class Body(msgspec.Struct, eq=False):
    """The body of one request: unread, streamed, or kept whole. Made by `open_body`.

    Bytes are counted as they arrive; Content-Length only serves to refuse early.
    """

    _transport: HTTPTransport
    limits: Limits
    """The limits that it is read within."""
    media_types: Sequence[str]
    """The values of Content-Type."""
    _encodings: Sequence[str]
    _kept: bytes | None = None
    _received: int = 0
    _chunks: int = 0
    _streamed: bool = False
    _refusal: HTTPException | None = None
    _disconnect: asyncio.Future[None] | None = None

    def move_to(self, limits: Limits) -> None:
        """Hold to the limits of a mounted app, whatever was read outside of it.

        Raises:
            ContentTooLarge: More has arrived than they allow.
        """
        self.limits = limits
        size = self._received if self._kept is None else len(self._kept)
        if limits.max_body_size is not None and size > limits.max_body_size:
            raise ContentTooLarge

    def refuse_compressed(self) -> None:
        """A body is never inflated here: a few bytes can stand for gigabytes. `stream` gives it as it came."""
        for encoding in self._encodings:
            if encoding.lower() not in ("", "identity"):
                raise UnsupportedMediaType("A compressed request body is not read here.")

    async def read(self) -> bytes:
        """Return the whole body, and keep it."""
        body = self.take()
        return await self.wait() if body is None else body

    def take(self) -> bytes | None:
        """Return the whole body when all of it is there, as it mostly is; after None `wait` is awaited at once."""
        if self._kept is not None:
            return self._kept
        if self._encodings:
            self.refuse_compressed()
        if self._streamed:
            self._begin()
        self._streamed = True
        body = self._transport.arrived()
        if body is not None:
            limit = self.limits.max_body_size
            if limit is not None and len(body) > limit:
                raise self._refuse(ContentTooLarge())
            self._kept = body
        return body

    async def wait(self) -> bytes:
        """Return the whole body, and keep it, when `take` has begun to read it."""
        chunks = []
        while (chunk := await self._next()) is not None:
            chunks.append(chunk)
        self._kept = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return self._kept

    def stream(self) -> AsyncIterator[bytes]:
        """Return the chunks, from the wire the first time, from the kept body afterwards."""
        if self._kept is not None:
            return _one(self._kept)
        self._begin()
        return self._from_wire()

    def _begin(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        if self._streamed:
            raise BodyConsumed
        self._streamed = True

    async def _from_wire(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next()) is not None:
            yield chunk

    async def _next(self) -> bytes | None:
        reading = self._transport.next_chunk()
        try:
            waiting = reading.send(None)
        except StopIteration as done:
            chunk: bytes | None = done.value
        else:
            chunk = await self._in_time(reading, waiting)
        if chunk is not None:
            self._received += len(chunk)
            self._chunks += 1
            if not self._chunks % _CHUNKS_A_TURN:
                await asyncio.sleep(0)
            limit = self.limits.max_body_size
            if limit is not None and self._received > limit:
                raise self._refuse(ContentTooLarge())
        return chunk

    async def _in_time(self, reading: Coroutine[Any, Any, bytes | None], waiting: Any) -> bytes | None:
        try:
            return await going_on(reading, waiting, self.limits.body_read_timeout)
        except TimeoutError:
            raise self._refuse(RequestTimeout()) from None

    def _refuse(self, refusal: HTTPException) -> HTTPException:
        """Who reads again, as an exception handler may, is refused in the same words."""
        self._refusal = refusal
        return refusal

    async def is_disconnected(self) -> bool:
        """Whether the client has gone; a few turns of the event loop, no waiting."""
        if self._disconnect is None:
            self._disconnect = asyncio.ensure_future(self._transport.disconnected())
        for _ in range(_TURNS_OF_A_READ):
            if self._disconnect.done():
                return True
            await asyncio.sleep(0)
        return self._disconnect.done()

    def close(self) -> None:
        """Stop watching the connection."""
        if self._disconnect is not None:
            self._disconnect.cancel()
        self._transport.stop_reading()


def open_body(transport: HTTPTransport, limits: Limits) -> Body:
    """Return the body of a request, of which nothing is read yet.

    Raises:
        BadRequest: Content-Length is malformed.
        ContentTooLarge: It promises more than `limits.max_body_size`.
    """
    media_types, lengths, encodings = transport.body_fields()
    try:
        if promises_more(lengths, limits.max_body_size):
            raise ContentTooLarge
    except ValueError:
        raise BadRequest("The Content-Length header is malformed.", code="malformed_content_length") from None
    return Body(transport, limits, media_types, encodings)


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
