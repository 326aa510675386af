"""How is a body read? Once, within limits, and never taken for whole when the client left half way."""

import asyncio
from collections.abc import AsyncIterator

from nexios.errors import BadRequest, BodyConsumed, ContentTooLarge, HTTPException, RequestTimeout, UnsupportedMediaType
from nexios.http.framing import parse_content_length
from nexios.messages.patience import within
from nexios.messages.transport import HTTPTransport
from nexios.settings import Limits

__all__ = ["Body"]

_TURNS_OF_A_READ = 10
"""How often the event loop turns until two messages that are there have come up through the transport's tasks."""
_CHUNKS_A_TURN = 256
"""After so many chunks the event loop gets a turn, so that a body in tiny pieces cannot hold it."""


class Body:
    """The body of one request: unread, streamed, or kept whole.

    Bytes are counted as they arrive; Content-Length only serves to refuse early.
    """

    __slots__ = ("_chunks", "_disconnect", "_kept", "_limits", "_received", "_refusal", "_streamed", "_transport")

    def __init__(self, transport: HTTPTransport, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        self._kept: bytes | None = None
        self._received = 0
        self._chunks = 0
        self._streamed = False
        self._refusal: HTTPException | None = None
        self._disconnect: asyncio.Future[None] | None = None
        self._refuse_by_length()

    def _refuse_by_length(self) -> None:
        try:
            length = parse_content_length(self._transport.header_values("content-length"))
        except ValueError:
            raise BadRequest("The Content-Length header is malformed.", code="malformed_content_length") from None
        limit = self._limits.max_body_size
        if length is not None and limit is not None and length > limit:
            raise ContentTooLarge

    def refuse_compressed(self) -> None:
        """A body is never inflated here: a few bytes can stand for gigabytes. `stream` gives it as it came."""
        for encoding in self._transport.header_values("content-encoding"):
            if encoding.lower() not in ("", "identity"):
                raise UnsupportedMediaType("A compressed request body is not read here.")

    async def read(self) -> bytes:
        """Return the whole body, and keep it."""
        if self._kept is None:
            self.refuse_compressed()
            self._begin()
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
        try:
            chunk = await within(self._transport.next_chunk(), self._limits.body_read_timeout)
        except TimeoutError:
            raise self._refuse(RequestTimeout()) from None
        if chunk is not None:
            self._received += len(chunk)
            self._chunks += 1
            if not self._chunks % _CHUNKS_A_TURN:
                await asyncio.sleep(0)
            limit = self._limits.max_body_size
            if limit is not None and self._received > limit:
                raise self._refuse(ContentTooLarge())
        return chunk

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


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
