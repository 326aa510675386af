"""How do messages get into PostgreSQL? Those that come while it is busy go together, in one transaction.

It lets one transaction that notifies commit at a time, on the whole server, whatever the transaction has done: so one
for fifty messages is far cheaper than fifty.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.postgres_line import Line
from nexios.websockets.backends.postgres_notice import lane_of, topic_of, way_of
from nexios.websockets.backends.postgres_tables import Limits, Tables

__all__ = ["Publisher"]

_BATCH: Final = 50
_BATCH_SIZE: Final = 1024 * 1024
"""Messages and bytes that go into one transaction: others wait for its channels, and the server's table of locks is
shared by all (max_locks_per_transaction)."""


class _Waiting(NamedTuple):
    """A message that waits for its transaction, and who waits for its number."""

    topic: str
    channel: bytes
    body: bytes
    limits: Limits
    number: "asyncio.Future[int]"


class Publisher:
    """The messages of one process that are on their way. It has a task only while there are any."""

    def __init__(self, tables: Tables, lanes: tuple[str, ...], line: Callable[[], Awaitable[Line]]) -> None:
        self._tables = tables
        self._lanes = lanes
        self._line = line
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def publish(self, channel: str, body: bytes, limits: Limits) -> int:
        """Return the number of a message when it is published. Raises `BackendUnavailable`."""
        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(topic_of(channel), channel.encode(), body, limits, number))
        if self._task is None:
            self._task = asyncio.create_task(self._publish_all(), name="nexios-postgres-publish")
        return await number

    async def stop(self) -> None:
        """Publish no more; who waits is told."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
        _fail(self._waiting, None)
        self._waiting.clear()

    async def _publish_all(self) -> None:
        """Until nothing waits any more."""
        batch: list[_Waiting] = []
        try:
            while batch := self._take():
                try:
                    line = await self._line()
                    rows = await line.fetch_each(self._tables.publish, self._values(batch))
                except Exception as exc:
                    _fail(batch, exc)
                else:
                    for one, (number,) in zip(batch, rows, strict=True):
                        if not one.number.done():
                            one.number.set_result(number)
            self._task = None
        finally:
            _fail(batch, None)

    def _take(self) -> list[_Waiting]:
        """What goes together: sorted by channel, so that no two processes wait for each other's channels."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < _BATCH and size < _BATCH_SIZE:
            one = self._waiting.popleft()
            if not one.number.done():
                batch.append(one)
                size += len(one.body)
        return sorted(batch, key=lambda one: one.topic)

    def _values(self, batch: list[_Waiting]) -> list[tuple[object, ...]]:
        """The values of the statement for each message."""
        return [
            (self._lanes[lane_of(one.topic)], one.topic, way_of(one.body), serial, one.channel, one.body, *one.limits)
            for serial, one in enumerate(batch)
        ]


def _fail(batch: Iterable[_Waiting], cause: BaseException | None) -> None:
    """Tell all that wait; each is told by an exception of its own, which gathers a traceback of its own."""
    for one in batch:
        if not one.number.done():
            error = BackendUnavailable()
            error.__cause__ = cause
            one.number.set_exception(error)
