"""How is a body read from ASGI messages while somebody else listens for the disconnect? By one read at a time.

Both come from one `receive`, and two calls of it at once would each take messages away from the other.
So a read belongs to the transport: whoever waits, waits for the same one, and it outlives who stops waiting.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from nexios.errors import ClientDisconnect
from nexios.messages.patience import Rest

__all__ = ["ASGIBody", "Ahead"]

_MAX_AHEAD: Final = 1024 * 1024
"""Bytes kept of a body that nobody has asked for yet; beyond them the disconnect has to wait, or the body to go."""


class Ahead:
    """What was read of a body before somebody waited for it. One per request, made when it is needed."""

    __slots__ = ("chunks", "dropped", "moved", "read", "size")

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.size = 0
        self.dropped = False
        self.read: asyncio.Future[None] | None = None
        self.moved = asyncio.Event()
        """Set when a chunk was taken or a read has ended, for those who could not read."""

    def add(self, chunk: bytes) -> None:
        """Keep the newest chunk."""
        self.chunks.append(chunk)
        self.size += len(chunk)

    def take(self) -> bytes:
        """The oldest chunk."""
        chunk = self.chunks.popleft()
        self.size -= len(chunk)
        self.moved.set()
        return chunk


class ASGIBody:
    """The reading side of an ASGI transport; a mixin, whose fields are the transport's."""

    __slots__ = tuple[str, ...]()  # empty; as a call, because mypy takes a literal for all that may be assigned

    _receive: Callable[[], Awaitable[MutableMapping[str, Any]]]
    started: bool
    _ended: bool
    _gone: bool
    _asked: bool
    """Whether the body has a reader."""
    _reading: bool
    """Whether that reader waits for `receive` itself."""
    _begun: Rest | None
    """The read that `_at_hand` has begun, for `next_chunk`."""
    _heard: bytes
    """What was heard of the body, and nobody has taken."""
    _ahead: Ahead | None

    def arrived(self) -> bytes | None:
        """The body when it is one message, which is there: servers mostly have it before they call the application."""
        if self._asked:
            return None
        self._asked = True
        body = self._at_hand()
        if body is not None:
            self._heard = b""
        return body

    def _at_hand(self) -> bytes | None:
        """The same, left where it is: who asks again gets it again."""
        if self._ended and self._ahead is None:
            return self._heard
        if self._ahead is not None or self._begun is not None or self._gone:
            return None
        steps = self._hear()
        for waiting in steps.__await__():  # a coroutine that returns nothing ends a loop without an exception
            self._reading = True
            self._begun = Rest(steps, waiting)
            return None
        if self._ended:
            return self._heard
        if self._heard:
            self._ahead = Ahead()
            self._ahead.add(self._taken())
        return None

    async def _hear(self) -> None:
        """Receive the next message, and leave what it has of the body in `_heard`."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._gone = True
        else:
            self._heard = message.get("body") or b""
            self._ended = not message.get("more_body")

    def _taken(self) -> bytes:
        heard, self._heard = self._heard, b""
        return heard

    async def next_chunk(self) -> bytes | None:
        """The next chunk, None after the last. Raises `ClientDisconnect`."""
        self._asked = True
        while True:
            ahead = self._ahead
            if ahead is not None and ahead.chunks:
                return ahead.take()
            if ahead is not None and ahead.dropped:
                raise RuntimeError("The request body was thrown away: read it before the response is streamed.")
            if self._ended:
                return self._taken() or None
            if self._gone:
                raise ClientDisconnect("the client left before the body was whole")
            if ahead is not None and ahead.read is not None:
                await self._arrival(ahead)
            elif body := await self._next_body():
                return body

    async def _next_body(self) -> bytes:
        self._reading = True
        begun, self._begun = self._begun, None
        try:
            await (begun or self._hear())
            return self._taken()
        finally:
            self._reading = False
            if self._ahead is not None:
                self._ahead.moved.set()

    async def disconnected(self) -> None:
        """Return when the client has gone. What arrives of the body meanwhile is kept for `next_chunk`.

        A body that gets long is left with the server until it is read, and thrown away when
        the response is sent already and nobody has begun to read it.
        """
        if self._ahead is None:
            self._ahead = Ahead()
        ahead = self._ahead
        while not self._gone:
            full = ahead.size > _MAX_AHEAD and not self._may_drop
            if self._reading or (full and ahead.read is None):
                ahead.moved.clear()
                await ahead.moved.wait()
            else:
                await self._arrival(ahead)

    @property
    def _may_drop(self) -> bool:
        return self.started and not self._asked

    async def _arrival(self, ahead: Ahead) -> None:
        """Wait for the read under way, or begin one; it goes on when who waits for it is cancelled."""
        if ahead.read is None:
            ahead.read = asyncio.ensure_future(self._hear())
        await asyncio.wait((ahead.read,))
        read = ahead.read
        if read is not None and read.done():
            ahead.read = None
            self._keep(ahead, read)
            ahead.moved.set()

    def _keep(self, ahead: Ahead, read: "asyncio.Future[None]") -> None:
        if read.cancelled() or read.exception() is not None:  # the server will tell nothing more
            self._gone = True
            return
        body = self._taken()
        if not body or ahead.dropped:
            return
        if ahead.size > _MAX_AHEAD and self._may_drop:
            ahead.dropped = True
            ahead.chunks.clear()
            return
        ahead.add(body)

    def stop_reading(self) -> None:
        """Let go of a read that waits for the client: nothing will be read any more."""
        if self._ahead is not None and self._ahead.read is not None:
            self._ahead.read.cancel()
