"""R12: wherever a WebSocket is cancelled, what was opened is closed, and it is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import Depend, NexiosApp
from nexios.messages.websocket import WebSocket
from nexios.testing.websocket_wire import MemoryWebSocket

STEPS = 40


def make_app(events: list[str]) -> NexiosApp:
    async def session(websocket: WebSocket) -> AsyncIterator[None]:
        events.append("open")
        try:
            await asyncio.sleep(0)
            yield
            await asyncio.sleep(0)
        finally:
            events.append("close")

    async def around(websocket: WebSocket, call_next: Any) -> None:
        events.append("open")
        try:
            await asyncio.sleep(0)
            await call_next()
            await asyncio.sleep(0)
        finally:
            events.append("close")

    app = NexiosApp(websocket_middleware=[around])
    app.events.on("websocket.connected", lambda websocket: events.append("open"))
    app.events.on("websocket.disconnected", lambda websocket: events.append("close"))

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, used: None = Depend(session)) -> None:
        await asyncio.sleep(0)
        await websocket.accept()
        async for message in websocket:
            await asyncio.sleep(0)
            await websocket.send_text(str(message))

    return app


@pytest.mark.parametrize("step", range(STEPS))
async def test_every_step_can_be_the_last(step: int) -> None:
    events: list[str] = []
    app = make_app(events)
    wire = MemoryWebSocket("/ws", headers=[("host", "testserver")])
    for message in ("a", "b", "c"):
        wire.put(message)
    task = asyncio.ensure_future(app.engine.websockets.handle(wire, app.engine))
    for _ in range(step):
        await asyncio.sleep(0)
    if step > STEPS // 2:
        wire.leave(1000)
        await asyncio.sleep(0)

    task.cancel()
    await asyncio.wait({task}, timeout=5)

    assert task.done()
    assert events.count("open") == events.count("close")
    assert len(app.engine.websockets.sockets) == 0
    answered = (wire.accepted is not None, wire.denied is not None, wire.left)
    assert step == 0 or any(answered)
