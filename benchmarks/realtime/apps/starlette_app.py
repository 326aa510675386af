"""The room by hand on Starlette: encode once, then send to each member and wait for it, one after the other."""

import json

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.asgi import AsgiApplication

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "Starlette, by hand"
PACKAGE = "starlette"


def build(engine: str = "") -> AsgiApplication:
    """Return the application."""
    members: set[WebSocket] = set()

    async def room(websocket: WebSocket) -> None:
        """Send on what each member says."""
        await websocket.accept()
        members.add(websocket)
        try:
            while True:
                text = json.dumps(await websocket.receive_json(), separators=(",", ":"))
                for member in tuple(members):
                    try:
                        await member.send_text(text)
                    except (WebSocketDisconnect, RuntimeError):
                        members.discard(member)  # it has gone, or its own task was faster to notice
        except WebSocketDisconnect:
            members.discard(websocket)

    return Starlette(routes=[WebSocketRoute("/ws", room)])
