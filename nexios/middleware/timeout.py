"""What if the app itself takes too long? The handler is cancelled, and the client gets 503.

The time runs from here until the answer is made, the reading of the body included. An answer that is streamed has
begun by then: it gets what is left of the time, and is broken off at its end, for it cannot become an error any more.
Event streams and JSON Lines are meant to last, and have no end here.

What runs in a thread cannot be stopped: of a `def` handler the client gets its 503, and the thread goes on.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from typing import Final

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import ConfigurationError, HTTPException
from nexios.messages.content import StreamContent, as_chunks, close_source
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.route import Route

__all__ = ["TimeoutMiddleware"]

_logger = logging.getLogger("nexios")

_STATE: Final = "nexios_timeout"
_BROKEN_OFF: Final = "the time of the request was over before its stream was (TimeoutMiddleware)"


class TimeoutMiddleware(BaseMiddleware):
    """Lets a request take so many seconds; None is as long as it takes. Of several around a handler the nearest holds,
    and the time of those further out stands still meanwhile.

    >>> TimeoutMiddleware(30)
    <TimeoutMiddleware 30 s>
    """

    handle_websocket = None
    """A WebSocket is meant to last."""

    def __init__(self, seconds: float | None) -> None:
        """Raises `ConfigurationError` for what is no time."""
        if seconds is not None and (type(seconds) not in (int, float) or not (seconds > 0 and math.isfinite(seconds))):
            raise ConfigurationError(
                f"TimeoutMiddleware needs a number of seconds over 0, or None, not {seconds!r}:\n\n"
                "    app.add_middleware(TimeoutMiddleware, 30)\n"
            )
        self._seconds = seconds

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Go on, or raise 503 when the time is over."""
        outer = request.state.get(_STATE)
        left = _pause(outer) if isinstance(outer, asyncio.Timeout) else None
        try:
            return await self._within(request, call_next)
        finally:
            if left is not None:  # for what is between the two
                outer.reschedule(asyncio.get_running_loop().time() + left)

    async def _within(self, request: Request, call_next: CallNext) -> Response:
        state = request.state
        if self._seconds is None:
            state[_STATE] = None
            return await call_next()
        timeout = asyncio.timeout(self._seconds)
        try:
            async with timeout:
                state[_STATE] = timeout
                answer = await call_next()
                deadline = timeout.when()
        except TimeoutError:
            raise self._too_late(request) from None
        is_nearest = state.get(_STATE) is timeout
        if is_nearest and deadline is not None and type(answer.content) is StreamContent:
            chunks = _Chunks(answer.content, request, deadline)
            answer.content = StreamContent(chunks, answer.content.length)
        return answer

    def _too_late(self, request: Request) -> HTTPException:
        route = request.route
        where = route.template if isinstance(route, Route) else "a request"
        _logger.warning("%s took longer than %g s, and was cancelled", where, self._seconds)
        return HTTPException(503, "The request took too long.", code="request_took_too_long")

    def __repr__(self) -> str:
        return f"<TimeoutMiddleware {'None' if self._seconds is None else f'{self._seconds:g} s'}>"


def _pause(timeout: asyncio.Timeout) -> float | None:
    """Stop the time; returns how much is left of it, None where it does not run."""
    when = None if timeout.expired() else timeout.when()
    if when is None:
        return None
    timeout.reschedule(None)
    return when - asyncio.get_running_loop().time()


class _Chunks:
    """The chunks of a stream until a moment, by the clock of the event loop."""

    __slots__ = ("_chunks", "_deadline", "_source")

    def __init__(self, content: StreamContent, request: Request, deadline: float) -> None:
        self._source = content.chunks
        self._chunks = as_chunks(content.chunks, request._context.threads)
        self._deadline = deadline

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if asyncio.get_running_loop().time() >= self._deadline:
            raise RuntimeError(_BROKEN_OFF)
        timeout = asyncio.timeout_at(self._deadline)
        try:
            async with timeout:
                return await anext(self._chunks)
        except TimeoutError as exc:
            if not timeout.expired():
                raise  # one of the source itself
            raise RuntimeError(_BROKEN_OFF) from exc

    async def aclose(self) -> None:
        """Close the source, also when it was never begun."""
        await self._chunks.aclose()
        await close_source(self._source)
