"""What becomes of an exception in a WebSocket? The exception handlers of HTTP decide; where none does, a table.

before accept    HTTPException its status · anything else 500 · cancelled 503 · the handler returns 403
after accept     HTTPException 1008 below 500, else 1011 · BadMessage its code
                 anything else 1011 · cancelled 1001 · the handler returns 1000

A handler is called with (websocket, exc), or (websocket, response, exc). What it returns denies the handshake,
as in HTTP. After accept it may return a close code, or a code and a reason; a response has the code of its
status. One that asks for a `Request` is for HTTP alone.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from nexios._pipeline.errors import ErrorResponder, ExceptionHandler, has_own_reason
from nexios._pipeline.handler_kind import is_for_requests, is_for_websockets, normalised
from nexios._pipeline.returns import to_response
from nexios._pipeline.websocket_injector import WebSocketInjector, scopes_of
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError, HTTPException
from nexios.messages.problem import problem
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import (
    GOING_AWAY,
    INTERNAL_ERROR,
    NORMAL,
    POLICY_VIOLATION,
    BadMessage,
    SocketState,
    check_close,
    cut_reason,
)

__all__ = ["CANCELLED", "FAILED", "RETURNED", "Ending", "WebSocketErrors", "ending_of"]

logger = logging.getLogger("nexios")


class Ending(msgspec.Struct, frozen=True):
    """How to end a WebSocket: with `answer` when the handshake is open, else with the close code and reason."""

    answer: Response
    code: int
    reason: str = ""


RETURNED: Final = Ending(problem(HTTPException(403)), NORMAL)
FAILED: Final = Ending(problem(HTTPException(500)), INTERNAL_ERROR)
CANCELLED: Final = Ending(problem(HTTPException(503)), GOING_AWAY)


def ending_of(exc: Exception) -> Ending:
    """Return how an exception ends a WebSocket that no handler knows it of."""
    if isinstance(exc, HTTPException):
        return Ending(problem(exc), _code_of(exc.status_code), cut_reason(exc.detail))
    if isinstance(exc, BadMessage):
        return Ending(FAILED.answer, exc.code, cut_reason(str(exc)))
    return FAILED


class WebSocketErrors:
    """The exception handlers of one WebSocket route, or of the app outside of any."""

    __slots__ = ("_responder",)

    def __init__(
        self,
        levels: Sequence[Mapping[Any, ExceptionHandler]],
        injector: WebSocketInjector | None = None,
        threads: Threads | None = None,
    ) -> None:
        """Prepare `levels`, nearest first. Handlers that are no async functions run in `threads`, if there are any."""
        given = [{key: fn for key, fn in level.items() if is_for_websockets(fn)} for level in levels]
        normalised = [{key: _normalised_or_none(fn, injector, threads) for key, fn in level.items()} for level in given]
        known = [{key: fn for key, fn in level.items() if fn is not None} for level in normalised]
        self._responder = ErrorResponder(known, debug=False)

    def handler_for(self, exc: Exception) -> tuple[ExceptionHandler | None, bool]:
        """Return the nearest handler, and whether somebody expected this exception."""
        handler, expected = self._responder.handler_for(exc)
        return handler, expected or isinstance(exc, BadMessage)

    async def ending(self, handler: ExceptionHandler | None, websocket: WebSocket, exc: Exception) -> Ending:
        """Return how `exc` ends the WebSocket, if `handler` has not ended it already. Never raises an Exception."""
        if has_own_reason(exc):
            logger.error("service unavailable: a WebSocket", exc_info=exc)
        if handler is None:
            return ending_of(exc)
        builder = Response(status_code=exc.status_code if isinstance(exc, HTTPException) else 500)
        try:
            result = await handler(websocket, builder, exc)
            if websocket.connection_state is not SocketState.CONNECTING:
                return _after_accept(result, exc)
            untouched = builder.content == b"" and builder._pairs is None and builder._media is None
            return ending_of(exc) if result is None and untouched else _denial(result, builder)
        except HTTPException as raised:  # the handler leaves it to the default
            return ending_of(raised)
        except Exception as failure:
            logger.error("the exception handler of a WebSocket failed", exc_info=failure)
            return ending_of(exc)


def _denial(result: Any, builder: Response) -> Ending:
    answer = to_response(result, builder)
    if not 300 <= answer.status_code <= 599:
        answer = problem(HTTPException(403))
    return Ending(answer, _code_of(answer.status_code))


def _after_accept(result: Any, exc: Exception) -> Ending:
    if result is None:
        return ending_of(exc)
    code, reason = result if type(result) is tuple and len(result) == 2 else (result, None)
    if type(code) is int and not 100 <= code <= 599:
        reason = "" if reason is None else str(reason)
        check_close(code, reason)
        return Ending(FAILED.answer, code, reason)
    status = to_response(result, Response(status_code=500)).status_code
    return Ending(FAILED.answer, _code_of(status), ending_of(exc).reason)


def _code_of(status: int) -> int:
    return POLICY_VIOLATION if status < 500 else INTERNAL_ERROR


def _normalised_or_none(
    handler: ExceptionHandler, injector: WebSocketInjector | None, threads: Threads | None
) -> ExceptionHandler | None:
    """None for a handler with providers that ask for the request, which is for HTTP alone then."""
    try:
        return _normalised(handler, injector, threads)
    except ConfigurationError:
        if is_for_requests(handler):
            return None
        raise


def _normalised(
    handler: ExceptionHandler, injector: WebSocketInjector | None, threads: Threads | None
) -> ExceptionHandler:
    """Return an async function of (websocket, response, exc), whichever form was registered."""
    known = normalised(handler, None if injector is None else injector.of(handler), threads)

    async def call(websocket: Any, response: Response, exc: Exception) -> Any:
        return await known.call(websocket, response, exc, scopes_of)

    return call
