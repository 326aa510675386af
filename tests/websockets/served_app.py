"""The application that real servers serve in test_websocket_servers.py."""

import asyncio

from nexios.application import NexiosApp
from nexios.errors import HTTPException, UnsupportedByServer
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket, WebSocketDisconnect

app = NexiosApp()
ends: list[object] = []
ended = asyncio.Condition()
released = asyncio.Event()


@app.get("/ends/{count:int}")
async def how_they_ended(request: object, response: Response, count: int) -> list[object]:
    """How conversations ended, as their handlers saw it; waits until there are `count`."""
    async with ended:
        await ended.wait_for(lambda: len(ends) >= count)
    return ends


async def note_end(exc: WebSocketDisconnect) -> None:
    ends.append([exc.code, exc.reason, exc.initiator])
    async with ended:
        ended.notify_all()


@app.websocket("/echo/{room:int}")
async def echo(websocket: WebSocket, room: int) -> None:
    await websocket.accept()
    await websocket.send_json({"room": room, "path": websocket.path, "scheme": websocket.scheme})
    async for message in websocket:
        if isinstance(message, str):
            await websocket.send_text(message)
        else:
            await websocket.send_bytes(message)


@app.websocket("/count")
async def count(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.receive()
    except WebSocketDisconnect as exc:
        await note_end(exc)


@app.websocket("/json")
async def json(websocket: WebSocket) -> None:
    await websocket.accept()
    websocket.bad_messages = "raise"
    await websocket.send_json(await websocket.receive_json())


@app.websocket("/patient")
async def patient(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(await websocket.receive_as(dict[str, int]))


@app.websocket("/subprotocol")
async def subprotocol(websocket: WebSocket) -> None:
    try:
        await websocket.accept(websocket.subprotocols[-1], headers=[("x-served-by", "nexios")])
    except UnsupportedByServer:
        await websocket.accept()
    await websocket.send_text(",".join(websocket.subprotocols))


@app.websocket("/close/{code:int}")
async def close(websocket: WebSocket, code: int) -> None:
    await websocket.accept()
    await websocket.close(code, "because")


@app.websocket("/closed-elsewhere")
async def closed_elsewhere(websocket: WebSocket) -> None:
    await websocket.accept()
    reader = asyncio.ensure_future(websocket.receive())
    await websocket.send_text("reading")
    await websocket.close(4002)
    try:
        await reader
    except WebSocketDisconnect as exc:
        await note_end(exc)


@app.websocket("/pushed")
async def pushed(websocket: WebSocket) -> None:
    await websocket.accept()
    reader = asyncio.ensure_future(websocket.receive_text())
    for number in range(3):
        await asyncio.sleep(0)  # let the read begin
        await websocket.send_text(str(number))
    await websocket.send_text(await reader)


@app.websocket("/crowd")
async def crowd(websocket: WebSocket) -> None:
    await websocket.accept()
    await asyncio.gather(*(websocket.send_text(f"{number:06}" * 10_000) for number in range(20)))


@app.websocket("/lingers")
async def lingers(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close(4001)
    await released.wait()


@app.websocket("/release")
async def release(websocket: WebSocket) -> None:
    released.set()


@app.websocket("/fails")
async def fails(websocket: WebSocket) -> None:
    await websocket.accept()
    raise RuntimeError("a fault of the handler")


@app.websocket("/fails-early")
async def fails_early(websocket: WebSocket) -> None:
    raise RuntimeError("a fault of the handler")


@app.websocket("/login")
async def login(websocket: WebSocket) -> None:
    raise HTTPException(401, "Log in first.", headers={"www-authenticate": "Bearer"})


@app.websocket("/returns")
async def returns(websocket: WebSocket) -> None:
    pass
