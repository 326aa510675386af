"""The WebSocket snippet of the founding document, word for word, as an application that servers serve.

The document imports `WebSocket` and `Channel` and uses `WebSocketDisconnect` and `app`: those two come before it.
"""

from nexios import NexiosApp, Response
from nexios.websockets import WebSocketDisconnect

__all__ = ["SNIPPET", "app"]

SNIPPET = """\
from nexios.websockets import WebSocket, Channel

@app.websocket("/ws/{room_id}")
async def chat_room(websocket: WebSocket, room_id: str):
    channel = Channel(f"room:{room_id}")
    await channel.connect(websocket)
    
    try:
        while True:
            message = await websocket.receive_json()
            await channel.broadcast(message)
    except WebSocketDisconnect:
        await channel.disconnect(websocket)
"""  # noqa: W293 - word for word, with the blanks in its empty line

app = NexiosApp()
exec(compile(SNIPPET, "seed", "exec"), {"app": app, "WebSocketDisconnect": WebSocketDisconnect})


@app.get("/")
async def page(response: Response) -> Response:
    """A page of the same origin, for browsers to connect from."""
    return response.html("<!doctype html><title>seed</title>")


@app.get("/members/{room_id}")
async def members(room_id: str) -> int:
    """How many are in a room, for tests that wait until someone is gone."""
    return len(app.hub.members_of(f"room:{room_id}"))
