"""What tells the time, and wakes us later? Whatever has these two functions: the event loop, or a fake in a test."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Clock", "Timer", "sleep"]


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come."""


class Clock(Protocol):
    """Seconds that only go forward, from any beginning. An event loop is one."""

    def time(self) -> float:
        """Return the seconds now."""

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Call a function in `delay` seconds."""


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait until the clock is `seconds` further on."""
    woken = asyncio.get_running_loop().create_future()
    timer = clock.call_later(seconds, _wake, woken)
    try:
        await woken
    finally:
        timer.cancel()


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
