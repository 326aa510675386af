"""How does a message get to a thousand sockets without a task for each, and without waiting for any?

One task writes to the members, one after the other: a socket that takes a message at once costs one await. When a
send has to wait, that task becomes the writer of this one member, and a new task goes on with
the others: so there are as many writers as sockets that stand still, and none when all is well.

That a task waits is seen in the same turn of the event loop, by a callback right behind its step.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from nexios.websockets.message import Frame
from nexios.websockets.outbox import Counters, Outbox, Wrap

__all__ = ["Delivery"]

_TURN: Final = 1000
"""Messages that are written in one turn of the event loop; then other tasks come first."""


class Delivery:
    """The messages of one hub on their way to outboxes and sockets, in the order of `push`."""

    __slots__ = ("_counters", "_current", "_frame", "_items", "_late", "_left", "_loop", "_task", "_total", "_wrap")

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._items: deque[tuple[Frame, Sequence[Outbox], Wrap | None]] = deque()
        self._left: Iterator[Outbox] = iter(())
        self._frame: Frame | None = None
        self._current: Outbox | None = None
        self._wrap: Wrap | None = None
        self._total = 0
        self._late = 0
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def push(self, frame: Frame, outboxes: Sequence[Outbox], wrap: Wrap | None = None) -> None:
        """Begin to deliver a message. The sequence must not change any more; `wrap` is that of all of them."""
        if not outboxes:
            return
        self._counters.queued += len(outboxes)
        self._items.append((frame, outboxes, wrap))
        if self._task is None or self._task.done() or self._loop is not asyncio.get_running_loop():
            self._begin()

    def _begin(self) -> None:
        """Start the task that writes, and have it looked at right after its first step."""
        loop = self._loop = asyncio.get_running_loop()
        self._task = task = asyncio.Task(self._run(), loop=loop, name="nexios-delivery")  # never eager
        loop.call_soon(self._look, task)

    def _look(self, task: "asyncio.Task[None]") -> None:
        """The task has made a step. If it has not ended, it waits for the member it was at."""
        outbox = self._current
        if self._task is not task or outbox is None:
            return
        self._current = self._task = None
        self._late += 1
        if outbox.is_closed:
            task.cancel()
        else:
            outbox.taken_over(task)
        if self._frame is not None:
            self._begin()

    async def _run(self) -> None:
        """Write what is there, until there is no more, a send has waited, or the turn is over."""
        me = self._task
        left_in_turn = _TURN
        try:
            while self._next():
                left_in_turn -= self._total
                if not await self._write():
                    return
                if left_in_turn <= 0:
                    break
        finally:
            if self._task is me:
                self._task = self._current = None
        if self._task is None and (self._items or self._frame is not None):
            self._begin()

    def _next(self) -> bool:
        """Turn to the next message, unless one is under way."""
        if self._frame is None:
            if not self._items:
                return False
            self._frame, outboxes, self._wrap = self._items.popleft()
            self._left, self._total, self._late = iter(outboxes), len(outboxes), 0
        return True

    async def _write(self) -> bool:
        """Write the message to the members that are left; False when this task became the writer of one."""
        frame = self._frame
        if frame is None:
            return True
        data: Any = frame.data
        wrapped: Any = None if self._wrap is None else self._wrap(data)
        is_text = isinstance(data, str)
        for outbox in self._left:
            if outbox.busy:
                self._late += 1
                outbox.put(frame)
                continue
            self._current = outbox
            try:
                if wrapped is not None:
                    await outbox.send_direct(wrapped)
                elif is_text:
                    await outbox.socket.send_text(data)
                else:
                    await outbox.socket.send_bytes(data)
            except BaseException as exc:
                self._not_taken(outbox)
                if not isinstance(exc, Exception):
                    raise
                outbox.failed(exc)
                if self._current is outbox:
                    continue
                return False
            if self._current is not outbox:
                outbox.sent()
                await outbox.drain()
                return False
        self._counters.delivered += self._total - self._late
        self._frame, self._current = None, None
        return True

    def _not_taken(self, outbox: Outbox) -> None:
        """Count a message that its member did not get."""
        self._counters.dropped += 1
        if self._current is outbox:
            self._late += 1
