"""Middleware: what happens around every request."""

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios._pipeline.websocket_chain import WebSocketMiddleware

__all__ = ["BaseMiddleware", "CallNext", "WebSocketMiddleware"]
