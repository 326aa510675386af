"""WebSockets: the socket that a handler is given, how it ends, and the channels that it joins."""

from typing import TYPE_CHECKING, Any, Final

from nexios._pipeline.websocket_chain import WebSocketMiddleware
from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect
from nexios.messages.websocket_state import InvalidMessage
from nexios.places import missing_name
from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.channel import Channel, ChannelGroup
from nexios.websockets.clock import Clock, ManualClock, SystemClock
from nexios.websockets.consumer import WebSocketConsumer, on
from nexios.websockets.feed import Feed
from nexios.websockets.heartbeat import Heartbeat
from nexios.websockets.history import HistoryLimits
from nexios.websockets.hub import Hub
from nexios.websockets.listeners import Listeners
from nexios.websockets.member import Member, PresenceDiff, PresenceEntry
from nexios.websockets.message import BadChannelName, Message
from nexios.websockets.outbox import Counters, OutboxLimits, TooSlow
from nexios.websockets.rules import ChannelForbidden, TooManyChannels

__all__ = [
    "BackendUnavailable",
    "BadChannelName",
    "BadMessage",
    "Channel",
    "ChannelBackend",
    "ChannelForbidden",
    "ChannelGroup",
    "Clock",
    "Counters",
    "Feed",
    "Heartbeat",
    "HistoryLimits",
    "Hub",
    "InvalidMessage",
    "Listeners",
    "ManualClock",
    "Member",
    "MemoryBackend",
    "MemoryEngine",
    "Message",
    "OutboxLimits",
    "PresenceDiff",
    "PresenceEntry",
    "SystemClock",
    "TooManyChannels",
    "TooSlow",
    "WebSocket",
    "WebSocketConsumer",
    "WebSocketDisconnect",
    "WebSocketMiddleware",
    "on",
]

_BACKENDS: Final = ("Nats", "Postgres", "Redis")
_HINTS: Final = {
    **{
        f"{engine}Backend": f"it is in a module of its own: from nexios.websockets.backends.{engine.lower()} "
        f"import {engine}Backend"
        for engine in _BACKENDS
    },
    "ChannelMessages": "it is in nexios.openapi: from nexios.openapi import ChannelMessages",
    "WebSocketEndpoint": "nexios calls it WebSocketConsumer: from nexios.websockets import WebSocketConsumer",
    "WebSocketException": "raise HTTPException before accept(), and await websocket.close(code, reason) after it",
    "WebSocketState": "websocket.is_open and websocket.connection_state say it in nexios",
}

if not TYPE_CHECKING:  # for a type checker an unknown name stays an error

    def __getattr__(name: str) -> Any:
        """Say where a name is that others look for here."""
        raise missing_name(__name__, name, _HINTS)
