"""What does a WebSocket handler talk to? One WebSocket: accept it, read and write messages, close it.

Which step is legal when stands in `websocket_state.py`. One task reads; any task may write or close.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, Self, TypeVar

from nexios.errors import ClientDisconnect
from nexios.http.headers import Headers, check_value
from nexios.http.query import QueryParams
from nexios.http.url import URL, quote_path
from nexios.messages.clock import Clock, sleep
from nexios.messages.connection import Connection, Outside
from nexios.messages.identity import Identity
from nexios.messages.session import Session, SessionOpener
from nexios.messages.state import PathParams, State
from nexios.messages.transport import DirectSend, WebSocketTransport
from nexios.messages.websocket_context import WebSocketContext
from nexios.messages.websocket_conversation import Conversation
from nexios.messages.websocket_messages import (
    Message,
    Pace,
    handshake_headers,
    size_of,
)
from nexios.messages.websocket_state import (
    ABNORMAL,
    TIMEOUT,
    TOO_BIG,
    Action,
    BadMessage,
    Effect,
    SocketState,
    WebSocketDisconnect,
    WebSocketStateError,
    check_close,
    effect_of,
)
from nexios.settings import BadMessages, Limits

__all__ = ["BadMessage", "Intercept", "WebSocket", "WebSocketContext", "WebSocketDisconnect"]

T = TypeVar("T", str, bytes)
V = TypeVar("V")
P = ParamSpec("P")

Intercept = Callable[[Message], Message | None]
"""Sees each message before whoever reads it; gives what is read in its place, or None for nothing at all."""


class WebSocket(Connection[WebSocketTransport], Conversation):
    """One WebSocket, from handshake to close; given to the handler that matches its path.

    Lives until the handler returns, and is closed then if it is still open.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_closed",
        "_context",
        "_cookies",
        "_expired",
        "_headers",
        "_id",
        "_identity",
        "_intercepts",
        "_limits",
        "_on_end",
        "_on_open",
        "_outside",
        "_pace",
        "_query",
        "_reader",
        "_rest",
        "_scopes",
        "_session",
        "_session_opener",
        "_state",
        "_transport",
        "_url",
        "_woken",
        "bad_messages",
        "close_code",
        "close_reason",
        "connection_state",
        "has_opened",
        "path",
        "path_params",
        "root_path",
        "subprotocol",
    )

    def __init__(
        self,
        transport: WebSocketTransport,
        context: WebSocketContext,
        limits: Limits,
        *,
        path_params: Mapping[str, Any] | None = None,
        bad_messages: BadMessages = "answer",
        clock: Clock | None = None,
    ) -> None:
        self._transport = transport
        self._context = context
        self._limits = limits
        self.path: str = transport.path
        self.root_path: str = transport.root_path
        self.path_params: PathParams = PathParams(path_params or {})
        self.connection_state: SocketState = SocketState.CONNECTING
        self.subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason: str = ""
        self.bad_messages: BadMessages = bad_messages
        self._headers: Headers | None = None
        self._cookies: dict[str, str] | None = None
        self._query: QueryParams | None = None
        self._url: URL | None = None
        self._state: State | None = None
        self._id: str | None = None
        self._outside: Outside | None = None
        self._session: Session | None = None
        self._session_opener: SessionOpener | None = None
        self._identity: Identity | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._woken = False
        self._expired = False
        self._closed: asyncio.Event | None = None
        self._clock = clock
        self._pace: Pace | None = None
        self._intercepts: tuple[Intercept, ...] = ()
        self._scopes: Any = None
        self._rest: str = self.path
        self._on_end: tuple[Callable[[], object], ...] = ()
        self._on_open: tuple[Callable[[WebSocket], Awaitable[None]], ...] = ()
        self.has_opened: bool = False

    @property
    def app(self) -> Any:
        """The application that serves the WebSocket."""
        return self._context.app

    @property
    def _path_params(self) -> PathParams:
        """As a request calls them, for what reads the head of either."""
        return self.path_params

    @property
    def limits(self) -> Limits:
        """The limits in force: the route's, its router's or the app's."""
        return self._limits

    @property
    def clock(self) -> Clock:
        """What its timeouts go by: the event loop, unless a test said otherwise."""
        return self._clock or asyncio.get_running_loop()

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers, best first."""
        return self._transport.subprotocols

    @property
    def is_open(self) -> bool:
        """Whether messages can go both ways, as far as we know."""
        return self.connection_state is SocketState.OPEN

    @property
    def is_over(self) -> bool:
        """Whether the conversation has ended, or never began because it was denied."""
        return self.connection_state not in (SocketState.CONNECTING, SocketState.OPEN)

    def url_for(self, name: str, /, **params: Any) -> str:
        """Return the path of the route called `name`, percent-encoded. Raises `NoSuchRoute`."""
        return quote_path(self.root_path).removesuffix("/") + self._context.url_path_for(name, params)

    async def accept(self, subprotocol: str | None = None, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Complete the handshake, with one of the `subprotocols` if they are used.

        Raises:
            ValueError: The client did not offer that subprotocol (RFC 6455 section 4.2.2).
            InvalidHeader: A header may not be sent, or is the handshake's own.
            UnsupportedByServer: RSGI servers send neither a subprotocol nor headers.
            WebSocketDisconnect: The client has gone meanwhile.
        """
        pairs = handshake_headers(headers)
        if subprotocol is not None and check_value(subprotocol) not in self.subprotocols:
            raise ValueError(f"the client did not offer the subprotocol {subprotocol!r}; see websocket.subprotocols")
        self._check("accept")
        self.connection_state = SocketState.OPEN  # at once: a second accept must never reach the server
        try:
            await self._transport.accept(subprotocol=subprotocol, headers=pairs)
        except ClientDisconnect as exc:
            raise self._lost() from exc
        except Exception:
            self.connection_state = SocketState.CONNECTING
            raise
        self.subprotocol = subprotocol
        if self._limits.max_messages_per_second is not None:
            self._pace = Pace(self._limits.max_messages_per_second, self.clock)
        self.has_opened = True
        for told in self._on_open:
            await told(self)

    async def deny(self, status: int = 403, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Refuse the handshake with an HTTP response; some servers send its status alone, or always 403.

        Does nothing when the client was denied already or has gone.

        Raises:
            ValueError: The status is not one from 300 to 599.
        """
        if not 300 <= status <= 599:
            raise ValueError(f"a handshake is denied with a status from 300 to 599, not {status}")
        pairs = [pair for pair in handshake_headers(headers) if pair[0] not in ("content-length", "transfer-encoding")]
        if effect_of("deny", self.connection_state) is Effect.NOTHING:
            return
        self.connection_state = SocketState.DENIED
        self._tell_end()
        try:
            await self._transport.deny(status, [*pairs, ("content-length", str(len(body)))], body)
        except ClientDisconnect:
            self.connection_state = SocketState.LEFT

    def when_opened(self, function: Callable[["WebSocket"], Awaitable[None]]) -> None:
        """Let an async function be called with the WebSocket as soon as it is accepted."""
        self._on_open = (*self._on_open, function)

    def on_end(self, callback: Callable[[], object]) -> None:
        """Call a function once, when the WebSocket is over: closed by either side, denied or broken. Now, if it is."""
        if self.connection_state in (SocketState.CONNECTING, SocketState.OPEN):
            self._on_end = (*self._on_end, callback)
        else:
            callback()

    @property
    def direct(self) -> DirectSend | None:
        """The server's own way to send, for who sends one message to many; good until `on_end` is called."""
        direct: DirectSend | None = getattr(self._transport, "direct", None)
        return direct

    def _tell_end(self) -> None:
        callbacks, self._on_end = self._on_end, ()
        for callback in callbacks:
            callback()

    def intercept(self, function: Intercept) -> None:
        """Let a function see each message first, after those that are there already: a heartbeat takes its pongs out.

        >>> def without_pongs(message):
        ...     return None if message == "pong" else message
        """
        self._intercepts = (*self._intercepts, function)

    async def receive(self) -> Message:
        """Return the next message, text or binary as it came.

        A message over `limits.max_message_size` closes the WebSocket with 1009, a silence of
        `limits.websocket_receive_timeout` with 3008. Over `limits.max_messages_per_second` it waits.

        Raises:
            WebSocketDisconnect: There is no next message.
            WebSocketStateError: It is not accepted, or another task is reading.
        """
        while True:
            self._check("receive")
            message = await self._next()
            if message is None:
                await self._over()
                raise self._disconnect()
            limit = self._limits.max_message_size
            if len(message) > limit or (isinstance(message, str) and size_of(message) > limit):
                await self.close(TOO_BIG, "the message is too big")
                raise self._disconnect()
            kept = self._intercepted(message) if self._intercepts else message
            if kept is not None:
                return kept

    async def send_text(self, text: str) -> None:
        """Send a text message.

        Some servers say nothing when the client has gone, so a task that sends for long
        should have another one that reads.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, by whichever side.
        """
        if not isinstance(text, str):
            raise TypeError(f"send_text() takes str, not {type(text).__name__}")
        await self._send(self._transport.send_text, text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message. Raises as `send_text`."""
        if not isinstance(data, bytes):
            raise TypeError(f"send_bytes() takes bytes, not {type(data).__name__}")
        await self._send(self._transport.send_bytes, data)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket, and wake the task that reads it. Closing again only waits for the first close.

        Before `accept` it denies the handshake with 403. Granian's RSGI sends neither code nor reason.

        Raises:
            ValueError: The code is reserved, or the reason is longer than 123 bytes of UTF-8.
        """
        check_close(code, reason)
        effect = effect_of("close", self.connection_state)
        if effect is Effect.DENY:
            await self.deny()
        elif effect is Effect.GO:
            self._end(SocketState.CLOSED, code, reason)
            closed = self._closed = asyncio.Event()
            self._wake()
            try:
                await self._transport.close(code, reason)
            except ClientDisconnect:
                pass  # both sides wanted the same
            finally:
                closed.set()
        elif self._closed is not None:
            await self._closed.wait()  # another task may be at it

    def __aiter__(self) -> Self:
        """Iterate over the messages until the WebSocket is closed: `async for message in websocket`."""
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.receive()
        except WebSocketDisconnect:
            raise StopAsyncIteration from None

    def __repr__(self) -> str:
        return f"<WebSocket {self.path!r} {self.connection_state.value}>"

    def _intercepted(self, message: Message) -> Message | None:
        kept: Message | None = message
        for function in self._intercepts:
            if kept is not None:
                kept = function(kept)
        return kept

    async def _send(self, send: Callable[[T], Awaitable[None]], data: T) -> None:
        self._check("send")
        try:
            await send(data)
        except ClientDisconnect as exc:
            raise self._lost() from exc

    async def _next(self) -> Message | None:
        """Wait for a message; None when the client closed, or when another task of ours did."""
        if self._reader is not None:
            raise WebSocketStateError("receive: another task is reading this WebSocket; let one task read")
        self._reader = task = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        timeout = self._limits.websocket_receive_timeout
        timer = None
        try:
            if self._pace is not None and (delay := self._pace.take()) > 0:
                await sleep(self.clock, delay)
            if timeout is not None:
                timer = self.clock.call_later(timeout, self._expire)
            return await self._transport.receive()
        except asyncio.CancelledError:
            if not self._woken or task is None or task.uncancel() > cancelling:
                raise
            return None
        finally:
            self._reader = None
            if timer is not None:
                timer.cancel()

    async def _over(self) -> None:
        """There is no next message: the client closed, or has said nothing for too long."""
        if self._expired:
            seconds = self._limits.websocket_receive_timeout
            await self.close(TIMEOUT, f"nothing was received for {seconds:g} s")
        else:
            self._end(SocketState.LEFT, self._transport.close_code, self._transport.close_reason)

    def _expire(self) -> None:
        self._expired = True
        self._wake()

    def _wake(self) -> None:
        """End a pending receive, in the way of `asyncio.timeout`.

        Granian's RSGI never ends one when we close, and its ASGI does not close while one is pending.
        """
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._woken = True
            self._reader.cancel()

    def _check(self, action: Action) -> None:
        if effect_of(action, self.connection_state) is Effect.DISCONNECT:
            raise self._disconnect()

    def _end(self, state: SocketState, code: int, reason: str) -> None:
        """The first end is the one that counts."""
        if self.close_code is None:
            self.connection_state, self.close_code, self.close_reason = state, code, reason
            self._tell_end()

    def _lost(self) -> WebSocketDisconnect:
        self._end(SocketState.LEFT, ABNORMAL, "")
        return self._disconnect()

    def _disconnect(self) -> WebSocketDisconnect:
        closed_here = self.connection_state is SocketState.CLOSED
        return WebSocketDisconnect(
            self.close_code or ABNORMAL, self.close_reason, initiator="server" if closed_here else "client"
        )
