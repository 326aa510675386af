"""How does a test talk over a WebSocket? In a block, with a patience of some seconds for everything.

    async with client.websocket_connect("/ws/1") as ws:
        await ws.send_json({"text": "hello"})
        assert await ws.receive_json() == {"text": "hello"}

In a synchronous test the same without `async` and `await`. What waits too long is a `WebSocketTimeout`,
which says what the handler waits for meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextvars import copy_context
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar, cast

from nexios.messages.transport import Pairs
from nexios.messages.websocket_messages import Message
from nexios.messages.websocket_state import ABNORMAL, NORMAL, SocketState, WebSocketDisconnect, check_close
from nexios.serialization import decode_json, encode_json
from nexios.testing.exchange import GRACE, unhandled_in
from nexios.testing.legal import IllegalSequence
from nexios.testing.library import Request, Response
from nexios.testing.portal import Portal
from nexios.testing.waiting import waiting_for
from nexios.testing.websocket_wire import MemoryWebSocket

__all__ = ["SyncWebSocketSession", "WebSocketDenied", "WebSocketSession", "WebSocketTimeout"]

_T = TypeVar("_T")
_DEEP: Final = 1000
"""JSON of the app under test may nest this deep; that of clients is what the app limits."""

ServeWebSocket = Callable[[MemoryWebSocket], Awaitable[None]]


class WebSocketDenied(Exception):
    """The app refused the handshake; `response` is what it answered with."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"the app denied the WebSocket with {response.status_code}: {response.text[:200]}")

    @property
    def status_code(self) -> int:
        """The status of the response."""
        return self.response.status_code


class WebSocketTimeout(TimeoutError):
    """The app did not do in time what the test waited for; the text says what it does instead."""


class WebSocketSession:
    """The client's end of one WebSocket. It begins with its block, and ends with it: close 1000, then the handler.

    What the app raised and did not handle is raised in the test, as by a request of the client.
    `timeout` is in seconds, for each wait; None waits as long as it takes.
    """

    __test__ = False

    def __init__(
        self,
        prepare: Callable[[], tuple[MemoryWebSocket, Request]],
        serve: ServeWebSocket,
        *,
        portal: Portal | None,
        timeout: float | None,
        raise_app_exceptions: bool,
    ) -> None:
        self._prepare = prepare
        self._serve = serve
        self._portal = portal
        self._timeout = timeout
        self._raises = raise_app_exceptions
        self._wire: MemoryWebSocket | None = None
        self._task: asyncio.Task[None] | None = None
        self._unhandled: list[Exception] = []
        self._told: set[int] = set()

    # What is known of it

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the app chose."""
        return (self._open.accepted or (None,))[0]

    @property
    def headers(self) -> Pairs:
        """The headers that the app accepted with."""
        return (self._open.accepted or (None, ()))[1]

    @property
    def close_code(self) -> int | None:
        """The code that the app closed with, else the client; None while it is open."""
        wire = self._open
        return wire.closed[0] if wire.closed is not None else wire.close_code if wire.left else None

    @property
    def close_reason(self) -> str:
        """The reason that goes with it."""
        wire = self._open
        return wire.closed[1] if wire.closed is not None else wire.close_reason

    # Messages

    def send_text(self, text: str) -> Coroutine[Any, Any, None]:
        """Send a text message.

        Raises, as the others that send:
            WebSocketDisconnect: The app has closed.
            Exception: What the app raised and did not handle.
        """
        return self._call(self._send(text))

    def send_bytes(self, data: bytes) -> Coroutine[Any, Any, None]:
        """Send a binary message."""
        return self._call(self._send(data))

    def send_json(self, value: object) -> Coroutine[Any, Any, None]:
        """Send a value as JSON, in a text message."""
        return self._call(self._send(encode_json(value).decode()))

    def receive(self, timeout: float | None = None) -> Coroutine[Any, Any, Message]:
        """Return the next message of the app.

        Raises:
            WebSocketTimeout: None came; the text says where the handler stands.
            WebSocketDisconnect: The app closed, with this code and reason.
            Exception: What the app raised and did not handle.
        """
        return self._call(self._receive(timeout))

    def receive_text(self, timeout: float | None = None) -> Coroutine[Any, Any, str]:
        """Return the next message, which is text. Raises as `receive`, and AssertionError for a binary one."""
        return self._call(self._receive_a(str, timeout))

    def receive_bytes(self, timeout: float | None = None) -> Coroutine[Any, Any, bytes]:
        """Return the next message, which is binary. Raises as `receive_text`."""
        return self._call(self._receive_a(bytes, timeout))

    def receive_json(self, timeout: float | None = None) -> Coroutine[Any, Any, Any]:
        """Return the value of the next message. Raises as `receive`."""
        return self._call(self._receive_json(timeout))

    def close(self, code: int = NORMAL, reason: str = "") -> Coroutine[Any, Any, None]:
        """Close, and wait until the handler is done. Raises ValueError for a code that cannot travel."""
        check_close(code, reason)
        return self._call(self._leave(code, reason))

    def abort(self) -> Coroutine[Any, Any, None]:
        """Go without a close frame, as when the network is lost, and wait until the handler is done."""
        return self._call(self._leave(ABNORMAL, ""))

    def wait_closed(self, timeout: float | None = None) -> Coroutine[Any, Any, tuple[int, str]]:
        """Wait until the app closes, and return its code and reason. Raises `WebSocketTimeout`."""
        return self._call(self._wait_closed(timeout))

    # How they are done

    async def _send(self, message: Message) -> None:
        wire = self._open
        if wire.closed is not None and not wire.left:
            await self._finish(GRACE)
        if wire.closed is not None or wire.left:
            raise self._disconnect()
        wire.put(message)

    async def _receive(self, timeout: float | None) -> Message:
        if self._open.left:
            raise self._disconnect()
        message = await self._patiently(self._open.next_message(), "sent nothing", timeout)
        if message is None:
            await self._finish(GRACE)
            raise self._disconnect()
        return message

    async def _receive_a(self, kind: type[_T], timeout: float | None) -> _T:
        message = await self._receive(timeout)
        if not isinstance(message, kind):
            raise AssertionError(f"the app sent {message[:200]!r}, which is not {kind.__name__}")
        return message

    async def _receive_json(self, timeout: float | None) -> Any:
        message = await self._receive(timeout)
        return decode_json(message.encode() if isinstance(message, str) else message, max_depth=_DEEP)

    async def _wait_closed(self, timeout: float | None) -> tuple[int, str]:
        await self._patiently(self._open.over(), "did not close", timeout)
        await self._finish(GRACE)
        return self._open.closed or (ABNORMAL, "")

    async def _leave(self, code: int, reason: str) -> None:
        self._open.leave(code, reason)
        await self._finish(GRACE)

    async def _patiently(self, step: Coroutine[Any, Any, _T], what: str, timeout: float | None) -> _T:
        """Wait for a step, or for the end of the app, whichever comes first."""
        seconds = self._timeout if timeout is None else timeout
        task, waiting = self._running, asyncio.ensure_future(step)
        try:
            await asyncio.wait({waiting, task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and task.done():
                await asyncio.sleep(0)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
        self._raise_errors()
        if task.done():
            raise IllegalSequence("the app ended the WebSocket without a close", [])
        raise WebSocketTimeout(f"the app {what} for {seconds:g} s: {waiting_for(task, 'its handler')}")

    @property
    def _open(self) -> MemoryWebSocket:
        if self._wire is None:
            raise RuntimeError("enter the WebSocket first: async with client.websocket_connect(path) as ws: ...")
        return self._wire

    @property
    def _running(self) -> "asyncio.Task[None]":
        if self._task is None:
            raise RuntimeError("the WebSocket is not connected")
        return self._task

    def _disconnect(self) -> WebSocketDisconnect:
        by_app = self._open.closed is not None
        return WebSocketDisconnect(
            self.close_code or ABNORMAL, self.close_reason, initiator="server" if by_app else "client"
        )

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
        """Give the awaitable to a test that awaits, and the result to one that does not."""
        if self._portal is None:
            return coroutine
        return cast("Coroutine[Any, Any, _T]", self._portal.run(coroutine))

    # Its beginning and its end

    async def _connect(self) -> None:
        wire, request = self._prepare()
        self._wire = wire
        context = copy_context()
        self._unhandled = unhandled_in(context)
        self._task = asyncio.get_running_loop().create_task(_run(self._serve(wire)), context=context)
        try:
            await self._patiently(wire.answered(), "did not answer the handshake", None)
            if wire.denied is not None:
                await self._finish(GRACE)
                status, headers, body = wire.denied
                pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
                raise WebSocketDenied(Response(status, headers=pairs, content=body, request=request))
        except BaseException:
            await self._finish(0, quietly=True)
            raise

    async def _finish(self, grace: float, *, quietly: bool = False) -> None:
        """Wait until the app is done; it is cancelled after `grace` seconds. Raises what it raised."""
        task = self._running
        if not task.done() and grace:
            await asyncio.wait({task}, timeout=grace)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE)
        if not quietly:
            self._raise_errors()

    def _raise_errors(self) -> None:
        """Raise what left the app, or was not handled in it; each error once."""
        errors: list[BaseException] = [*self._unhandled]
        if self._running.done() and not self._running.cancelled():
            left = self._running.exception()
            errors += [] if left is None else [left]
        for error in errors:
            if id(error) not in self._told and (self._raises or isinstance(error, IllegalSequence)):
                self._told.update(map(id, errors))
                raise error

    async def __aenter__(self) -> Self:
        """Connect. Raises `WebSocketDenied`, `WebSocketTimeout`, or what the app raised."""
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close with 1000 if nobody has, and wait until the handler is done, 5 seconds at most."""
        self._open.leave(NORMAL)
        await self._finish(GRACE, quietly=exc is not None)

    def __enter__(self) -> "SyncWebSocketSession":
        """Connect from a synchronous test."""
        if self._portal is None:
            raise RuntimeError("enter the client first: with TestClient(app) as client: ...")
        self._portal.run(self._connect())
        return cast("SyncWebSocketSession", self)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close, as at the end of an `async with`."""
        if self._portal is not None:
            self._portal.run(self.__aexit__(kind, exc, traceback))

    async def __aiter__(self) -> Any:
        """Yield each message until the app closes."""
        while True:
            try:
                message = await self._receive(None)
            except WebSocketDisconnect:
                return
            yield message

    def __iter__(self) -> Iterator[Message]:
        """Yield each message until the app closes, in a synchronous test."""
        while True:
            try:
                message = cast("Message", self.receive())
            except WebSocketDisconnect:
                return
            yield message

    def __repr__(self) -> str:
        state = SocketState.CONNECTING.value if self._wire is None else "open" if self.close_code is None else "closed"
        return f"<WebSocketSession {state}>"


async def _run(serving: Awaitable[None]) -> None:
    await serving


class SyncWebSocketSession(Protocol):
    """What `with client.websocket_connect(path) as ws:` gives in a synchronous test: each method returns its result."""

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the app chose."""

    @property
    def headers(self) -> Pairs:
        """The headers that the app accepted with."""

    @property
    def close_code(self) -> int | None:
        """The code it was closed with."""

    @property
    def close_reason(self) -> str:
        """The reason it was closed with."""

    def send_text(self, text: str) -> None:
        """Send a text message."""

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""

    def send_json(self, value: object) -> None:
        """Send a value as JSON."""

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next message of the app."""

    def receive_text(self, timeout: float | None = None) -> str:
        """Return the next message, which is text."""

    def receive_bytes(self, timeout: float | None = None) -> bytes:
        """Return the next message, which is binary."""

    def receive_json(self, timeout: float | None = None) -> Any:
        """Return the value of the next message."""

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close, and wait until the handler is done."""

    def abort(self) -> None:
        """Go without a close frame."""

    def wait_closed(self, timeout: float | None = None) -> tuple[int, str]:
        """Wait until the app closes; return its code and reason."""

    def __iter__(self) -> Iterator[Message]:
        """Yield each message until the app closes."""
