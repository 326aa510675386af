"""Is the client still there? It is asked when it has been silent, and closed when it stays so.

    app.add_websocket_middleware(Heartbeat, interval=25, timeout=60)

Most servers send ping frames of their own, which no page sees; where they do not, or where a proxy answers in
the client's place, this asks the client itself: it gets {"type": "ping"} and answers {"type": "pong"}, or with
any other message. Neither reaches the handler. A page may send {"type": "ping"} as well, and gets its pong.

Only what is read counts, so some task has to receive.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from nexios._pipeline.websocket_chain import WebSocketCallNext, WebSocketMiddleware
from nexios.errors import BadRequest, ConfigurationError
from nexios.messages.clock import Timer
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_messages import Message
from nexios.messages.websocket_state import TIMEOUT
from nexios.serialization import decode_json, encode_json

__all__ = ["Heartbeat"]

logger: logging.Logger = logging.getLogger("nexios")

PING: Final = '{"type":"ping"}'
PONG: Final = '{"type":"pong"}'
_LONGEST: Final = 100
"""Characters of a message that may be one of the two, white space included."""


class Heartbeat(WebSocketMiddleware):
    """Asks clients that are silent for `interval` seconds, and closes with 3008 after `timeout` seconds of silence.

    Costs one timer for each WebSocket, and no task until there is something to send.

    Raises:
        ConfigurationError: The timeout is not longer than the interval, or the interval is not positive.
    """

    def __init__(self, *, interval: float = 25.0, timeout: float = 60.0) -> None:
        if not 0 < interval < timeout:
            raise ConfigurationError(
                f"Heartbeat(interval={interval!r}, timeout={timeout!r}): the interval is longer than 0 seconds, "
                "and the timeout longer than the interval."
            )
        self.interval: float = interval
        self.timeout: float = timeout

    async def __call__(self, websocket: WebSocket, call_next: WebSocketCallNext) -> None:
        """Watch the WebSocket from its beginning to its end."""
        beat = _Beat(websocket, self.interval, self.timeout)
        websocket.when_opened(beat.begin)
        try:
            await call_next()
        finally:
            beat.end()


class _Beat:
    """The silence of one client."""

    __slots__ = ("_clock", "_heard", "_interval", "_sending", "_timeout", "_timer", "_websocket")

    def __init__(self, websocket: WebSocket, interval: float, timeout: float) -> None:
        self._websocket = websocket
        self._interval = interval
        self._timeout = timeout
        self._clock = websocket.clock
        self._heard = 0.0
        self._timer: Timer | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def begin(self, websocket: WebSocket) -> None:
        """Start to listen and to look."""
        self._heard = self._clock.time()
        websocket.intercept(self._hear)
        self._timer = self._clock.call_later(self._interval, self._look)

    def end(self) -> None:
        """Stop looking and sending."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._sending:
            task.cancel()

    def _hear(self, message: Message) -> Message | None:
        """Note that the client is there; keep pings and pongs from the handler."""
        self._heard = self._clock.time()
        if isinstance(message, bytes) or len(message) > _LONGEST or '"type"' not in message:
            return message
        plain = _plain(message)
        if plain == PING:
            self._spawn(self._websocket.send_text, PONG)
        return None if plain in (PING, PONG) else message

    def _look(self) -> None:
        """Ask again at each interval of silence; what is not sent yet is not asked twice."""
        if not self._websocket.is_open:
            return
        silence = self._clock.time() - self._heard
        if silence >= self._timeout:
            reason = f"nothing was heard for {self._timeout:g} s"
            self._spawn(self._websocket.close, TIMEOUT, reason, alone=False)
            return
        if silence >= self._interval:
            self._spawn(self._websocket.send_text, PING)
        wait = self._interval - silence if silence < self._interval else self._interval
        self._timer = self._clock.call_later(min(wait, self._timeout - silence), self._look)

    def _spawn(self, send: Callable[..., Coroutine[Any, Any, None]], *arguments: object, alone: bool = True) -> None:
        """Send in a task; not when one is at it already, unless it need not be `alone`."""
        if self._sending and alone:
            return
        task = asyncio.ensure_future(_quietly(send, *arguments))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


def _plain(message: str) -> str:
    """Return a message without the white space around its members; what is no JSON as it is."""
    try:
        return encode_json(decode_json(message.encode("utf-8", "replace"), max_depth=2)).decode()
    except BadRequest:
        return message


async def _quietly(send: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
    """Whatever goes wrong with a heartbeat is of no interest to the handler."""
    try:
        await send(*arguments)
    except Exception:
        logger.debug("a heartbeat could not be sent", exc_info=True)
