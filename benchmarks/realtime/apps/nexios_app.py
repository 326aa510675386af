"""The room in nexios: the form of its documentation, and the same over Valkey, NATS or PostgreSQL."""

import importlib

from benchmarks.asgi import AsgiApplication
from nexios import NexiosApp
from nexios.websockets import Channel, WebSocket, WebSocketDisconnect
from nexios.websockets.backends.base import ChannelBackend

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "nexios"
PACKAGE = "nexios"

_BACKENDS = {
    "redis": ("nexios.websockets.backends.redis", "RedisBackend"),
    "unix": ("nexios.websockets.backends.redis", "RedisBackend"),
    "nats": ("nexios.websockets.backends.nats", "NatsBackend"),
    "postgresql": ("nexios.websockets.backends.postgres", "PostgresBackend"),
}
"""By the scheme of the URL of an engine."""


def build(engine: str = "") -> AsgiApplication:
    """Return the application; `engine` is the URL of what is between processes."""
    app = NexiosApp(channels=_backend(engine) if engine else None)

    @app.websocket("/ws")
    async def room(websocket: WebSocket) -> None:
        """Send on what each member says."""
        channel = Channel("room:1")
        await channel.connect(websocket)
        try:
            while True:
                message = await websocket.receive_json()
                await channel.broadcast(message)
        except WebSocketDisconnect:
            await channel.disconnect(websocket)

    return app


def _backend(url: str) -> ChannelBackend:
    module, name = _BACKENDS[url.partition(":")[0]]
    made: ChannelBackend = getattr(importlib.import_module(module), name)(url)
    return made
