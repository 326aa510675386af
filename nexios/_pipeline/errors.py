"""What does an exception become? A Response, made by the nearest handler that knows it.

Nearest means: the route's handlers, its router's, that router's parent's, the app's; in each
by the exception's own class first, then its bases, then its status, which says more than the
bases that all errors have (`HTTPException`, `NexiosError`, `Exception`).

What nobody knows is a 500 with constant words, logged once. A handler for `Exception` or 500
gives it other words; it is logged all the same.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nexios._pipeline.debug_page import debug_response
from nexios._pipeline.handler_kind import is_for_requests, normalised
from nexios._pipeline.injector import Injector
from nexios._pipeline.reading import scopes_of
from nexios._pipeline.returns import to_response
from nexios.concurrency import Threads
from nexios.errors import ClientDisconnect, HTTPException, NexiosError, ServiceUnavailable
from nexios.messages.content import FileContent
from nexios.messages.problem import problem
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import find_file

__all__ = ["ErrorObserver", "ErrorResponder", "ExceptionHandler", "has_own_reason", "printable"]

ExceptionHandler = Callable[..., Any]
"""(request, response, exc) or (request, exc), sync or async; it returns what a handler may return."""

ErrorObserver = Callable[[Request, Exception], Awaitable[None]]
"""Told of every unhandled error, after it is logged."""

Handlers = Mapping[type[BaseException] | int, ExceptionHandler]

logger = logging.getLogger("nexios")

_EVERY: frozenset[type] = frozenset({Exception, BaseException})
_GENERAL: frozenset[type] = _EVERY | {NexiosError, HTTPException}


class ErrorResponder:
    """Turns exceptions into responses for one route, or for the app outside of any route."""

    __slots__ = ("_by_status", "_by_type", "_debug", "_observer")

    def __init__(
        self,
        levels: Sequence[Handlers],
        *,
        debug: bool,
        observer: ErrorObserver | None = None,
        injector: Injector | None = None,
        threads: Threads | None = None,
    ) -> None:
        """Prepare `levels`, nearest first. Handlers that are no async functions run in `threads`, if there are any."""
        self._debug = debug
        self._observer = observer
        self._by_type: list[dict[type[BaseException], ExceptionHandler]] = []
        self._by_status: list[dict[int, ExceptionHandler]] = []
        for level in levels:
            answering = {key: handler for key, handler in level.items() if is_for_requests(handler)}
            prepared = {key: _normalised(handler, injector, threads) for key, handler in answering.items()}
            self._by_type.append({key: fn for key, fn in prepared.items() if not isinstance(key, int)})
            self._by_status.append({key: fn for key, fn in prepared.items() if isinstance(key, int)})

    async def respond(self, request: Request, exc: Exception) -> Response:
        """Return the response to `exc`; never raises an Exception itself."""
        try:
            response = await self._response_to(request, exc)
        except Exception as failure:
            _log(request, failure, "answering an error failed")
            response = _constant_500()
        if response.error is None:
            response.error = exc
        return response

    async def _response_to(self, request: Request, exc: Exception) -> Response:
        handler, expected = self.handler_for(exc)
        if not expected:
            await self._report(request, exc)
        elif has_own_reason(exc):
            _log(request, exc, "service unavailable")
        if handler is not None:
            return await self._from_handler(handler, request, exc, logged=not expected)
        if isinstance(exc, HTTPException):
            return problem(exc)
        if isinstance(exc, ClientDisconnect):
            return Response(status_code=400)
        return self._last_resort(request, exc)

    def handler_for(self, exc: Exception) -> tuple[ExceptionHandler | None, bool]:
        """Return the nearest handler, and whether somebody expected this error."""
        expected = isinstance(exc, HTTPException | ClientDisconnect)
        gone = isinstance(exc, ClientDisconnect)
        status = exc.status_code if isinstance(exc, HTTPException) else 500
        for by_type, by_status in zip(self._by_type, self._by_status, strict=True):
            by_status = {} if gone else by_status
            for kind in type(exc).__mro__:
                if kind not in by_type or (kind in _GENERAL and status in by_status) or (kind in _EVERY and gone):
                    continue
                return by_type[kind], expected or kind not in _EVERY
            if status in by_status:
                return by_status[status], expected
        return None, expected

    async def _from_handler(
        self, handler: ExceptionHandler, request: Request, exc: Exception, *, logged: bool
    ) -> Response:
        status = exc.status_code if isinstance(exc, HTTPException) else 500
        builder = Response(status_code=status)
        try:
            result = await handler(request, builder, exc)
            if result is None and builder.status_code == status and _is_untouched(builder):
                raise TypeError(f"the exception handler {handler.__qualname__}() returned None; return a response")
            answer = to_response(result, builder)
            if type(answer.content) is FileContent:
                await find_file(request, answer, answer.content)
            return answer
        except HTTPException as raised:  # the handler leaves it to the default answer, or could not read the request
            return problem(raised)
        except Exception as failure:
            if not logged:
                _log(request, exc)
            await self._report(request, failure, "the exception handler failed")
            return _constant_500()

    async def _report(self, request: Request, exc: Exception, what: str = "unhandled error") -> None:
        _log(request, exc, what)
        if self._observer is not None:
            try:
                await self._observer(request, exc)
            except Exception as failure:
                _log(request, failure, "a listener of the error event failed")

    def _last_resort(self, request: Request, exc: Exception) -> Response:
        if self._debug:
            try:
                return debug_response(request, exc)
            except Exception as failure:
                _log(request, failure, "the debug page failed")
        return _constant_500()


def has_own_reason(exc: Exception) -> bool:
    """Whether a 503 has a reason that clients are not told, and that somebody should read in the log."""
    return isinstance(exc, ServiceUnavailable) and bool(getattr(exc, "__notes__", None))


def _is_untouched(builder: Response) -> bool:
    return builder.content == b"" and builder._pairs is None and builder._media is None


def _constant_500() -> Response:
    return problem(HTTPException(500))


def _log(request: Request, exc: Exception, what: str = "unhandled error") -> None:
    """One record: method, route template and request id, nothing that the client wrote unescaped."""
    try:
        route, request_id = request.route, request.id
    except HTTPException:
        route, request_id = None, "-"
    template = route.template if route is not None else "-"
    logger.error(
        "%s: %s %s (request %s)",
        what,
        printable(request.method),
        template,
        request_id,
        exc_info=exc,
        extra={"method": printable(request.method), "route": template, "request_id": request_id},
    )


def printable(text: str, limit: int = 200) -> str:
    """Return `text` on one line for a log: what is not printable is escaped, what is long is cut."""
    cut = text[:limit]
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def _normalised(handler: ExceptionHandler, injector: Injector | None, threads: Threads | None) -> ExceptionHandler:
    """Return an async function of (request, response, exc), whichever form was registered."""
    known = normalised(handler, None if injector is None else injector.of(handler), threads)

    async def call(request: Request, response: Response, exc: Exception) -> Any:
        return await known.call(request, response, exc, scopes_of)

    call.__qualname__ = getattr(handler, "__qualname__", type(handler).__qualname__)
    return call
