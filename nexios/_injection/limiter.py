"""How many values of a provider may there be at once? Who waits too long is sent away with 503."""

import asyncio
from math import ceil

from nexios.errors import ServiceUnavailable

__all__ = ["Limiter"]


class Limiter:
    """At most `limit` holders; one who waits longer than `wait` seconds gets `ServiceUnavailable`.

    Serves one event loop at a time.
    """

    __slots__ = ("_limit", "_loop", "_semaphore", "_wait")

    def __init__(self, limit: int, wait: float) -> None:
        self._limit = limit
        self._wait = wait
        self._loop: asyncio.AbstractEventLoop | None = None
        self._semaphore = asyncio.Semaphore(limit)

    async def acquire(self) -> None:
        """Take a place.

        Raises:
            ServiceUnavailable: None became free in time; Retry-After says when to come back.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._semaphore = loop, asyncio.Semaphore(self._limit)
        if not self._semaphore.locked():
            await self._semaphore.acquire()  # at once, and with no timer
            return
        try:
            async with asyncio.timeout(self._wait):
                await self._semaphore.acquire()
        except TimeoutError:
            raise ServiceUnavailable(retry_after=max(1, ceil(self._wait))) from None

    def release(self) -> None:
        """Give the place back."""
        self._semaphore.release()
