"""The application whose sockets are attacked on the wire: an echo, a room, and what takes its time."""

import asyncio

from nexios import NexiosApp, Request, Response
from nexios.messages.websocket import WebSocket
from nexios.websockets import Channel

app = NexiosApp()


@app.get("/")
async def home(request: Request, response: Response) -> object:
    """What is left of all the conversations."""
    return {"sockets": len(app.engine.websockets.sockets), "channels": len(app.hub.channels)}


@app.get("/slow")
async def slow(request: Request, response: Response) -> str:
    await asyncio.sleep(1.0)
    return "done"


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket:
        await websocket.send_text(str(len(message)))


@app.websocket("/json")
async def json(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_json(await websocket.receive_json())


@app.websocket("/fails")
async def fails(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()
    raise RuntimeError("canary: postgres://user:password@db")


@app.websocket("/fails-early")
async def fails_early(websocket: WebSocket) -> None:
    raise RuntimeError("canary: postgres://user:password@db")


@app.websocket("/room")
async def room(websocket: WebSocket) -> None:
    channel = Channel("room")
    await channel.connect(websocket)
    async for message in websocket:
        await channel.broadcast(message)
