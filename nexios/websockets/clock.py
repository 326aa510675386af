"""What time is it for channels, and how does one wait? Asked of a clock that a test can replace.

`SystemClock` is that of the running event loop, `ManualClock` stands still until a test moves it.
Both are a `Clock` of nexios/messages/clock.py.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Any, Final

from nexios.messages.clock import Clock, Timer, sleep

__all__ = ["Clock", "ManualClock", "ReplaceableClock", "SystemClock", "Timer", "sleep"]

_TURNS: Final = 20
"""Turns of the event loop after each call of a manual clock: for tasks that wait for each other, not for time."""


class SystemClock:
    """The clock of whichever event loop runs. Has no state; safe to share."""

    __slots__ = ()

    def time(self) -> float:
        """Return the seconds of the event loop's clock."""
        return asyncio.get_running_loop().time()

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Make a call in `delay` seconds."""
        return asyncio.get_running_loop().call_later(delay, callback, *args)


class ReplaceableClock:
    """The clock of a hub, for all its parts: a test puts another one in its place."""

    __slots__ = ("current",)

    def __init__(self, current: Clock) -> None:
        self.current: Clock = current

    def time(self) -> float:
        """Return the seconds of the current clock."""
        return self.current.time()

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Make a call when the current clock is `delay` seconds further on."""
        return self.current.call_later(delay, callback, *args)


class _Call:
    """A call that a `ManualClock` will make, unless it is cancelled."""

    __slots__ = ("args", "callback")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., Any] | None = callback
        self.args = args

    def cancel(self) -> None:
        """Never make it. Cancelling again does nothing."""
        self.callback, self.args = None, ()


class ManualClock:
    """A clock for tests: time passes only in `advance`.

    >>> clock = ManualClock()
    >>> timer = clock.call_later(5, print, "five seconds later")
    >>> clock.time(), clock.waiting
    (0.0, 1)
    >>> asyncio.run(clock.advance(7.5))
    five seconds later
    >>> clock.time(), clock.waiting
    (7.5, 0)
    """

    __slots__ = ("_calls", "_numbers", "_time")

    def __init__(self) -> None:
        self._time = 0.0
        self._calls: list[tuple[float, int, _Call]] = []
        self._numbers = itertools.count()

    @property
    def waiting(self) -> int:
        """How many calls and sleeps are to come: 0 shows that none was left behind."""
        return sum(call.callback is not None for _, _, call in self._calls)

    def time(self) -> float:
        """Return the seconds since this clock was made."""
        return self._time

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Make a call when `advance` has gone so far."""
        call = _Call(callback, args)
        heapq.heappush(self._calls, (self._time + max(delay, 0.0), next(self._numbers), call))
        return call

    async def advance(self, seconds: float) -> None:
        """Let time pass: make each call that is due, at its time, and let the tasks run that it wakes."""
        end = self._time + seconds
        await _settle()
        while self._calls and self._calls[0][0] <= end:
            self._time, _, call = heapq.heappop(self._calls)
            callback, args = call.callback, call.args
            call.cancel()
            if callback is not None:
                callback(*args)
                await _settle()
        self._time = end
        await _settle()


async def _settle() -> None:
    """Let tasks run until those that wait for each other have had their turns."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
