"""What comes of a source item by item, while the client listens? A live stream, which may last for days.

Its source runs in one task of its own, so that its context, its timeouts and its task groups are whole, and waiting for
the next item is not disturbed by what else happens: a sign of life is due, the client leaves, or the app stops. An
item is asked for when the one before has been sent.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import Any, Protocol

from nexios.concurrency import Threads
from nexios.messages.clock import Clock, Timer
from nexios.messages.content import LiveContent, close_source, in_threads

__all__ = ["LiveStream", "Streams"]


class Streams(Protocol):
    """The live streams that are open in this process, as the sender of one sees them."""

    @property
    def clock(self) -> Clock | None:
        """What their signs of life go by; None is the event loop."""

    def check(self, limit: int | None) -> None:
        """Raise `ServiceUnavailable` when there is no room for one more."""

    def add(self, stream: "LiveStream", limit: int | None) -> None:
        """Count one. Raises `ServiceUnavailable`."""

    def remove(self, stream: "LiveStream") -> None:
        """Forget one."""


class LiveStream:
    """One live stream to one client. `chunks` is used once; `close` ends whatever is left."""

    __slots__ = (
        "_beat_due",
        "_closing",
        "_content",
        "_failure",
        "_piece",
        "_sent_at",
        "_taken",
        "_timer",
        "_waiter",
        "_watches",
        "clock",
        "is_over",
        "owner",
        "pump",
    )

    def __init__(self, content: LiveContent) -> None:
        self._content = content
        self.clock: Clock = asyncio.get_running_loop()
        """What its time goes by."""
        self._piece: bytes | None = None
        self._taken: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: Timer | None = None
        self._sent_at = 0.0
        self._beat_due = False
        self._closing = False
        self._failure: Exception | None = None
        self._watches: list[Callable[[], None]] = []
        self.is_over: bool = False
        """Whether it was ended before its last item."""
        self.owner: asyncio.Task[Any] | None = None
        """The task that sends."""
        self.pump: asyncio.Task[None] | None = None
        """The task that the source runs in."""

    @property
    def may_end(self) -> bool:
        """Whether its client understands an end that comes before the last item."""
        return self._content.farewell is not None

    def end(self) -> None:
        """End with what is made already, if the client will know that there is more."""
        if self.may_end:
            self.is_over = True
            self._wake()

    def break_off(self, failure: Exception) -> None:
        """The app stops and waits no longer: let the client see that something is missing."""
        self._failure = failure
        self._wake()

    async def chunks(self, threads: Threads, clock: Clock | None) -> AsyncGenerator[bytes, None]:
        """Yield what is to be sent, each as soon as it is there."""
        self.owner = asyncio.current_task()
        if clock is not None:
            self.clock = clock
        try:
            if self._content.opening:
                yield self._content.opening
            self.pump = asyncio.create_task(self._run(threads), name="nexios-live-source")
            self.pump.add_done_callback(self._wake)
            self._sent()
            self._watches = [watch(self) for watch in self._content.watches]
            self._keep_alive()
            while (piece := await self._next()) is not None:
                yield piece
                self._sent()
            if self.is_over and self._content.farewell is not None:
                yield self._content.farewell()
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop the source, and wait until it is closed. Closing again does nothing.

        Raises:
            Exception: What the source raised.
        """
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        for stop in self._watches:
            stop()
        pump = self.pump
        if pump is None:
            await close_source(self._content.source)
            return
        pump.cancel()
        while not pump.done():
            await asyncio.wait((pump,))
        if not pump.cancelled() and (failure := pump.exception()) is not None:
            self.pump = None
            raise failure

    async def _next(self) -> bytes | None:
        """Wait for an item, for the end, or until a sign of life is due."""
        while True:
            if self._failure is not None:
                raise self._failure
            if self._piece is not None:
                piece, self._piece = self._piece, None
                return piece
            if self.is_over or self._is_exhausted():
                return None
            if self._beat_due:
                self._beat_due = False
                return self._content.beat
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _is_exhausted(self) -> bool:
        """Whether the source has ended. What it raised is raised when it is closed."""
        pump = self.pump
        if pump is None or not pump.done():
            return False
        if pump.cancelled():
            raise RuntimeError("the source of a stream was cancelled")
        return True

    def _sent(self) -> None:
        """What was given has been sent: the source may go on."""
        self._beat_due = False
        self._sent_at = self.clock.time()
        taken = self._taken
        if taken is not None and self._piece is None and not taken.done():
            taken.set_result(None)

    async def _run(self, threads: Threads) -> None:
        """Take item after item of the source, and close it, all in one task."""
        source, encode = self._content.source, self._content.encode
        items: AsyncIterator[Any]
        items = aiter(source) if isinstance(source, AsyncIterable) else in_threads(iter(source), threads)
        try:
            async for item in items:
                await self._hand_over(encode(item))
        finally:
            if items is not source:
                await close_source(items)
            await close_source(source)

    async def _hand_over(self, piece: bytes) -> None:
        """Give a piece to the task that sends, and wait until it was sent."""
        if self._closing:
            raise asyncio.CancelledError  # the source took the first one for its own
        self._piece = piece
        self._taken = asyncio.get_running_loop().create_future()
        self._wake()
        await self._taken

    def _keep_alive(self) -> None:
        """Was nothing sent for so long? Look again when a sign of life may be due next."""
        seconds = self._content.keep_alive
        if seconds is None or self._closing:
            return
        left = self._sent_at + seconds - self.clock.time()
        if left <= 0:
            self._beat_due = True
            self._wake()
            left = seconds
        self._timer = self.clock.call_later(left, self._keep_alive)

    def _wake(self, _: object = None) -> None:
        """Let the task that sends look again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
