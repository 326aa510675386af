"""Which events does nexios itself emit, and which name covers several of them?

`startup` and `shutdown` carry the app, `request.started` the request, the other `request.*` request
and response, `error` request and exception. `websocket.connected` and `websocket.disconnected` carry
the WebSocket, `websocket.failed`, and `error` where it came up in one, the WebSocket and the exception.
`channels.presence` carries the name of a channel and a `PresenceDiff`, `channels.lost` the exception.
An app may emit any other name as well; dots mean nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "CHANNELS_LOST",
    "CHANNELS_PRESENCE",
    "CHANNELS_RESTORED",
    "ERROR",
    "PARENTS",
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
]

STARTUP: Final = "startup"
"""The app starts, before the first request."""
SHUTDOWN: Final = "shutdown"
"""The app stops, after the last response."""

REQUEST: Final = "request"
"""A listener of this one hears every `request.*` below."""
REQUEST_STARTED: Final = "request.started"
REQUEST_FINISHED: Final = "request.finished"
REQUEST_FAILED: Final = "request.failed"

WEBSOCKET: Final = "websocket"
"""A listener of this one hears every `websocket.*` below."""
WEBSOCKET_CONNECTED: Final = "websocket.connected"
"""It is accepted."""
WEBSOCKET_DISCONNECTED: Final = "websocket.disconnected"
"""One that was accepted is over; its `close_code` says how."""
WEBSOCKET_FAILED: Final = "websocket.failed"
"""An exception that nobody expected came up in it, before it was accepted or after."""

CHANNELS_PRESENCE: Final = "channels.presence"
"""Who is present in a channel changed. In each process that watches it: where a member is present with an envelope."""
CHANNELS_LOST: Final = "channels.lost"
"""The connection to the engine of the channels broke."""
CHANNELS_RESTORED: Final = "channels.restored"
"""It works again, and everything is subscribed again."""

ERROR: Final = "error"
"""An exception that no handler of the app expected."""

PARENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        REQUEST_STARTED: REQUEST,
        REQUEST_FINISHED: REQUEST,
        REQUEST_FAILED: REQUEST,
        WEBSOCKET_CONNECTED: WEBSOCKET,
        WEBSOCKET_DISCONNECTED: WEBSOCKET,
        WEBSOCKET_FAILED: WEBSOCKET,
    }
)
"""For each event the name that covers it too."""
