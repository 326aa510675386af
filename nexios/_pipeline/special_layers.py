"""Which middleware does more than stand around a handler? Four kinds, told by a method of theirs.

`settle_head(connection)`, on middleware of the app: settles who the client is and what it asked for, where a proxy
says so. It is called once, before events, the Origin check, matching and all other middleware read any of it, for
requests and WebSockets. The class has no other part in the chain.

`answer_preflight(request, response)`: answers the preflight of a browser (Fetch standard, section 3.3.2), an OPTIONS
that no route has to know. On a route or a router it answers for the method that is asked for.

`for_settings(settings)`: gives the middleware for an app with these settings. It is called once, at compile.

`lifespan(app)`: gives an async context manager that is open while the app runs, as other lifespan contexts are.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeGuard

from nexios._pipeline.lifespan import LifespanContext
from nexios._pipeline.middleware import Middleware, describe
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["AnswersPreflights", "Settle", "in_the_chain", "lives", "nearest_preflights", "on_a_route", "settling"]

Settle = Callable[[Any], None]
"""Takes a Request or a WebSocket, and raises an `HTTPException` for one that cannot be believed."""


class AnswersPreflights(Protocol):
    """Middleware that answers preflights."""

    async def answer_preflight(self, request: Request, response: Response) -> Response:
        """Answer, or raise an `HTTPException` for what is not allowed."""


def settling(middleware: Sequence[Middleware]) -> Settle | None:
    """Return what settles the head of a connection, None where nothing does."""
    found = [layer for layer in middleware if hasattr(layer, "settle_head")]
    if len(found) > 1:
        raise ConfigurationError(f"The app has {describe(found[1])} twice; one place says which proxies are trusted.")
    settle: Settle | None = getattr(found[0], "settle_head") if found else None  # noqa: B009  # a Middleware has none
    return settle


def in_the_chain(middleware: Sequence[Middleware]) -> list[Middleware]:
    """Return the middleware that requests walk through."""
    return [layer for layer in middleware if not hasattr(layer, "settle_head")]


def lives(middleware: Iterable[Middleware]) -> list[LifespanContext]:
    """Return the lifespan contexts of the middleware that has one."""
    return [context for layer in middleware if (context := getattr(layer, "lifespan", None)) is not None]


def on_a_route(middleware: Sequence[Middleware], where: str) -> list[Middleware]:
    """Return the middleware of a route: of several that answer preflights the nearest alone, whose policy holds.

    Raises:
        ConfigurationError: There is middleware that is for the app alone.
    """
    for layer in middleware:
        if hasattr(layer, "settle_head"):
            name = describe(layer)
            raise ConfigurationError(
                f"{where} cannot be compiled: {name} is settled before a route is found, so it is for the app:\n\n"
                f"    app.add_middleware({name.rpartition('.')[2]}, ...)\n"
            )
    nearest: object = nearest_preflights(middleware)
    return [layer for layer in middleware if layer is nearest or not _answers_preflights(layer)]


def nearest_preflights(middleware: Sequence[Middleware]) -> AnswersPreflights | None:
    """Return the innermost middleware that answers preflights."""
    for layer in reversed(middleware):
        if _answers_preflights(layer):
            return layer
    return None


def _answers_preflights(layer: object) -> TypeGuard[AnswersPreflights]:
    return hasattr(layer, "answer_preflight")
