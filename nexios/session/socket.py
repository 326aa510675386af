"""Which session has a WebSocket, and is it still going?

It is the one that the handshake came with, to be read. While the WebSocket is open it is looked at again, if anybody
has read it: when it was ended or has run out, so has the right to stay. A message that the handler reads is a use of
the session, as a request is; an open page that says nothing is none, and neither is a heartbeat.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from nexios.messages.connection import Connection
from nexios.messages.session import Session
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_messages import Message
from nexios.session.kept import KeptSession

__all__ = ["SocketSession"]


class SocketSession:
    """The session of one WebSocket; opened when it is touched.

    `is_alive(session, used)` says whether it goes on, and notes the use of it.
    """

    __slots__ = ("_is_alive", "_listens", "_open", "_session", "_used")

    def __init__(
        self,
        open_it: Callable[[Connection[Any]], KeptSession],
        is_alive: Callable[[KeptSession, bool], Awaitable[bool]],
    ) -> None:
        self._open = open_it
        self._is_alive = is_alive
        self._session: KeptSession | None = None
        self._listens = False
        self._used = False

    def open(self, connection: Connection[Any]) -> Session:
        """Return the session, and remember that there is somebody who depends on it."""
        self._session = self._open(connection)
        return self._session

    async def holds(self, websocket: WebSocket) -> bool:
        """Whether the WebSocket may stay, as far as its session is concerned."""
        session = self._session
        if session is None or session.is_new:
            return True
        if not self._listens:  # not earlier: the heartbeat takes its own messages out before
            self._listens = True
            websocket.intercept(self._hear)
        used, self._used = self._used, False
        return await self._is_alive(session, used)

    def _hear(self, message: Message) -> Message:
        self._used = True
        return message
