"""When does a store that lives in a database remove what has expired? After a write, now and then, beside the requests.

Where nothing is written nothing piles up, so there is no timer and no task that waits.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from nexios.stores.base import StoreUnavailable

__all__ = ["BATCH", "Sweeper"]

BATCH: Final = 1000
"""Entries that one statement removes: a few milliseconds of the database, then others have their turn."""

_logger = logging.getLogger("nexios")


class Sweeper:
    """Calls `sweep` at most every `interval` seconds, and again at once while it removes `BATCH` entries.

    One per store. `sweep` returns how many entries it removed.
    """

    def __init__(self, sweep: Callable[[], Awaitable[int]], *, interval: float, clock: Callable[[], float]) -> None:
        self._sweep = sweep
        self._interval = interval
        self._clock = clock
        self._last = clock()
        self._task: asyncio.Task[None] | None = None

    def written(self) -> None:
        """Something was written: sweep if it is time."""
        now = self._clock()
        if self._task is None and not self._last <= now < self._last + self._interval:
            self._last = now
            self._task = asyncio.create_task(self._run(), name="nexios-store-sweep")
            self._task.add_done_callback(self._done)

    async def idle(self) -> None:
        """Wait until no sweep is under way."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def stop(self) -> None:
        """Break off a sweep that is under way."""
        if self._task is not None:
            self._task.cancel()
            await self.idle()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _logger.error("a store could not remove what has expired", exc_info=error)

    async def _run(self) -> None:
        try:
            while await self._sweep() >= BATCH:
                pass
        except StoreUnavailable as exc:
            _logger.warning("a store could not remove what has expired, and will try again: %s", exc.__cause__ or exc)
