"""What does a WebSocket handler talk to? One WebSocket: accept it, read and write messages, close it.

Which step is legal when stands in `websocket_state.py`. One task reads; any task may write or close.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from nexios.errors import BadRequest, ClientDisconnect, InvalidHeader
from nexios.http.headers import Headers, check_name, check_value
from nexios.http.query import QueryParams
from nexios.http.url import URL, quote_path
from nexios.messages.connection import Connection
from nexios.messages.state import PathParams, State
from nexios.messages.transport import WebSocketTransport
from nexios.messages.websocket_state import (
    ABNORMAL,
    TOO_BIG,
    UNSUPPORTED_DATA,
    Action,
    BadMessage,
    Effect,
    SocketState,
    WebSocketDisconnect,
    WebSocketStateError,
    check_close,
    effect_of,
)
from nexios.serialization import decode_json, encode_json
from nexios.settings import Limits

__all__ = ["BadMessage", "WebSocket", "WebSocketContext", "WebSocketDisconnect"]

T = TypeVar("T", str, bytes)


class WebSocketContext(Protocol):
    """What a WebSocket asks of the application that serves it."""

    @property
    def app(self) -> Any:
        """The application, as in `websocket.app`."""

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        """The path of a named route."""


class WebSocket(Connection[WebSocketTransport]):
    """One WebSocket, from handshake to close; given to the handler that matches its path.

    Lives until the handler returns, and is closed then if it is still open.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_context",
        "_cookies",
        "_headers",
        "_id",
        "_limits",
        "_query",
        "_reader",
        "_state",
        "_transport",
        "_url",
        "_woken",
        "close_code",
        "close_reason",
        "connection_state",
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
        self._headers: Headers | None = None
        self._cookies: dict[str, str] | None = None
        self._query: QueryParams | None = None
        self._url: URL | None = None
        self._state: State | None = None
        self._id: str | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._woken = False
        self._closed = asyncio.Event()

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
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers, best first."""
        return self._transport.subprotocols

    @property
    def is_open(self) -> bool:
        """Whether messages can go both ways, as far as we know."""
        return self.connection_state is SocketState.OPEN

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
        pairs = _checked(headers)
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

    async def deny(self, status: int = 403, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Refuse the handshake with an HTTP response; some servers send its status alone, or always 403.

        Does nothing when the client was denied already or has gone.

        Raises:
            ValueError: The status is not one from 300 to 599.
        """
        if not 300 <= status <= 599:
            raise ValueError(f"a handshake is denied with a status from 300 to 599, not {status}")
        pairs = [pair for pair in _checked(headers) if pair[0] not in ("content-length", "transfer-encoding")]
        if effect_of("deny", self.connection_state) is Effect.NOTHING:
            return
        self.connection_state = SocketState.DENIED
        try:
            await self._transport.deny(status, [*pairs, ("content-length", str(len(body)))], body)
        except ClientDisconnect:
            self.connection_state = SocketState.LEFT

    async def receive(self) -> str | bytes:
        """Return the next message, text or binary as it came.

        A message over `limits.max_message_size` closes the WebSocket with 1009.

        Raises:
            WebSocketDisconnect: There is no next message.
            WebSocketStateError: It is not accepted, or another task is reading.
        """
        self._check("receive")
        message = await self._next()
        if message is None:
            self._end(SocketState.LEFT, self._transport.close_code, self._transport.close_reason)
            raise self._disconnect()
        limit = self._limits.max_message_size
        if len(message) > limit or (isinstance(message, str) and _size(message) > limit):
            await self.close(TOO_BIG, "the message is too big")
            raise self._disconnect()
        return message

    async def receive_text(self) -> str:
        """Return the next message. Raises as `receive`, and `BadMessage` when it is binary."""
        return _expect(str, await self.receive())

    async def receive_bytes(self) -> bytes:
        """Return the next message. Raises as `receive`, and `BadMessage` when it is text."""
        return _expect(bytes, await self.receive())

    async def receive_json(self) -> Any:
        """Return the value of the next message, text or binary. Raises as `receive`, and `BadMessage`."""
        message = await self.receive()
        data = message.encode("utf-8", "replace") if isinstance(message, str) else message
        try:
            return decode_json(data, max_depth=self._limits.max_json_depth)
        except BadRequest as exc:
            deep = exc.code == "json_too_deep"
            raise BadMessage("The message nests too deeply." if deep else "The message is not valid JSON.") from None

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

    async def send_json(self, value: object) -> None:
        """Send a value as JSON in a text message. Raises as `send_text`, and TypeError for what has no JSON form."""
        await self._send(self._transport.send_text, encode_json(value).decode())

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
            self._wake()
            try:
                await self._transport.close(code, reason)
            except ClientDisconnect:
                pass  # both sides wanted the same
            finally:
                self._closed.set()
        elif self.connection_state is SocketState.CLOSED:
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

    async def _send(self, send: Callable[[T], Awaitable[None]], data: T) -> None:
        self._check("send")
        try:
            await send(data)
        except ClientDisconnect as exc:
            raise self._lost() from exc

    async def _next(self) -> str | bytes | None:
        """Wait for a message; None when the client closed, or when another task of ours did."""
        if self._reader is not None:
            raise WebSocketStateError("receive: another task is reading this WebSocket; let one task read")
        self._reader = task = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        try:
            return await self._transport.receive()
        except asyncio.CancelledError:
            if not self._woken or task is None or task.uncancel() > cancelling:
                raise
            return None
        finally:
            self._reader = None

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

    def _lost(self) -> WebSocketDisconnect:
        self._end(SocketState.LEFT, ABNORMAL, "")
        return self._disconnect()

    def _disconnect(self) -> WebSocketDisconnect:
        closed_here = self.connection_state is SocketState.CLOSED
        return WebSocketDisconnect(
            self.close_code or ABNORMAL, self.close_reason, initiator="server" if closed_here else "client"
        )


def _expect(kind: type[T], message: str | bytes) -> T:
    if not isinstance(message, kind):
        words = "text was expected, not binary" if kind is str else "binary was expected, not text"
        raise BadMessage(f"The message is of the wrong kind: {words}.", code=UNSUPPORTED_DATA)
    return message


def _size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _checked(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = [(check_name(name), check_value(value)) for name, value in headers]
    for name, _ in pairs:
        if name.startswith("sec-websocket-") or name in ("connection", "upgrade"):
            raise InvalidHeader(f"The header {name!r} belongs to the handshake; the server writes it.")
    return pairs
