"""What does an issuer say of itself at present? A document at one place, kept, and read anew seldom.

However many requests want it, one reads and the others go on with what is known, or wait for that one where nothing
is. It is read in a task of its own: who leaves takes it from nobody, and leads to no further reading.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from nexios.errors import ServiceUnavailable

__all__ = ["DocumentUnavailable", "KeptDocument"]

Document = TypeVar("Document")

logger: logging.Logger = logging.getLogger("nexios")


class DocumentUnavailable(Exception):
    """A document that cannot be had, or is not what it has to be. The text is for a log."""


class KeptDocument(Generic[Document]):
    """A document that `read` gets, raising `DocumentUnavailable` where it cannot be had. Belongs to one event loop.

    Units:  seconds: it is read again after `fresh_for`, not more often than each `pause`, and kept for `stale_for`
            while it cannot be read. While there is none, it is tried again after 1 second, then 2, 4 and so on up to
            the pause. `clock` is monotonic.

    `complaint` is what the log says when it cannot be had.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Document]],
        *,
        fresh_for: float,
        stale_for: float,
        pause: float,
        clock: Callable[[], float],
        complaint: str,
    ) -> None:
        self._read = read
        self._fresh_for, self._stale_for, self._pause = fresh_for, stale_for, pause
        self._clock = clock
        self._complaint = complaint
        self._known: Document | None = None
        self._read_at = self._tried_at = float("-inf")
        self._failed = 0
        self._reading: asyncio.Task[None] | None = None

    async def current(self, suffices: Callable[[Document], bool] | None = None) -> Document:
        """Return what is known. Where that does not suffice, it is read anew first, unless it was a moment ago.

        Raises:
            ServiceUnavailable: Nothing is known, or only what was so long ago, and it cannot be read.
        """
        known = self._usable()
        lacks = known is None or (suffices is not None and not suffices(known))
        begins = self._reading is None and (lacks or not self._is_younger_than(self._fresh_for)) and self._may_try()
        if begins:
            self._reading = asyncio.create_task(self._refresh(), name="nexios-kept-document")
        if self._reading is not None and (begins or lacks):
            await asyncio.shield(self._reading)
            known = self._usable()
        if known is None:
            raise ServiceUnavailable
        return known

    def _usable(self) -> Document | None:
        return self._known if self._is_younger_than(self._stale_for) else None

    def _is_younger_than(self, age: float) -> bool:
        return self._clock() - self._read_at < age

    def _may_try(self) -> bool:
        pause = self._pause if self._usable() is not None else _pause_after(self._failed, self._pause)
        return self._clock() - self._tried_at >= pause

    async def _refresh(self) -> None:
        """Whatever goes wrong, what is known is kept."""
        try:
            self._known = await self._read()
        except DocumentUnavailable as exc:
            self._failed += 1
            logger.warning("%s: %s", self._complaint, exc)
        else:
            self._read_at = self._clock()
            self._failed = 0
        finally:
            self._tried_at = self._clock()
            self._reading = None


def _pause_after(failed: int, most: float) -> float:
    """Return for how many seconds nobody asks again after so many failures in a row.

    >>> [_pause_after(failed, 60) for failed in (1, 2, 3, 7)]
    [1.0, 2.0, 4.0, 60]
    """
    return min(most, 2.0 ** (min(failed, 32) - 1))
