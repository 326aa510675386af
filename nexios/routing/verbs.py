"""The decorators of a router: `@router.get("/items")` and its sisters.

Each returns the handler unchanged, so a handler can have several of them and can
be called in a test as the plain function it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TypeVar, Unpack

from nexios.errors import ConfigurationError
from nexios.places import calling_place
from nexios.routing.route import ExceptionKey, Handler, RouteOptions, WebSocketOptions

__all__ = ["Verbs"]

H = TypeVar("H", bound=Handler)


class Verbs(ABC):
    """The decorators, on top of three functions that a router has."""

    @abstractmethod
    def add_route(
        self, path: str, handler: object, methods: Iterable[str] | None = None, **options: Unpack[RouteOptions]
    ) -> None:
        """Let `handler` answer `methods` at `path`."""

    @abstractmethod
    def add_websocket(self, path: str, handler: Handler, **options: Unpack[WebSocketOptions]) -> None:
        """Let `handler` serve WebSockets at `path`."""

    @abstractmethod
    def add_exception_handler(self, key: ExceptionKey, handler: Handler) -> None:
        """Let `handler` answer exceptions of a class, or errors of a status."""

    def route(
        self, path: str, methods: Iterable[str] | None = None, **options: Unpack[RouteOptions]
    ) -> Callable[[H], H]:
        """Register a function for `methods` (GET unless given), or a class for each of its get(), post(), ..."""
        _check_called(path)
        names = tuple(methods) if methods is not None and not isinstance(methods, str) else methods

        def register(handler: H) -> H:
            self.add_route(path, handler, names, **options)
            return handler

        return register

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for GET, and for HEAD unless the same path has a HEAD of its own."""
        return self._verb("GET", path, options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for POST."""
        return self._verb("POST", path, options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for PUT."""
        return self._verb("PUT", path, options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for PATCH."""
        return self._verb("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for DELETE."""
        return self._verb("DELETE", path, options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for HEAD, in place of the one that a GET implies."""
        return self._verb("HEAD", path, options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for OPTIONS."""
        return self._verb("OPTIONS", path, options)

    def query(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Register for QUERY: safe like GET, with a body like POST (RFC 10008)."""
        return self._verb("QUERY", path, options)

    def _verb(self, method: str, path: str, options: RouteOptions) -> Callable[[H], H]:
        methods = dict[str, object](options).get("methods")
        if methods is not None:
            raise ConfigurationError(
                f"@router.{method.lower()}() is for {method} alone and takes no methods=. For several write:\n\n"
                f"    @router.route({path!r}, methods={methods!r})\n\n  {calling_place()}"
            )
        return self.route(path, (method,), **options)

    def websocket(self, path: str, **options: Unpack[WebSocketOptions]) -> Callable[[H], H]:
        """Register a WebSocket handler."""
        _check_called(path)

        def register(handler: H) -> H:
            self.add_websocket(path, handler, **options)
            return handler

        return register

    def exception_handler(self, key: ExceptionKey) -> Callable[[H], H]:
        """Register what answers exceptions of a class, or errors of a status, below this router."""

        def register(handler: H) -> H:
            self.add_exception_handler(key, handler)
            return handler

        return register


def _check_called(path: object) -> None:
    """A decorator without its parentheses gets the handler as the path, and would register nothing."""
    if not isinstance(path, str):
        raise ConfigurationError(f"A decorator of a router needs a path: @router.get('/items').\n\n  {calling_place()}")
