"""Window: events of an app and who listens to them."""

from nexios.events.emitter import EventEmitter
from nexios.events.names import (
    CHANNELS_LOST,
    CHANNELS_PRESENCE,
    CHANNELS_RESTORED,
    ERROR,
    REQUEST,
    REQUEST_FAILED,
    REQUEST_FINISHED,
    REQUEST_STARTED,
    SHUTDOWN,
    STARTUP,
    WEBSOCKET,
    WEBSOCKET_CONNECTED,
    WEBSOCKET_DISCONNECTED,
    WEBSOCKET_FAILED,
)

__all__ = [
    "CHANNELS_LOST",
    "CHANNELS_PRESENCE",
    "CHANNELS_RESTORED",
    "ERROR",
    "REQUEST",
    "REQUEST_FAILED",
    "REQUEST_FINISHED",
    "REQUEST_STARTED",
    "SHUTDOWN",
    "STARTUP",
    "WEBSOCKET",
    "WEBSOCKET_CONNECTED",
    "WEBSOCKET_DISCONNECTED",
    "WEBSOCKET_FAILED",
    "EventEmitter",
]
