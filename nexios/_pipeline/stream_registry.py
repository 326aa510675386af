"""Which live streams does this process send, and how do they end before the server's patience does?

Each app has one register. A server that stops waits for what is still being sent, and tells the application last: by
then it would be too late for a stream that goes on for days. So from the first one on, the app hears of
the signals that stop a server, see `stop_signals.py`. Event streams end at once, and their clients come back; JSON
Lines have some time to end, and are broken off then.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from nexios.errors import ServiceUnavailable
from nexios.messages.clock import Clock
from nexios.messages.live import LiveStream

__all__ = ["OpenStreams"]

_GRACE: Final = 5.0
"""Seconds until those are broken off that cannot end before their last item."""


class OpenStreams:
    """The live streams of one app; one register per process.

    >>> len(OpenStreams())
    0
    """

    __slots__ = ("_emptied", "_open", "_timer", "_watch", "clock", "is_leaving")

    def __init__(self, watch: Callable[[], object] = lambda: None) -> None:
        """`watch` is called for each stream: it makes sure that `leave` is called when the process is told to stop."""
        self._open: set[LiveStream] = set()
        self._emptied: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watch = watch
        self.clock: Clock | None = None
        """What their signs of life go by; None is the event loop."""
        self.is_leaving: bool = False
        """Whether the app stops."""

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[LiveStream]:
        return iter(tuple(self._open))

    def check(self, limit: int | None) -> None:
        """Is there room for one more?

        Raises:
            ServiceUnavailable: There are `limit` of them already, or the app stops.
        """
        if self.is_leaving or (limit is not None and len(self._open) >= limit):
            raise ServiceUnavailable

    def add(self, stream: LiveStream, limit: int | None) -> None:
        """Count a stream. Raises `ServiceUnavailable`."""
        self.check(limit)
        self._open.add(stream)
        self._watch()

    def remove(self, stream: LiveStream) -> None:
        """Forget a stream that is over, or was never counted."""
        self._open.discard(stream)
        if self._emptied is not None and not self._open:
            self._emptied.set()

    def leave(self, grace: float = _GRACE) -> None:
        """Let every stream end that can, the others after `grace` seconds, and let no new one begin."""
        if self.is_leaving:
            return
        self.is_leaving = True
        for stream in self:
            stream.end()
        self._timer = asyncio.get_running_loop().call_later(grace, self._break_off, grace)

    async def end_all(self, *, grace: float = _GRACE) -> None:
        """Do the same, and wait until all are over, for one second more at most."""
        try:
            self.leave(grace)
            if self._open:
                self._emptied = asyncio.Event()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace + 1):
                        await self._emptied.wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._emptied = self._timer = None
            self.is_leaving = False

    def _break_off(self, grace: float) -> None:
        """No more patience."""
        for stream in self:
            stream.break_off(RuntimeError(f"the app stops, and the stream did not end within {grace:g} s"))
