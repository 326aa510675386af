"""Is an exception handler for requests, for WebSockets, or for both? What its first parameter is says it."""

from collections.abc import Callable
from typing import Any

from nexios._injection.signature import parameters_of
from nexios.messages.request import Request
from nexios.messages.websocket import WebSocket

__all__ = ["is_for_requests", "is_for_websockets"]


def is_for_requests(handler: Callable[..., Any]) -> bool:
    """Whether a handler can answer for a request: one that asks for a `WebSocket` cannot."""
    return _first_annotation(handler) not in (WebSocket, "WebSocket")


def is_for_websockets(handler: Callable[..., Any]) -> bool:
    """Whether a handler can answer for a WebSocket: one that asks for a `Request` cannot."""
    return _first_annotation(handler) not in (Request, "Request")


def _first_annotation(handler: Callable[..., Any]) -> object:
    try:
        parameters = parameters_of(handler)
    except (TypeError, ValueError):  # a builtin
        return None
    return parameters[0].annotation if parameters else None
