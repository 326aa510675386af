"""An app whose connections stay open for long, with clocks that go on together: to test what sessions let in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nexios import NexiosApp, Request, Response
from nexios.auth import login, logout
from nexios.session import SessionMiddleware
from nexios.stores.base import StoreUnavailable
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient
from nexios.websockets import WebSocket
from nexios.websockets.clock import ManualClock
from tests.session.visitor import Clock

ENDS = ("/logout", "/end-all/ada", "/login/bob")
"""What ends the session of Ada, who has signed in."""


class Time:
    """The clock of sessions and that of WebSockets, which go on together."""

    def __init__(self) -> None:
        self.wall = Clock()
        self.sockets = ManualClock()

    async def advance(self, seconds: float) -> None:
        """One second after the other, as far as the wall clock is concerned: it is never behind when somebody looks."""
        for _ in range(int(seconds)):
            self.wall.now += 1
            await self.sockets.advance(1)


class FailingStore(MemoryStore):
    """Fails when a test says so, and counts the times that it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.asked = 0

    async def get(self, key: str) -> bytes | None:
        self.asked += 1
        if self.is_down:
            raise StoreUnavailable("it is down")
        return await super().get(key)


def app_with(time: Time, **options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.add_middleware(SessionMiddleware, clock=time.wall, **options)

    @app.post("/login/{user_id}")
    async def sign_in(request: Request, response: Response, user_id: str) -> None:
        await login(request, user_id)

    @app.post("/logout")
    async def sign_out(request: Request, response: Response) -> None:
        logout(request)

    @app.post("/end-all/{user_id}")
    async def end_all(request: Request, response: Response, user_id: str) -> None:
        await request.session.invalidate_all(user_id)

    @app.get("/who")
    async def who(request: Request, response: Response) -> Any:
        return request.session.user_id

    @app.websocket("/mine")
    async def mine(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(str(websocket.session.user_id))
        async for message in websocket:
            await websocket.send_text(str(message))

    @app.websocket("/everybodys")
    async def everybodys(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(str(message))

    @app.get("/my-events")
    async def my_events(request: Request, response: Response) -> Response:
        return response.sse(endless(str(request.session.user_id)))

    @app.get("/everybodys-events")
    async def everybodys_events(request: Request, response: Response) -> Response:
        return response.sse(endless("hello"))

    @app.get("/my-lines")
    async def my_lines(request: Request, response: Response) -> Response:
        return response.json_lines(endless(str(request.session.user_id)))

    return app


async def endless(item: str) -> AsyncIterator[str]:
    """One item, and no end."""
    yield item
    await asyncio.Event().wait()


@asynccontextmanager
async def signed_in(app: NexiosApp, time: Time) -> AsyncIterator[TestClient]:
    async with TestClient(app, clock=time.sockets, base_url="https://testserver") as client:
        await client.post("/login/ada")
        yield client
