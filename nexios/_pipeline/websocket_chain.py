"""What happens around a WebSocket, from before its handshake is answered until its handler is done? Its middleware.

    async def log(websocket, call_next):
        try:
            await call_next()
        finally:
            print(websocket.path, websocket.close_code)

Middleware is of a kind: what stands in `websocket_middleware` is for WebSockets, what stands in `middleware`
for requests. A class of the latter that serves both has a method `handle_websocket`; with
`handle_websocket = None` it says that WebSockets do without it. One that says neither is
never left out silently.

An exception goes through the chain as through plain calls, so `try` around `call_next()` sees it; what it becomes
is decided outside of the chain. That the client left, or that we closed, is none: `call_next()` returns.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

from nexios._injection.manner import is_async
from nexios._pipeline.injector import Injected, refuse_unknown_names
from nexios._pipeline.install import made
from nexios._pipeline.middleware import describe
from nexios._pipeline.websocket_injector import WebSocketInjector, scopes_of
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.routing.route import MiddlewareEntry

__all__ = ["WebSocketCallNext", "WebSocketLayer", "WebSocketLayers", "WebSocketMiddleware", "compile_websocket_chain"]

WebSocketCallNext = Callable[[], Awaitable[None]]
"""Call it to go on: it returns when the handler is done, and raises what the handler raised."""

WebSocketLayer = Callable[[WebSocket, WebSocketCallNext], Awaitable[Any]]
"""A middleware of WebSockets."""

WebSocketCall = Callable[..., Awaitable[Any]]

_UNSAID: Final = object()


class WebSocketMiddleware(ABC):
    """Something that happens around every WebSocket: one instance serves all of them.

    Keep nothing of a WebSocket on `self`. Leave values on `websocket.state`. `requires` names
    middleware classes that must come before this one.

    >>> class Members(WebSocketMiddleware):
    ...     async def __call__(self, websocket, call_next):
    ...         if "member" not in websocket.cookies:
    ...             return await websocket.deny(401)
    ...         await call_next()
    """

    requires: ClassVar[Sequence[type]] = ()

    @abstractmethod
    async def __call__(self, websocket: WebSocket, call_next: WebSocketCallNext) -> Any:
        """Go on by `await call_next()`, or deny the handshake and return."""


class WebSocketLayers:
    """Makes the middleware of WebSockets, each entry once, and checks it."""

    def __init__(self, made: dict[int, tuple[object, WebSocketLayer]], injector: WebSocketInjector) -> None:
        """Take what is made already, to be added to."""
        self._made = made
        self._injector = injector

    def all(self, entries: Iterable[object]) -> tuple[WebSocketLayer, ...]:
        """Return the middleware for `entries`, in order. Raises `ConfigurationError` for what is none."""
        return tuple(self._one(entry) for entry in entries)

    def of_requests(self, middleware: Iterable[object]) -> tuple[tuple[WebSocketLayer, ...], list[object]]:
        """Return the WebSocket side of middleware that is for requests, and those that never said if they have one."""
        sides = [(layer, getattr(layer, "handle_websocket", _UNSAID)) for layer in middleware]
        silent = [layer for layer, side in sides if side is _UNSAID]
        given = [side for _, side in sides if side is not _UNSAID and side is not None]
        return tuple(_checked(side, self._injector, "") for side in given), silent

    def _one(self, entry: object) -> WebSocketLayer:
        kept = self._made.get(id(entry))
        if kept is None:
            kept = self._made[id(entry)] = (entry, self._new(entry))
        return kept[1]

    def _new(self, entry: object) -> WebSocketLayer:
        if isinstance(entry, MiddlewareEntry):
            where = f"\n\n  {entry.location}"
            return _checked(made(entry.middleware, entry.args, entry.options, where), self._injector, where)
        return _checked(made(entry, (), {}, ""), self._injector, "")

    def injected(self, layer: WebSocketLayer) -> WebSocketLayer:
        """Return `layer` as a function that is given its dependencies too."""
        injected = self._injector.of(layer)
        return layer if injected is None else _with_dependencies(injected)


def compile_websocket_chain(layers: Sequence[WebSocketLayer], handler: WebSocketCall) -> WebSocketCall:
    """Return a function of the WebSocket that walks through `layers`, outermost first, to the handler."""
    if not layers:
        return handler

    async def innermost(websocket: WebSocket, *_: object) -> None:
        try:
            await handler(websocket)
        except WebSocketDisconnect:
            if not websocket.is_over:
                raise  # that of another one

    link: Any = innermost
    for layer in reversed(layers):
        link = _link(layer, link)
    return link  # type: ignore[no-any-return]


def _link(layer: WebSocketLayer, following: Any) -> WebSocketCall:
    bind = following.__get__  # call_next is the following link, bound to the WebSocket

    async def walk(websocket: WebSocket, *_: object) -> None:
        await layer(websocket, bind(websocket))

    return walk


def _with_dependencies(injected: Injected) -> WebSocketLayer:
    async def layer(websocket: WebSocket, call_next: WebSocketCallNext) -> Any:
        return await injected.call(websocket, call_next, scopes=scopes_of(websocket), request=websocket)

    return layer


def _checked(layer: Any, injector: WebSocketInjector, where: str) -> WebSocketLayer:
    try:
        signature = inspect.signature(layer)
        others = injector.names_of(layer)
        own = [parameter for name, parameter in signature.parameters.items() if name not in others]
        signature.replace(parameters=own).bind(None, None)
    except (TypeError, ValueError):
        fits = False
    else:
        fits = is_async(layer)
    if not fits:
        refuse_unknown_names(layer)
        raise ConfigurationError(
            f"{describe(layer)} is no middleware of WebSockets. Write it as:\n\n"
            "    async def middleware(websocket, call_next):\n"
            f"        await call_next()\n{where}"
        )
    return layer  # type: ignore[no-any-return]
