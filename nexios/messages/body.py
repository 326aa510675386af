"""How is a body read? Once, within limits, and never taken for whole when the client left half way."""

import asyncio
from collections.abc import AsyncIterator

from nexios.errors import BadRequest, BodyConsumed, ContentTooLarge, RequestTimeout, UnsupportedMediaType
from nexios.http.headers import Headers
from nexios.messages.transport import HTTPTransport
from nexios.settings import Limits

__all__ = ["Body"]

_MAX_LENGTH_DIGITS = 19
"""A Content-Length of more digits is over 2**63 bytes and nobody's honest request."""


class Body:
    """The body of one request: unread, streamed, or kept whole.

    Bytes are counted as they arrive; Content-Length only serves to refuse early.
    """

    __slots__ = ("_disconnect", "_kept", "_limits", "_streamed", "_transport")

    def __init__(self, transport: HTTPTransport, headers: Headers, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        self._kept: bytes | None = None
        self._streamed = False
        self._disconnect: asyncio.Future[None] | None = None
        self._refuse_by_length(headers)
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise UnsupportedMediaType("A compressed request body is not read here.")

    def _refuse_by_length(self, headers: Headers) -> None:
        """RFC 9110 section 8.6: ASCII digits; repeated equal values mean a broken peer, so they are refused."""
        lengths = headers.get_all("content-length")
        if not lengths:
            return
        text = lengths[0]
        if len(lengths) > 1 or not (text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS):
            raise BadRequest("The Content-Length header is malformed.", code="malformed_content_length")
        limit = self._limits.max_body_size
        if limit is not None and int(text) > limit:
            raise ContentTooLarge

    async def read(self) -> bytes:
        """Return the whole body, and keep it."""
        if self._kept is None:
            self._kept = b"".join([chunk async for chunk in self.stream()])
        return self._kept

    def stream(self) -> AsyncIterator[bytes]:
        """Return the chunks, from the wire the first time, from the kept body afterwards."""
        if self._kept is not None:
            return _one(self._kept)
        if self._streamed:
            raise BodyConsumed
        self._streamed = True
        return self._from_wire()

    async def _from_wire(self) -> AsyncIterator[bytes]:
        limit = self._limits.max_body_size
        timeout = self._limits.body_read_timeout
        received = 0
        chunks = aiter(self._transport.chunks())
        while True:
            try:
                async with asyncio.timeout(timeout):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise RequestTimeout from None
            if chunk is None:
                return
            received += len(chunk)
            if limit is not None and received > limit:
                raise ContentTooLarge
            yield chunk

    async def is_disconnected(self) -> bool:
        """Whether the client has gone; one turn of the event loop, no waiting."""
        if self._disconnect is None:
            self._disconnect = asyncio.ensure_future(self._transport.disconnected())
        if not self._disconnect.done():
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
