"""A WebSocket without a server: what the client does is written in a list, what we do is read from one."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nexios._injection.graph import Graph
from nexios._injection.program import Programs
from nexios._pipeline.handlers import Handlers
from nexios._pipeline.injector import Injector
from nexios._pipeline.install import Installed
from nexios._pipeline.resources import Resources
from nexios._pipeline.sources import Sources
from nexios._pipeline.websocket import WebSocketPlans
from nexios._pipeline.websocket_arguments import WebSocketCall
from nexios._pipeline.websocket_compile import WebSocketCompiler
from nexios._pipeline.websocket_injector import WebSocketInjector
from nexios.errors import ClientDisconnect
from nexios.events.emitter import EventEmitter
from nexios.messages.transport import Address, Pairs
from nexios.messages.websocket import WebSocket
from nexios.places import Location, Place
from nexios.routing.flatten import Flattened
from nexios.routing.registry import DEFAULT_CONVERTERS
from nexios.routing.route import WebSocketRoute
from nexios.routing.router import Router
from nexios.routing.template import compile_template
from nexios.serialization import decode_json
from nexios.settings import Limits, Settings

__all__ = [
    "GONE",
    "FakeContext",
    "FakeTransport",
    "compiled_call",
    "make_plans",
    "make_route",
    "make_websocket",
    "plans_of",
    "problem_of",
    "serve",
]

GONE = object()
"""In `incoming`: the connection breaks, without a close frame."""


class FakeContext:
    """An application that has one named route."""

    app = "the app"

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        return f"/{name}/{len(params)}"


class FakeTransport:
    """One WebSocket in memory; `sent` holds every verb that was used, in order.

    `incoming` holds messages, (code, reason) for a close frame, or GONE; when it is used up the client says nothing.
    """

    server_name = "memory"
    root_path = ""
    http_version = "1.1"
    server: Address | None = Address("127.0.0.1", 8000)
    client = Address("10.0.0.1", 50000)

    def __init__(
        self,
        path: str = "/",
        *,
        headers: Pairs = (("host", "testserver"),),
        query_string: str = "",
        scheme: str = "ws",
        subprotocols: Sequence[str] = (),
        incoming: Iterable[object] = (),
        client_is_gone: bool = False,
    ) -> None:
        self.path = path
        self.query_string = query_string
        self.scheme = scheme
        self.subprotocols = subprotocols
        self.sent: list[tuple[Any, ...]] = []
        self.close_code = 1005
        self.close_reason = ""
        self.client_is_gone = client_is_gone
        self.reading = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.denied_with: tuple[Pairs, bytes] = ((), b"")
        self._headers = headers
        self._incoming = list(incoming)

    def headers(self) -> Pairs:
        return self._headers

    async def accept(self, *, subprotocol: str | None, headers: Pairs) -> None:
        await self._write("accept", subprotocol, list(headers))

    async def deny(self, status: int, headers: Pairs, body: bytes) -> None:
        self.denied_with = (headers, body)
        await self._write("deny", status)

    async def receive(self) -> str | bytes | None:
        if not self._incoming:
            self.reading.set()
            await asyncio.Event().wait()
        message = self._incoming.pop(0)
        if message is GONE:
            self.close_code, self.client_is_gone = 1006, True
            return None
        if isinstance(message, tuple):
            self.close_code, self.close_reason = message
            return None
        return message  # type: ignore[return-value]

    async def send_text(self, text: str) -> None:
        await self._write("text", text)

    async def send_bytes(self, data: bytes) -> None:
        await self._write("bytes", data)

    async def close(self, code: int, reason: str) -> None:
        await self.may_close.wait()
        await self._write("close", code, reason)

    async def _write(self, *verb: Any) -> None:
        if self.client_is_gone:
            raise ClientDisconnect("gone")
        self.sent.append(verb)


def make_websocket(transport: FakeTransport, limits: Limits | None = None, **path_params: Any) -> WebSocket:
    """Return a WebSocket that nobody accepted yet."""
    return WebSocket(transport, FakeContext(), limits or Limits(), path_params=path_params)


def make_route(template: str, handler: Callable[..., Any], **fields: Any) -> WebSocketRoute:
    """Return a route as a router makes it."""
    location = Location(Place("app/chat.py", 12), Place("app/main.py", 3))
    return WebSocketRoute(template, handler, "chat", location, **fields)


def make_plans(handler: Callable[..., Any], template: str = "/ws", **options: Any) -> WebSocketPlans:
    """Return an app of one handler."""
    return plans_of(make_route(template, handler), **options)


class Compiling:
    """What compiles WebSocket routes as an app does it, without one."""

    def __init__(self, *routes: WebSocketRoute) -> None:
        app, graph, resources = object(), Graph(), Resources(None, 1)
        sources = Sources(app, graph)
        programs = Programs(resources.workers, resources.app_values)
        injector = Injector(app, graph, programs, sources)
        self.handlers = Handlers(app, graph, programs, sources, resources.threads)
        self.compiler = WebSocketCompiler(
            Flattened((), routes, ()),
            handlers=self.handlers,
            installed=Installed({}, injector.names_of, Settings()),
            injector=WebSocketInjector(app, injector, programs, sources),
            authentication=lambda place: None,
            backends=lambda given: (),
            programs=programs,
            resources=resources,
            converters=DEFAULT_CONVERTERS,
        )


def plans_of(
    *routes: WebSocketRoute, around: Router | None = None, events: EventEmitter | None = None, **settings: Any
) -> WebSocketPlans:
    """The plans of some routes, with the middleware and the exception handlers of `around`."""
    compiler, outer, given = Compiling(*routes).compiler, around or Router(), Settings(**settings)
    compiler.begin((), outer.websocket_middleware, outer.exception_handlers)
    return compiler.plans(given, given.limits, EventEmitter() if events is None else events)


def compiled_call(route: WebSocketRoute) -> WebSocketCall:
    """The handler of a route, as a function of the WebSocket."""
    return Compiling().handlers.compile_websocket(route, compile_template(route.template))[0]


async def serve(handler: Callable[..., Any], transport: FakeTransport | None = None) -> list[tuple[Any, ...]]:
    """Return all that was done to the transport while the handler served `/ws`."""
    transport = FakeTransport("/ws") if transport is None else transport
    await make_plans(handler).handle(transport, FakeContext())
    return transport.sent


def problem_of(transport: FakeTransport) -> Any:
    """Return the problem document that a handshake was denied with."""
    headers, body = transport.denied_with
    assert ("content-type", "application/problem+json") in headers
    return decode_json(body, max_depth=2)
