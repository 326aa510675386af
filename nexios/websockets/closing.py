"""How does a hub close a WebSocket that did not ask for it: one that is too slow, fails, or has to go?"""

import asyncio
import logging
from typing import Final

from nexios.concurrency import BackgroundTasks
from nexios.messages.clock import Clock
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import INTERNAL_ERROR, WebSocketDisconnect
from nexios.websockets.outbox import TooSlow

__all__ = ["TRY_AGAIN_LATER", "Closing"]

TRY_AGAIN_LATER: Final = 1013
"""A close code of the registry of IANA."""

_QUIET: Final = 60.0
"""Seconds between two lines in the log about slow members: a crowd of them must not flood it."""

_logger = logging.getLogger("nexios")


class Closing:
    """Closes the WebSockets of one hub, each in a task of its own, for which `timeout` seconds are enough."""

    __slots__ = ("_clock", "_quiet_until", "_slow", "_tasks", "_timeout")

    def __init__(self, tasks: BackgroundTasks, clock: Clock, timeout: float) -> None:
        self._tasks = tasks
        self._clock = clock
        self._timeout = timeout
        self._quiet_until = float("-inf")
        self._slow = 0

    def failed(self, websocket: WebSocket, exc: Exception) -> None:
        """It cannot be written to: close it when it is only too slow, or the server has a bug."""
        if isinstance(exc, TooSlow):
            self._note_slow(exc)
            self.soon(websocket, TRY_AGAIN_LATER, "too slow")
        elif not isinstance(exc, WebSocketDisconnect | OSError):
            _logger.warning("a member of a channel could not be written to", exc_info=exc)
            self.soon(websocket, INTERNAL_ERROR, "")

    def soon(self, websocket: WebSocket, code: int, reason: str) -> "asyncio.Task[object]":
        """Close a WebSocket in a task."""
        return self._tasks.spawn(self._close(websocket, code, reason), name="nexios-channel-close")

    async def _close(self, websocket: WebSocket, code: int, reason: str) -> None:
        """A client that reads nothing may keep its close frame from being written: then it is left to the server."""
        task = asyncio.current_task()
        timer = self._clock.call_later(self._timeout, task.cancel) if task is not None else None
        try:
            await websocket.close(code, reason)
        finally:
            if timer is not None:
                timer.cancel()

    def _note_slow(self, exc: TooSlow) -> None:
        """One line a minute."""
        self._slow += 1
        if self._clock.time() >= self._quiet_until:
            _logger.warning("%d slow member(s) of channels were closed; the last: %s", self._slow, exc)
            self._slow = 0
            self._quiet_until = self._clock.time() + _QUIET
