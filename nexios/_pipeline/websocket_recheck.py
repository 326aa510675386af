"""May a WebSocket stay open? Whoever let it in is asked again, every so many seconds.

A handshake is answered once, and the conversation may last for days: meanwhile somebody signs out, is put out, or the
token runs out. Then the WebSocket is closed with 4401, and its client may come back with what it has now.

Who cannot be asked has not said no: a store that fails closes nothing, and is one line in the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from nexios.messages.clock import Timer
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import UNAUTHORIZED

__all__ = ["Recheck", "Rechecks"]

logger: logging.Logger = logging.getLogger("nexios")

_QUIET: Final = 600.0
"""Seconds between two lines in the log about failures: thousands of WebSockets ask."""


class Rechecks:
    """What the WebSockets of one middleware share: how often it is asked, and who was told of a failure.

    Units:  seconds for `interval`.
    """

    __slots__ = ("_quiet_until", "_reason", "interval", "tasks")

    def __init__(self, interval: float, reason: str) -> None:
        """`reason` goes into the close frame."""
        self.interval = interval
        self.tasks: set[asyncio.Task[None]] = set()
        """Those that ask or close now: an event loop itself does not keep them."""
        self._reason = reason
        self._quiet_until = float("-inf")

    def begin(self, websocket: WebSocket, holds: Callable[[WebSocket], Awaitable[bool]]) -> "Recheck":
        """Ask `holds` again and again once the WebSocket is accepted; the caller says when it is to `end`."""
        recheck = Recheck(self, websocket, holds)
        websocket.when_opened(recheck.opened)
        return recheck

    async def look(self, websocket: WebSocket, holds: Callable[[WebSocket], Awaitable[bool]]) -> bool:
        """Whether it may stay; closes it when it may not."""
        try:
            if await holds(websocket):
                return True
        except Exception as exc:
            self._note(websocket.clock.time(), exc)
            return True
        await websocket.close(UNAUTHORIZED, self._reason)
        return False

    def _note(self, now: float, exc: Exception) -> None:
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            logger.error("nobody can say whether WebSockets may stay open, so they stay", exc_info=exc)


class Recheck:
    """One WebSocket that is asked about: a timer, and a task while it is asked."""

    __slots__ = ("_holds", "_shared", "_task", "_timer", "_websocket")

    def __init__(self, shared: Rechecks, websocket: WebSocket, holds: Callable[[WebSocket], Awaitable[bool]]) -> None:
        self._shared = shared
        self._websocket = websocket
        self._holds = holds
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None

    async def opened(self, websocket: WebSocket) -> None:
        """Wait for the first time."""
        self._wait()

    def end(self) -> None:
        """Ask no more. A close that has begun goes on."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and self._websocket.is_open:
            self._task.cancel()

    def _wait(self) -> None:
        self._timer = self._websocket.clock.call_later(self._shared.interval, self._start)

    def _start(self) -> None:
        if self._websocket.is_open:
            self._task = asyncio.ensure_future(self._look())
            self._shared.tasks.add(self._task)
            self._task.add_done_callback(self._shared.tasks.discard)

    async def _look(self) -> None:
        if await self._shared.look(self._websocket, self._holds):
            self._wait()
