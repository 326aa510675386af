"""How does code that has no WebSocket read a channel? As an async iterator, which server-sent events are made of.

async with app.channel("room:1").listen(last_seen=17) as feed:
    async for message in feed:
        ...
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from nexios.websockets.message import Message
from nexios.websockets.outbox import Counters, OutboxLimits, TooSlow

__all__ = ["Feed"]


class Feed:
    """The messages of one channel for one reader, from `async with` to its end.

    Iterating without `async with` works as well; then `aclose` ends it. The reader is held to the
    limits of an outbox: one that is too slow gets `TooSlow`, or loses messages, as the policy says. The
    iteration ends when the hub stops. `missed` says that messages after `last_seen` are gone.
    """

    __slots__ = (
        "_close",
        "_counters",
        "_entered",
        "_is_over",
        "_limits",
        "_open",
        "_queue",
        "_size",
        "_too_slow",
        "_waiter",
        "begins_after",
        "is_in_room",
        "missed",
        "names",
    )

    def __init__(
        self,
        open_feed: Callable[["Feed"], Awaitable[None]],
        close_feed: Callable[["Feed"], None],
        *,
        limits: OutboxLimits,
        counters: Counters,
    ) -> None:
        self._open = open_feed
        self._close = close_feed
        self._limits = limits
        self._counters = counters
        self._queue: deque[Message] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._entered = False
        self._is_over = False
        self._too_slow = False
        self.names: tuple[str, ...] = ()
        """Who reads it: the name of a user, and the id of its presence."""
        self.missed: bool = False
        self.begins_after: int | None = None
        """The number after which it gets everything, where there is no message yet to tell it."""
        self.is_in_room: bool = False
        """Whether there is a room to go out of."""

    def __len__(self) -> int:
        """How many messages wait to be read."""
        return len(self._queue)

    async def __aenter__(self) -> Self:
        if not self._entered:
            self._entered = True
            await self._open(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        if not self._entered:
            await self.__aenter__()
        while not self._queue:
            if self._too_slow:
                raise TooSlow("this reader of a channel is too slow")
            if self._is_over:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        message = self._queue.popleft()
        self._size -= len(message.payload)
        self._counters.delivered += 1
        return message

    async def aclose(self) -> None:
        """End it. Ending again does nothing."""
        self.end()
        self._counters.dropped += len(self._queue)
        self._queue.clear()

    def replay(self, message: Message) -> None:
        """Take a message of the history, whatever the limits."""
        if self._is_over:
            return
        self._counters.queued += 1
        self._append(message)

    def put(self, message: Message) -> None:
        """Take a message, or do what the policy says of a reader that is too slow."""
        if self._is_over:
            return
        self._counters.queued += 1
        limits, queue = self._limits, self._queue
        while queue and (len(queue) >= limits.count or self._size + len(message.payload) > limits.size):
            self._counters.dropped += 1
            if limits.policy == "drop_new":
                return
            if limits.policy != "drop_oldest":
                self._too_slow = True
                self.end()
                return
            self._size -= len(queue.popleft().payload)
        self._append(message)

    def end(self) -> None:
        """Let the iteration end after what is there."""
        if not self._is_over:
            self._is_over = True
            if self._entered:
                self._close(self)
            self._wake()

    def _append(self, message: Message) -> None:
        """Queue a message, and wake the reader."""
        self._queue.append(message)
        self._size += len(message.payload)
        self._wake()

    def _wake(self) -> None:
        """Wake the reader, if it waits."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
