"""Which WebSockets does this process serve, and how are they told that it stops?

Each app has one register. When the app stops, those that are open are closed with 1001, or 1012 when
it will be back at once; their handlers learn of it as of any other close, and have some time to end.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

from nexios.errors import ServiceUnavailable
from nexios.messages.clock import Clock
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import GOING_AWAY, SocketState

__all__ = ["OpenWebSockets"]

_REASON: Final = "the server stops"

_PATIENCE: Final = 1.0
"""Seconds that a client may take for its close frame; a server that has let go of it never says so."""


class OpenWebSockets:
    """The WebSockets of one app that somebody serves now; one per process.

    >>> len(OpenWebSockets())
    0
    """

    __slots__ = ("_emptied", "_open", "clock", "leaving")

    def __init__(self) -> None:
        self._open: set[WebSocket] = set()
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

    def remove(self, websocket: WebSocket) -> None:
        """Forget a WebSocket that is over, or was never counted."""
        self._open.discard(websocket)
        if self._emptied is not None and not self._open:
            self._emptied.set()

    async def close_all(self, code: int = GOING_AWAY, reason: str = _REASON, *, grace: float = 5.0) -> None:
        """Close every WebSocket, and wait until their handlers are done, `grace` seconds at most.

        A handshake that is not answered yet, and one that comes meanwhile, is denied with 503.
        """
        self.leaving = code
        try:
            if self._open:
                self._emptied = asyncio.Event()
                closing = [asyncio.ensure_future(_close(websocket, code, reason)) for websocket in self]
                ended = asyncio.ensure_future(self._emptied.wait())
                await asyncio.wait({ended}, timeout=grace)
                for task in (ended, *closing):
                    task.cancel()
                await asyncio.wait((ended, *closing))
        finally:
            self.leaving = self._emptied = None


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            if websocket.connection_state is SocketState.CONNECTING:
                await websocket.deny(503)
            else:
                await websocket.close(code, reason)
    except Exception:
        pass  # the connection is gone, or its server is
