"""How does a request walk through middleware? Link by link, in one task, outermost first.

A link is a function of the request that returns a Response and never raises an
`Exception`: what goes wrong inside it has become a Response when it comes out.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from types import MethodType
from typing import Any, ClassVar

from nexios._pipeline.errors import ErrorResponder
from nexios._pipeline.injector import Injected
from nexios._pipeline.reading import note_failure, scopes_of
from nexios._pipeline.returns import discard_unawaited, to_response
from nexios.messages.content import FileContent
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import find_file

__all__ = ["BaseMiddleware", "Call", "CallNext", "Link", "Middleware", "compile_chain", "describe", "inject_middleware"]

CallNext = Callable[..., Awaitable[Response]]
"""Call it to run the rest of the chain; what it returns is always a Response. Arguments are ignored."""

Middleware = Callable[[Request, Response, CallNext], Awaitable[Any]]
Call = Callable[[Request, Response], Awaitable[Any]]
"""Ends in a handler, and gives what it returned."""
Link = Callable[..., Awaitable[Response]]
"""A link of a chain: a function (which can be bound) of the request, which carries the builder; ignores what else
it is given."""


class BaseMiddleware(ABC):
    """Something that happens around every request: one instance serves all of them.

    Keep nothing of a request on `self`: two requests run at the same time. Leave values
    on `request.state`. `requires` names middleware classes that must come before this one.

    >>> class Timing(BaseMiddleware):
    ...     async def __call__(self, request, response, call_next):
    ...         response = await call_next()
    ...         return response.set_header("server-timing", "total")
    """

    requires: ClassVar[Sequence[type]] = ()

    @abstractmethod
    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
        """Return the response: that of `await call_next()`, or another to answer without going on."""


def compile_chain(middleware: Sequence[Middleware], innermost: Link, errors: ErrorResponder) -> Link:
    """Return the link that walks through `middleware`, outermost first, and ends at `innermost`.

    A layer with `as_link(following, around)` is a link itself, for the requests that it needs no more for than a look
    at what `following` gives; for the others it leaves it to `around`, which is what it would be without.
    """
    link = innermost
    for layer in reversed(middleware):
        around = _link(_without_lookup(layer), link, errors)
        shorter = getattr(layer, "as_link", None)
        link = around if shorter is None else shorter(link, around)
    return link


def inject_middleware(middleware: Middleware, injected: Injected | None) -> Middleware:
    """Return `middleware` as a function that is given its dependencies too."""
    if injected is None:
        return middleware

    async def with_dependencies(request: Request, response: Response, call_next: CallNext) -> Any:
        scopes = scopes_of(request)
        return await injected.call(request, response, call_next, scopes=scopes, request=request, response=response)

    with_dependencies.__module__, _, with_dependencies.__qualname__ = describe(middleware).rpartition(".")
    return with_dependencies


def _link(middleware: Middleware, following: Link, errors: ErrorResponder) -> Link:
    bind = following.__get__  # call_next is the following link, bound to the request: the cheapest way to make it

    async def walk(request: Request, *_: object) -> Response:
        response = request._builder
        try:
            result = await middleware(request, response, bind(request))
            if result is not response:  # a Response may be one that is kept for many requests
                result = result.copy() if isinstance(result, Response) else _converted(middleware, result, response)
            if result._media is None and type(result.content) is FileContent:  # a file never has a `_media`
                await find_file(request, result, result.content)
            return result  # type: ignore[no-any-return]
        except Exception as exc:
            note_failure(request, exc)
            return await errors.respond(request, exc)

    return walk


def _without_lookup(middleware: Middleware) -> Middleware:
    """Return what calling an instance comes down to: Python looks for its `__call__` each time anew."""
    call = inspect.getattr_static(type(middleware), "__call__")
    return MethodType(call, middleware) if inspect.isfunction(call) else middleware


def _converted(middleware: Middleware, result: Any, response: Response) -> Response:
    if result is None:
        raise TypeError(
            f"The middleware {describe(middleware)} returned None.\n"
            "A middleware returns the response:\n\n    return await call_next()\n"
        )
    if inspect.isawaitable(result):
        discard_unawaited(result)
        raise TypeError(
            f"The middleware {describe(middleware)} returned what it did not await.\n\n    return await call_next()\n"
        )
    return to_response(result, response)


def describe(middleware: object) -> str:
    """Return the name of a middleware for an error text."""
    if inspect.ismethod(middleware):
        middleware = middleware.__self__ if middleware.__name__ == "__call__" else middleware.__func__
    named = middleware if inspect.isfunction(middleware) or inspect.isclass(middleware) else type(middleware)
    return f"{named.__module__}.{named.__qualname__}"
