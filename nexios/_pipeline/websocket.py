"""Who answers a WebSocket handshake, and how does the conversation end whatever the handler does?

    handshake ─► register ─► match ─► Origin ─► middleware ─► dependencies ─► handler
                    503       404      403

How it ends says `websocket_errors.py`. What providers opened is closed before the socket is.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from nexios._pipeline.errors import printable
from nexios._pipeline.operation import WebSocketOperation
from nexios._pipeline.special_layers import Settle
from nexios._pipeline.websocket_errors import CANCELLED, RETURNED, Ending, WebSocketErrors
from nexios._pipeline.websocket_origin import OriginPolicy
from nexios._pipeline.websocket_registry import OpenWebSockets
from nexios.errors import HTTPException
from nexios.events.emitter import EventEmitter
from nexios.events.names import ERROR, WEBSOCKET_CONNECTED, WEBSOCKET_DISCONNECTED, WEBSOCKET_FAILED
from nexios.messages.state import PathParams
from nexios.messages.transport import WebSocketTransport
from nexios.messages.websocket import WebSocket, WebSocketContext
from nexios.messages.websocket_state import SocketState, WebSocketDisconnect
from nexios.routing.matcher import Matcher
from nexios.routing.route import WebSocketRoute
from nexios.routing.template import Template
from nexios.settings import BadMessages, Limits

__all__ = ["WebSocketPlan", "WebSocketPlans"]

logger = logging.getLogger("nexios")

_HANDSHAKE = "GET"
"""The one method of the matcher; over HTTP/2 the handshake is a CONNECT (RFC 8441), which matches the same."""

_OWN = ("_context", "_limits", "_rest", "_scopes", "bad_messages", "path_params", "root_path")
"""What each app around a WebSocket, mounted one in the other, has its own of."""


class WebSocketPlan(msgspec.Struct, frozen=True):
    """What happens to the WebSockets of one route, of one mount, or of no route: middleware, then the handler."""

    call: Callable[..., Awaitable[Any]]
    errors: WebSocketErrors
    limits: Limits
    route: WebSocketRoute | None
    """None for what is mounted, which looks at the Origin itself."""
    enters: bool = False
    """Whether it leads to the routes of a mounted app."""
    operation: WebSocketOperation | None = None
    """What describes the route."""


class WebSocketPlans:
    """The compiled WebSocket routes of one app; keeps nothing of a connection but its register."""

    __slots__ = (
        "_bad_messages",
        "_emitter",
        "_limits",
        "_matcher",
        "_missed",
        "_origins",
        "_settle",
        "has_routes",
        "operations",
        "sockets",
    )

    def __init__(
        self,
        *,
        routes: Iterable[tuple[Template, WebSocketPlan]],
        mounts: Iterable[tuple[Template, WebSocketPlan]],
        missed: WebSocketPlan,
        origins: OriginPolicy,
        bad_messages: BadMessages,
        emitter: EventEmitter,
        sockets: OpenWebSockets,
        settle: Settle | None = None,
    ) -> None:
        """Take the plans. Raises `DuplicateRoute` for two of one shape."""
        self._matcher: Matcher[WebSocketPlan] = Matcher()
        self.has_routes: bool = False
        self.operations: list[WebSocketOperation] = []
        for template, plan in routes:
            self._matcher.add(template, (_HANDSHAKE,), plan)
            self.has_routes = True
            if plan.operation is not None:
                self.operations.append(plan.operation)
        for prefix, plan in mounts:
            self._matcher.add_mount(prefix, plan)
            self.has_routes = self.has_routes or plan.enters
        self._missed = missed
        self._limits = missed.limits
        self._origins = origins
        self._settle = settle
        self._bad_messages: BadMessages = bad_messages
        self._emitter = emitter
        self.sockets: OpenWebSockets = sockets
        """Those that are served now."""

    async def handle(self, transport: WebSocketTransport, context: WebSocketContext) -> None:
        """Serve one WebSocket from handshake to end. Never raises an Exception."""
        sockets = self.sockets
        websocket = WebSocket(transport, context, self._limits, bad_messages=self._bad_messages, clock=sockets.clock)
        websocket._rest = _path_below(websocket.path, websocket.root_path)
        try:
            await self._serve(websocket, sockets)
        finally:
            sockets.remove(websocket)

    async def enter(self, websocket: WebSocket, context: WebSocketContext, length: int) -> None:
        """Serve a WebSocket that came through a mount, whose prefix takes `length` characters of the rest of the path.

        To the code around it, it is as it was when it comes back, but for being over.
        """
        outer = [(name, getattr(websocket, name)) for name in _OWN]
        rest = websocket._rest
        websocket.root_path, websocket._rest = websocket.root_path + rest[:length], rest[length:] or "/"
        websocket._context, websocket._limits, websocket._scopes = context, self._limits, None
        websocket.path_params, websocket.bad_messages = PathParams(), self._bad_messages
        try:
            await self._serve(websocket, None)
        finally:
            for name, value in outer:
                setattr(websocket, name, value)

    async def _serve(self, websocket: WebSocket, sockets: OpenWebSockets | None) -> None:
        if self._emitter.has_listeners(WEBSOCKET_CONNECTED):
            websocket._on_open = (*websocket._on_open, self._tell_connected)
        ending, broken = CANCELLED, None
        try:
            ending = await self._converse(websocket, self._find(websocket), sockets)
        except BaseException as exc:
            broken = exc
            raise
        finally:
            if websocket._scopes is not None:
                await websocket._scopes.finish(broken)
            await _finish(websocket, ending)
            if websocket.has_opened and self._emitter.has_listeners(WEBSOCKET_DISCONNECTED):
                await self._emitter.emit(WEBSOCKET_DISCONNECTED, websocket)

    def _find(self, websocket: WebSocket) -> WebSocketPlan:
        """Return the plan for the path below the root path, and leave limits and parameters with the WebSocket."""
        path = websocket._rest
        if len(path) > self._limits.max_path_size or any(ord(letter) < 32 or letter == "\x7f" for letter in path):
            return self._missed
        found = self._matcher.find(_HANDSHAKE, path) or self._matcher.find_mount(path)
        if found is None:
            return self._missed
        plan = found[0]
        websocket._limits = plan.limits
        websocket.path_params.update(found[1])
        return plan

    async def _converse(self, websocket: WebSocket, plan: WebSocketPlan, sockets: OpenWebSockets | None) -> Ending:
        try:
            if sockets is not None:
                sockets.add(websocket, self._limits.max_websockets)
            if self._settle is not None:
                self._settle(websocket)
            if plan.route is not None and not self._origins.allows(websocket):
                origin = printable(", ".join(websocket.headers.get_all("origin")))
                logger.info("WebSocket %s denied: it comes from the origin %s", plan.route.template, origin)
                raise HTTPException(403, "The WebSocket comes from another origin.", code="foreign_origin")
            websocket._headers = None  # who reads them parses them again: thousands of idle sockets would hold them
            await plan.call(websocket)
        except Exception as exc:
            return await self._ending_for(exc, websocket, plan)
        return RETURNED

    async def _ending_for(self, exc: Exception, websocket: WebSocket, plan: WebSocketPlan) -> Ending:
        if isinstance(exc, WebSocketDisconnect) and websocket.is_over:
            return RETURNED  # while this one is still going, it was that of another WebSocket: a mistake
        handler, expected = plan.errors.handler_for(exc)
        if not expected:
            template = "-" if plan.route is None else plan.route.template
            logger.error("unhandled error: WEBSOCKET %s", template, exc_info=exc, extra={"route": template})
            await self._tell_failed(websocket, exc)
        return await plan.errors.ending(handler, websocket, exc)

    async def _tell_connected(self, websocket: WebSocket) -> None:
        await self._emitter.emit(WEBSOCKET_CONNECTED, websocket)

    async def _tell_failed(self, websocket: WebSocket, exc: Exception) -> None:
        """A strict listener that fails is no reason to leave the client without an answer."""
        try:
            await self._emitter.emit(ERROR, websocket, exc)
            await self._emitter.emit(WEBSOCKET_FAILED, websocket, exc)
        except Exception:
            logger.exception("a listener of a failed WebSocket failed")


async def _finish(websocket: WebSocket, ending: Ending) -> None:
    """Whatever goes wrong here, the client is gone or the server ends it."""
    try:
        if websocket.connection_state is SocketState.CONNECTING:
            answer = ending.answer
            body = answer.content if isinstance(answer.content, bytes) else b""
            await websocket.deny(answer.status_code, headers=answer.headers.pairs, body=body)
        else:
            await websocket.close(ending.code, ending.reason)
    except Exception:
        logger.debug("a WebSocket could not be ended: %s", printable(websocket.path), exc_info=True)


def _path_below(path: str, root: str) -> str:
    """The path that routes are matched with: what follows the prefix the server mounts us at."""
    if root and path == root:
        return "/"
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
