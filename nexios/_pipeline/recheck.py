"""May a WebSocket or an event stream stay open? Whoever let it in is asked again, every so many seconds.

A handshake or a request is answered once, and the connection may last for days: meanwhile somebody signs out, is put
out, or the token runs out. Then the WebSocket is closed with 4401, and the event stream ends as it does when the app
stops: the client may come back with what it has now. An answer that has an end, however long it is, is left alone.

Who cannot be asked has not said no: a store that fails closes nothing, and is one line in the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol

import msgspec

from nexios.messages.clock import Clock, Timer
from nexios.messages.content import EndlessStream, LiveContent
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import UNAUTHORIZED

__all__ = ["Recheck", "Rechecks"]

logger: logging.Logger = logging.getLogger("nexios")

_QUIET: Final = 600.0
"""Seconds between two lines in the log about failures: thousands of connections ask."""

Holds = Callable[[], Awaitable[bool]]
"""Asks whether what let it in still holds."""


class _Connection(Protocol):
    """What may stay open or not."""

    @property
    def is_open(self) -> bool:
        """Whether it is."""

    @property
    def clock(self) -> Clock:
        """What its time goes by."""

    async def end(self) -> None:
        """Put an end to it."""


class _OpenWebSocket(msgspec.Struct, frozen=True):
    websocket: WebSocket
    reason: str

    @property
    def is_open(self) -> bool:
        return self.websocket.is_open

    @property
    def clock(self) -> Clock:
        return self.websocket.clock

    async def end(self) -> None:
        await self.websocket.close(UNAUTHORIZED, self.reason)


class _OpenEvents(msgspec.Struct, frozen=True):
    stream: EndlessStream

    @property
    def is_open(self) -> bool:
        return not self.stream.is_over

    @property
    def clock(self) -> Clock:
        return self.stream.clock

    async def end(self) -> None:
        self.stream.end()


class Rechecks:
    """What the connections of one middleware share: how often it is asked, and who was told of a failure.

    Units:  seconds for `interval`.
    """

    __slots__ = ("_quiet_until", "_reason", "interval", "tasks")

    def __init__(self, interval: float, reason: str) -> None:
        """`reason` goes into the close frame of WebSockets."""
        self.interval = interval
        self.tasks: set[asyncio.Task[None]] = set()
        """Those that ask or close now: an event loop itself does not keep them."""
        self._reason = reason
        self._quiet_until = float("-inf")

    def of_websocket(self, websocket: WebSocket, holds: Holds) -> "Recheck":
        """Ask again and again once the WebSocket is accepted; the caller says when it is to `stop`."""
        recheck = Recheck(self, _OpenWebSocket(websocket, self._reason), holds)

        async def opened(_: WebSocket) -> None:
            recheck.start()

        websocket.when_opened(opened)
        return recheck

    def of_answer(self, answer: Response, holds: Holds) -> None:
        """Ask again and again while the answer is sent, if it is an event stream."""
        content = answer.content
        if isinstance(content, LiveContent) and content.farewell is not None:
            watches = (*content.watches, partial(self._of_events, holds))
            answer.content = msgspec.structs.replace(content, watches=watches)

    def _of_events(self, holds: Holds, stream: EndlessStream) -> Callable[[], None]:
        recheck = Recheck(self, _OpenEvents(stream), holds)
        recheck.start()
        return recheck.stop

    async def may_stay(self, connection: _Connection, holds: Holds) -> bool:
        """Whether nobody says that it may not."""
        try:
            return await holds()
        except Exception as exc:
            self._note(connection.clock.time(), exc)
            return True

    def _note(self, now: float, exc: Exception) -> None:
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            logger.error("nobody can say whether open connections may stay, so they stay", exc_info=exc)


class Recheck:
    """One connection that is asked about: a timer, and a task while it is asked."""

    __slots__ = ("_connection", "_holds", "_is_ending", "_is_stopped", "_shared", "_task", "_timer")

    def __init__(self, shared: Rechecks, connection: _Connection, holds: Holds) -> None:
        self._shared = shared
        self._connection = connection
        self._holds = holds
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_ending = False
        self._is_stopped = False

    def start(self) -> None:
        """Wait for the next time."""
        if self._is_stopped:
            return
        self._timer = self._connection.clock.call_later(self._shared.interval, self._ask)

    def stop(self) -> None:
        """Ask no more. A close that has begun goes on."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._is_ending:
            self._task.cancel()

    def _ask(self) -> None:
        if self._connection.is_open:
            self._task = asyncio.ensure_future(self._look())
            self._shared.tasks.add(self._task)
            self._task.add_done_callback(self._shared.tasks.discard)

    async def _look(self) -> None:
        if await self._shared.may_stay(self._connection, self._holds):
            self.start()
        else:
            self._is_ending = True
            await self._connection.end()
