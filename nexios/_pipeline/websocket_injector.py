"""How do the middleware and exception handlers of WebSockets get dependencies? As those of requests do."""

from collections.abc import Callable
from typing import Any

from nexios._injection.graph import Call
from nexios._injection.program import Programs
from nexios._injection.scopes import Scopes
from nexios._pipeline.injector import Injected, Injector
from nexios._pipeline.reading import reading_of
from nexios._pipeline.sources import RESPONSE, WEBSOCKET, Sources
from nexios.messages.websocket import WebSocket

__all__ = ["WebSocketInjector", "scopes_of"]


class WebSocketInjector:
    """Says what functions that are given a WebSocket are injected with; providers get the WebSocket too."""

    def __init__(self, app: object, injector: Injector, programs: Programs, sources: Sources) -> None:
        self._app = app
        self._injector = injector
        self._programs = programs
        self._offer = sources.offer_of_websocket({})

    def names_of(self, fn: Callable[..., Any]) -> frozenset[str]:
        """Return the names of the parameters that are injected."""
        return self._injector.names_of(fn)

    def call_of(self, fn: Callable[..., Any]) -> Call:
        """Return what fills the injected parameters of `fn`. Raises `ConfigurationError`."""
        return self._injector.call_of(fn, self._offer)

    def of(self, fn: Callable[..., Any]) -> Injected | None:
        """Return what `fn` is injected with; None for a function that asks for nothing. Raises `ConfigurationError`."""
        call = self.call_of(fn)
        if not call.arguments:
            return None
        program = self._programs.compile(call, first=(WEBSOCKET, RESPONSE))
        reading, _ = reading_of(program, self._app)
        names = tuple(argument.parameter.name for argument in call.arguments)
        return Injected(fn, names, program, reading, True)


def scopes_of(websocket: WebSocket) -> Scopes:
    """Return the scopes of a WebSocket, made when something is first opened in them."""
    scopes = websocket._scopes
    if scopes is None:
        scopes = websocket._scopes = Scopes()
    return scopes  # type: ignore[no-any-return]
