"""WebSockets: the socket that a handler is given, and how it ends."""

from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect

__all__ = ["BadMessage", "WebSocket", "WebSocketDisconnect"]
