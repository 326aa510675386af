"""Which WebSockets does this process serve, and how are they told that it stops?

Each app has one register. When the app stops, those that are open are closed with 1001, or with 1012 when another
process takes its place at once; their handlers learn of it as of any other close, and have some time to end.

Servers break WebSockets off, or close them with a code of their own, before they tell the application that they stop.
So from the first one on, the app hears of the signals that stop a server, see `stop_signals.py`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Final

from nexios.errors import ServiceUnavailable
from nexios.messages.clock import Clock
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import GOING_AWAY, SERVICE_RESTART, SocketState

__all__ = ["OpenWebSockets"]

_REASONS: Final = {GOING_AWAY: "the server stops", SERVICE_RESTART: "the server restarts"}

_PATIENCE: Final = 1.0
"""Seconds that a client may take for its close frame; a server that has let go of it never says so."""


class OpenWebSockets:
    """The WebSockets of one app that somebody serves now; one per process.

    >>> len(OpenWebSockets())
    0
    """

    __slots__ = ("_closing", "_emptied", "_open", "_restarts", "_watch", "clock", "leaving")

    def __init__(
        self, restarts: Callable[[], bool] = lambda: False, watch: Callable[[], object] = lambda: None
    ) -> None:
        """`restarts` says whether another process takes the place of this one.

        `watch` is called for each WebSocket: it makes sure that `leave` is called when the process is told to stop.
        """
        self._restarts = restarts
        self._watch = watch
        self._open: set[WebSocket] = set()
        self._closing: list[asyncio.Future[None]] = []
        self._emptied: asyncio.Event | None = None
        self.clock: Clock | None = None
        """What their timeouts go by; None is the event loop."""
        self.leaving: int | None = None
        """The code that they are closed with while the app stops."""

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[WebSocket]:
        return iter(tuple(self._open))

    def add(self, websocket: WebSocket, limit: int | None) -> None:
        """Count a WebSocket.

        Raises:
            ServiceUnavailable: There are `limit` of them already, or the app stops.
        """
        if self.leaving is not None or (limit is not None and len(self._open) >= limit):
            raise ServiceUnavailable
        self._open.add(websocket)
        self._watch()

    def remove(self, websocket: WebSocket) -> None:
        """Forget a WebSocket that is over, or was never counted."""
        self._open.discard(websocket)
        if self._emptied is not None and not self._open:
            self._emptied.set()

    def leave(self) -> Collection["asyncio.Future[None]"]:
        """Begin to close every WebSocket, and let no new one in; return what closes them. Leaving again begins nothing.

        A handshake that is not answered yet, and one that comes from now on, is denied with 503.
        """
        if self.leaving is None:
            code = self.leaving = SERVICE_RESTART if self._restarts() else GOING_AWAY
            self._closing = [asyncio.ensure_future(_close(websocket, code, _REASONS[code])) for websocket in self]
        return self._closing

    async def close_all(self, *, grace: float = 5.0) -> None:
        """Leave, and wait until all handlers are done, `grace` seconds at most. New ones are let in afterwards."""
        try:
            self.leave()
            if self._open:
                self._emptied = asyncio.Event()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace):
                        await self._emptied.wait()
            for task in self._closing:
                task.cancel()
            if self._closing:
                await asyncio.wait(self._closing)
        finally:
            self._closing, self.leaving, self._emptied = [], None, None


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            if websocket.connection_state is SocketState.CONNECTING:
                await websocket.deny(503)
            else:
                await websocket.close(code, reason)
    except Exception:
        pass  # the connection is gone, or its server is
