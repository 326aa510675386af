"""A clock for what waits by the event loop: it goes on when a test says so, and timers with it."""

import asyncio

__all__ = ["LoopClock"]


class LoopClock:
    """The clock of the running loop, which a test sets forward."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        real, self._ahead = loop.time, 0.0
        loop.time = lambda: real() + self._ahead  # type: ignore[method-assign]

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; what is due then runs when the loop next turns."""
        self._ahead += seconds
