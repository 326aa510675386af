"""How does a test talk to an app? As a client would, with cookies and redirects, and without a network."""

import asyncio
from collections.abc import Coroutine, Mapping, MutableMapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, Unpack, cast

from nexios._injection.depend import Provider
from nexios._pipeline.engine import Engine
from nexios._pipeline.in_use import using
from nexios._pipeline.overrides import check_replacements
from nexios.application import NexiosApp
from nexios.messages.clock import Clock
from nexios.messages.transport import Address
from nexios.settings import Settings
from nexios.testing.asgi_side import EngineOverASGI, serve_asgi
from nexios.testing.build import build_request
from nexios.testing.events import EventStream
from nexios.testing.exchange import Exchange, serve_in_memory
from nexios.testing.faces import EventOptions, Options, SyncTestClient
from nexios.testing.library import URL, USE_CLIENT_DEFAULT, AsyncClient, Response
from nexios.testing.library import Request as HTTPRequest
from nexios.testing.life import TestedLife
from nexios.testing.portal import Portal
from nexios.testing.settings import changed_settings
from nexios.testing.streaming import ResponseStream
from nexios.testing.transport import MemoryTransport
from nexios.testing.websocket import WebSocketSession
from nexios.testing.websocket_asgi import serve_websocket_asgi
from nexios.testing.websocket_wire import MemoryWebSocket
from nexios.testing.wire import EXCHANGES, AppTransport

__all__ = ["TestClient"]

_T = TypeVar("_T")
_NOT_OPEN: Final = "enter the client first: async with TestClient(app) as client: ..."


class TestClient:
    """A client of one app, in the test's own process and event loop.

    `async with TestClient(app) as client:` starts the app and stops it again; the methods are
    awaited. `with TestClient(app) as client:` does the same for a synchronous test, on an
    event loop of its own, and the methods return their results. With no context each
    request starts and stops the app around itself.

    Responses are those of httpx2: `status_code`, `headers`, `text`, `json()`, ... Each client
    has its own cookies, and its own compiled app, for itself alone: with other `settings` (all, or a
    mapping of those that differ: `settings={"debug": True, "limits": {"max_body_size": 10}}`), and with
    `overrides` of providers (`overrides={get_db: fake_db}`).

    The base URL has https, so that cookies, which are Secure unless said otherwise, come back.
    A request for another host than that of `base_url`, by redirect too, is refused with
    `httpx2.ConnectError`: nothing leaves the process. To name another host to the app, send
    the header: `headers={"host": "shop.example"}`.

    With `raise_app_exceptions` an exception that nobody expected is raised in the test, with its
    own traceback: the same that is logged as unhandled and told to the `error` listeners. An
    `HTTPException` is always a response, and so is what a handler for its class answers; a
    handler for `Exception` or 500 is there for the unexpected, so its page is seen without
    the flag only. An exception that breaks off a response is raised too; without the flag
    it is `httpx2.RemoteProtocolError`, as with a connection that is closed half way.

    `interface="asgi"` goes through the ASGI side of the app and checks what it sends there.
    `timeout` is in seconds without anything from the app; None waits as long as it takes.
    `clock` is what the timeouts and heartbeats of WebSockets, the signs of life of event streams, and the leases and
    histories of the app's channels go by, for a test that lets time pass itself.
    """

    __test__ = False  # pytest takes it for a test class otherwise

    def __init__(
        self,
        app: NexiosApp,
        *,
        base_url: str = "https://testserver",
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        settings: Settings | Mapping[str, object] | None = None,
        overrides: Mapping[Any, Provider] | None = None,
        raise_app_exceptions: bool = True,
        follow_redirects: bool = False,
        interface: Literal["memory", "asgi"] = "memory",
        timeout: float | None = 30.0,
        root_path: str = "",
        client_address: tuple[str, int] = ("127.0.0.1", 50000),
        clock: Clock | None = None,
    ) -> None:
        self._app = app
        self._clock = clock
        self._settings = settings if isinstance(settings, Settings) else changed_settings(app.settings, settings or {})
        self._overrides = check_replacements(overrides or {})
        self._interface = interface
        self._engine: Engine | None = None
        self._life: TestedLife | None = None
        self._portal: Portal | None = None
        self._wire = AppTransport(
            self._serve,
            base_url=URL(base_url),
            root_path=root_path.rstrip("/"),
            client_address=Address(*client_address),
            raise_app_exceptions=raise_app_exceptions,
        )
        self._http = AsyncClient(
            transport=self._wire,
            base_url=base_url,
            headers=dict(headers or {}),
            cookies=cookies,
            follow_redirects=follow_redirects,
            timeout=timeout,
            trust_env=False,
        )

    @property
    def app(self) -> NexiosApp:
        """The app under test."""
        return self._app

    @property
    def engine(self) -> Engine:
        """The app as it was compiled for this client; no further registration in it afterwards."""
        if self._engine is None:
            self._engine = self._app.compile(self._settings, self._overrides)
            self._engine.websockets.sockets.clock = self._engine.streams.clock = self._clock
            self._app.freeze()
        return self._engine

    @property
    def cookies(self) -> MutableMapping[str, str]:
        """The client's cookies, to read and to change; they are this client's alone."""
        return self._http.cookies

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Headers that go with every request."""
        return self._http.headers

    def url_for(self, name: str, /, **params: Any) -> str:
        """Return the path of a named route, percent-encoded. Raises `NoSuchRoute`."""
        return self.engine.url_path_for(name, params)

    # Requests

    def request(self, method: str, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a request of any method.

        Raises:
            ValueError: A line break or its like is in the method, the URL, a header, a cookie, or a
                name in a form.
            Exception: What the app raised and did not handle (`raise_app_exceptions`).
            httpx2.RequestError: There is no whole response: `ReadTimeout`, `ConnectError`, ...
        """
        return self._call(self._send(method, url, options))

    def get(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a GET request."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a HEAD request."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", url, **options)

    def delete(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a DELETE request."""
        return self.request("DELETE", url, **options)

    def post(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a POST request."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a PUT request."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a PATCH request."""
        return self.request("PATCH", url, **options)

    def query(self, url: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Response]:
        """Send a QUERY request (RFC 10008)."""
        return self.request("QUERY", url, **options)

    def stream(self, method: str, url: str, **options: Unpack[Options]) -> ResponseStream:
        """Read a response while the app makes it; leaving the block early is a client that goes away.

        >>> async def first_line(client):
        ...     async with client.stream("GET", "/lines") as response:
        ...         async for line in response.aiter_lines():
        ...             return line
        """
        return ResponseStream(partial(self._send, method, url, options, stream=True), self._portal)

    def stream_events(
        self, method: str, url: str, *, timeout: float | None = 5.0, **options: Unpack[EventOptions]
    ) -> EventStream:
        """Follow server-sent events, in a block: `async with client.stream_events("GET", "/feed") as events:`.

        `timeout` is how long, in seconds, each event may take; over it is an `EventTimeout`, which says what the
        source waits for. Entering the block raises `NoEventStream` when the app answers something else.
        """
        send = partial(self._follow, method, url, options)
        return EventStream(send, lambda: list(self.engine.streams), portal=self._portal, timeout=timeout)

    def disconnect_after(
        self, method: str, url: str, *, sent: int | None = None, received: int | None = None, **options: Unpack[Options]
    ) -> Coroutine[Any, Any, bytes]:
        """Send a request and leave after `sent` bytes of its body, or `received` bytes of the response's.

        It waits until the app has noticed and is done, 5 seconds at most, and gives what was
        received. `received=0` leaves when the response begins.
        """
        return self._call(self._leave_early(method, url, sent, received, options))

    def websocket_connect(
        self,
        url: str,
        *,
        subprotocols: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float | None = 5.0,
    ) -> WebSocketSession:
        """Open a WebSocket, in a block: `async with client.websocket_connect("/ws/1") as ws:`.

        The client's headers and cookies go with the handshake. `timeout` is how long, in seconds, each wait for
        the app may take; over it is a `WebSocketTimeout`, which says what the handler waits for.
        Entering the block raises `WebSocketDenied` with the response when the app refuses.
        """
        options: Options = {"headers": headers, "params": params, "cookies": cookies}
        return WebSocketSession(
            partial(self._handshake, url, tuple(subprotocols), options),
            self._serve_websocket,
            portal=self._portal,
            timeout=timeout,
            raise_app_exceptions=self._wire.raise_app_exceptions,
        )

    def _handshake(
        self, url: str, subprotocols: Sequence[str], options: Options
    ) -> tuple[MemoryWebSocket, HTTPRequest]:
        self._open_life()
        request = build_request(self._http, "GET", url, options)
        return self._wire.websocket(request, subprotocols), request

    async def _serve_websocket(self, transport: MemoryWebSocket) -> None:
        with using(self.engine):
            engine = self._app.engine
            if self._interface == "asgi":
                await serve_websocket_asgi(EngineOverASGI(engine), transport)
            else:
                await engine.websockets.handle(transport, engine)

    async def _send(self, method: str, url: str, options: Options, *, stream: bool = False) -> Response:
        self._open_life()
        return await self._http.send(
            build_request(self._http, method, url, options),
            stream=stream,
            auth=options.get("auth", USE_CLIENT_DEFAULT),
            follow_redirects=options.get("follow_redirects", USE_CLIENT_DEFAULT),
        )

    async def _follow(self, method: str, url: str, options: EventOptions, exchanges: list[Exchange]) -> Response:
        extensions = {**(options.get("extensions") or {}), EXCHANGES: exchanges}
        given: Options = {**options, "extensions": extensions, "timeout": None}
        return await self._send(method, url, given, stream=True)

    async def _leave_early(
        self, method: str, url: str, sent: int | None, received: int | None, options: Options
    ) -> bytes:
        self._open_life()
        request = build_request(self._http, method, url, options)
        return await self._wire.leave_early(request, sent=sent, received=received)

    # The two faces

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
        """Give the awaitable to a test that awaits, and the result to one that does not."""
        if self._portal is not None:
            return cast("Coroutine[Any, Any, _T]", self._portal.run(coroutine))
        if self._life is not None:
            return coroutine
        if _in_event_loop():
            return self._alone(coroutine)
        portal = Portal()
        try:
            return cast("Coroutine[Any, Any, _T]", portal.run(self._alone(coroutine)))
        finally:
            portal.close()

    async def _alone(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        try:
            async with self:
                return await coroutine
        finally:
            coroutine.close()

    def _open_life(self) -> TestedLife:
        if self._life is None:
            raise RuntimeError(_NOT_OPEN)
        return self._life

    async def _start(self) -> None:
        if self._life is not None:
            raise RuntimeError("the client is in use already; make one for each block, they share nothing")
        with using(self.engine):
            life = self._life = TestedLife(self._app, self._app.engine, self._clock)
        try:
            await life.start()
        except BaseException:
            self._life = None
            raise

    async def _stop(self) -> None:
        life = self._open_life()
        try:
            await self._wire.aclose()
        finally:
            self._life = None
            await life.stop()

    async def _serve(self, transport: MemoryTransport) -> None:
        with using(self.engine):
            engine = self._app.engine  # with the overrides that hold where the request was made
            if self._interface == "asgi":
                await serve_asgi(EngineOverASGI(engine), transport)
            else:
                await serve_in_memory(engine, transport)

    async def __aenter__(self) -> Self:
        """Start the app in the running event loop. Raises what its startup raises."""
        await self._start()
        self._using = using(self.engine)
        self._using.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave what is still open, and stop the app."""
        self._using.__exit__(None, None, None)
        await self._stop()

    def __enter__(self) -> SyncTestClient:
        """Start the app in an event loop of its own. Raises what its startup raises."""
        if self._portal is not None or self._life is not None:
            raise RuntimeError("the client is in use already; make one for each block, they share nothing")
        portal = Portal()
        try:
            portal.run(self._start())
        except BaseException:
            portal.close()
            raise
        self._portal = portal
        return cast("SyncTestClient", self)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave what is still open, stop the app, and end the event loop."""
        portal, self._portal = self._portal, None
        if portal is None:
            raise RuntimeError(_NOT_OPEN)
        try:
            portal.run(self._stop())
        finally:
            portal.close()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
