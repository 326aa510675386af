"""Who answers a WebSocket handshake, and how does the conversation end whatever the handler does?

before accept    nothing matches 404 · foreign Origin 403 · HTTPException its status
                 any other exception 500 · the handler returns 403
after accept     the handler returns 1000 · HTTPException 1008 below 500, else 1011
                 BadMessage its code · any other exception 1011 · cancelled 1001
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from nexios._pipeline.errors import printable
from nexios._pipeline.websocket_arguments import WebSocketCall
from nexios._pipeline.websocket_origin import OriginPolicy
from nexios.errors import ConfigurationError, HTTPException, NotFound
from nexios.messages.problem import problem
from nexios.messages.transport import WebSocketTransport
from nexios.messages.websocket import WebSocket, WebSocketContext
from nexios.messages.websocket_state import BadMessage, SocketState, WebSocketDisconnect, cut_reason
from nexios.routing.matcher import Matcher
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry
from nexios.routing.route import WebSocketRoute
from nexios.routing.template import Template, compile_template
from nexios.settings import Limits

__all__ = ["WebSocketPlan", "WebSocketPlans"]

logger = logging.getLogger("nexios")

_HANDSHAKE = "GET"
"""The one method of the matcher; over HTTP/2 the handshake is a CONNECT (RFC 8441), which matches the same."""


class WebSocketPlan(msgspec.Struct, frozen=True):
    """One compiled WebSocket route, shared by all its connections."""

    call: WebSocketCall
    limits: Limits
    route: WebSocketRoute


class _Ending(msgspec.Struct, frozen=True):
    """How to end a WebSocket: with `answer` when the handshake is open, else with the close code and reason."""

    answer: HTTPException
    code: int
    reason: str = ""


_RETURNED = _Ending(HTTPException(403), 1000)
_FAILED = _Ending(HTTPException(500), 1011)
_CANCELLED = _Ending(HTTPException(503), 1001)
"""The server stops: going away."""


class WebSocketPlans:
    """The compiled WebSocket routes of one app; keeps nothing of a connection.

    Raises:
        ConfigurationError: A handler cannot be called with what there is, or a route has
            middleware, which WebSockets do not run.
        DuplicateRoute: Two routes have templates of the same shape.
    """

    __slots__ = ("_limits", "_matcher", "_origins")

    def __init__(
        self,
        routes: Iterable[WebSocketRoute],
        *,
        limits: Limits,
        compile_call: Callable[[WebSocketRoute, Template], WebSocketCall],
        registry: ConverterRegistry = DEFAULT_CONVERTERS,
        allowed_origins: Iterable[str] = (),
    ) -> None:
        self._limits = limits
        self._origins = OriginPolicy(allowed_origins)
        self._matcher: Matcher[WebSocketPlan] = Matcher()
        for route in routes:
            _refuse_unguarded(route)
            template = compile_template(route.template, registry)
            plan = WebSocketPlan(compile_call(route, template), route.limits or limits, route)
            self._matcher.add(template, (_HANDSHAKE,), plan)

    async def handle(self, transport: WebSocketTransport, context: WebSocketContext) -> None:
        """Serve one WebSocket from handshake to end. Never raises an Exception."""
        plan, path_params = self._find(transport)
        limits = self._limits if plan is None else plan.limits
        websocket = WebSocket(transport, context, limits, path_params=path_params)
        ending = _CANCELLED
        try:
            ending = await self._converse(websocket, plan)
        finally:
            await _finish(websocket, ending)

    def _find(self, transport: WebSocketTransport) -> tuple[WebSocketPlan | None, dict[str, Any]]:
        path = _path_below(transport.path, transport.root_path)
        if len(path) > self._limits.max_path_size or any(ord(letter) < 32 or letter == "\x7f" for letter in path):
            return None, {}
        return self._matcher.find(_HANDSHAKE, path) or (None, {})

    async def _converse(self, websocket: WebSocket, plan: WebSocketPlan | None) -> _Ending:
        try:
            if plan is None:
                raise NotFound
            if not self._origins.allows(websocket):
                origin = printable(", ".join(websocket.headers.get_all("origin")))
                logger.info("WebSocket %s denied: it comes from the origin %s", plan.route.template, origin)
                raise HTTPException(403, "The WebSocket comes from another origin.", code="foreign_origin")
            await plan.call(websocket)
        except Exception as exc:
            return _ending_for(exc, websocket, plan)
        return _RETURNED


def _ending_for(exc: Exception, websocket: WebSocket, plan: WebSocketPlan | None) -> _Ending:
    if isinstance(exc, HTTPException):
        return _Ending(exc, 1008 if exc.status_code < 500 else 1011, cut_reason(exc.detail))
    if isinstance(exc, BadMessage):
        return _Ending(_FAILED.answer, exc.code, cut_reason(str(exc)))
    is_over = websocket.connection_state not in (SocketState.CONNECTING, SocketState.OPEN)
    if isinstance(exc, WebSocketDisconnect) and is_over:
        return _RETURNED  # while this one is still going, it was that of another WebSocket: a mistake
    template = "-" if plan is None else plan.route.template
    logger.error("unhandled error: WEBSOCKET %s", template, exc_info=exc, extra={"route": template})
    return _FAILED


async def _finish(websocket: WebSocket, ending: _Ending) -> None:
    """Whatever goes wrong here, the client is gone or the server ends it."""
    try:
        if websocket.connection_state is SocketState.CONNECTING:
            response = problem(ending.answer)
            body = response.content if isinstance(response.content, bytes) else b""
            await websocket.deny(response.status_code, headers=response.headers.pairs, body=body)
        else:
            await websocket.close(ending.code, ending.reason)
    except Exception:
        logger.debug("a WebSocket could not be ended: %s", printable(websocket.path), exc_info=True)


def _path_below(path: str, root: str) -> str:
    """The path that routes are matched with: what follows the prefix the server mounts us at."""
    if root and path == root:
        return "/"
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _refuse_unguarded(route: WebSocketRoute) -> None:
    """A check that is silently left out is worse than none."""
    if route.middleware:
        raise ConfigurationError(
            f"WEBSOCKET {route.template} cannot be compiled: its route or a router around it has middleware, "
            f"which WebSockets do not run.\n\n  {route.location}\n\n"
            "Put the route on a router without middleware, and check in a dependency:\n\n"
            "    dependencies=[Depend(guard)]\n"
        )
