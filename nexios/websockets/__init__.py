"""WebSockets: the socket that a handler is given, how it ends, and the channels that it joins."""

from nexios._pipeline.websocket_chain import WebSocketMiddleware
from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect
from nexios.messages.websocket_state import InvalidMessage
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
