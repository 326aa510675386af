"""The room on the channels of Litestar, in memory: a queue and a task for each member."""

from typing import Any

from litestar import Litestar, WebSocket, websocket
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.exceptions import WebSocketDisconnect

from benchmarks.asgi import AsgiApplication

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "Litestar channels"
PACKAGE = "litestar"


def build(engine: str = "") -> AsgiApplication:
    """Return the application."""
    plugin = ChannelsPlugin(backend=MemoryChannelsBackend(), channels=["room"])

    @websocket("/ws")
    async def room(socket: WebSocket[Any, Any, Any]) -> None:
        """Send on what each member says."""
        await socket.accept()
        async with plugin.start_subscription("room") as subscriber, subscriber.run_in_background(socket.send_text):
            try:
                while True:
                    plugin.publish(await socket.receive_json(), "room")
            except WebSocketDisconnect:
                pass

    return Litestar(route_handlers=[room], plugins=[plugin], openapi_config=None)
