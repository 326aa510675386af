"""What the fault tests of real time share: an app with one room, sockets of a server that is not there, and counts."""

import asyncio
import gc
import json
from collections.abc import Mapping
from typing import Any

from nexios import NexiosApp
from nexios.websockets import Channel, WebSocket, WebSocketDisconnect
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.hub import Hub

__all__ = ["Socket", "alive", "alone", "make_app", "room_app"]


class Socket:
    """One socket as an ASGI server has it. `slow` lets each call take a turn; `takes` is whether messages are taken."""

    def __init__(self, path: str = "/ws/1", *, slow: bool = False) -> None:
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "subprotocols": [],
        }
        self.sent: list[Mapping[str, Any]] = []
        self.is_gone = False
        self.takes = asyncio.Event()
        self.takes.set()
        self.accepted = asyncio.Event()
        self._slow = slow
        self._coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})

    @property
    def texts(self) -> list[Any]:
        """What the client got."""
        return [json.loads(message["text"]) for message in self.sent if message["type"] == "websocket.send"]

    @property
    def close_code(self) -> int | None:
        """The code it was closed with."""
        return next((message["code"] for message in self.sent if message["type"] == "websocket.close"), None)

    def say(self, message: object) -> None:
        """Let the client send a message."""
        self._coming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def leave(self, code: int = 1000) -> None:
        """Let the client go; 1006 is a connection that breaks, and nothing can be sent then."""
        self.is_gone = self.is_gone or code == 1006
        self._coming.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})

    async def receive(self) -> dict[str, Any]:
        """What the server tells the app."""
        if self._slow:
            await asyncio.sleep(0)
        return await self._coming.get()

    async def send(self, message: Mapping[str, Any]) -> None:
        """What the app tells the server."""
        if self._slow:
            await asyncio.sleep(0)
        if message["type"] == "websocket.send":
            await self.takes.wait()
        if self.is_gone:
            raise OSError("the client has gone")
        self.sent.append(message)
        if message["type"] == "websocket.accept":
            self.accepted.set()

    async def served_by(self, app: NexiosApp) -> None:
        """Be served until the end."""
        await app(self.scope, self.receive, self.send)


def make_app(backend: MemoryBackend | None = None, **options: Any) -> NexiosApp:
    """An app with a hub of its own, and no route."""
    return NexiosApp(channels=Hub(backend or MemoryBackend(MemoryEngine()), **options))


def room_app(backend: MemoryBackend | None = None, **options: Any) -> NexiosApp:
    """A room as the documentation shows it, with presence and resume."""
    app = make_app(backend, **options)

    @app.websocket("/ws/{room_id}")
    async def room(websocket: WebSocket, room_id: str) -> None:
        channel = Channel(f"room:{room_id}")
        user = websocket.query_params.get("user", "")
        await channel.connect(websocket, user=user, last_seen=0 if user else None)
        try:
            while True:
                message = await websocket.receive_json()
                await channel.broadcast(message)
        except WebSocketDisconnect:
            await channel.disconnect(websocket)

    return app


async def alone(before: "set[asyncio.Task[Any]]") -> None:
    """Wait until no task is left but those. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while others := asyncio.all_tasks() - before:
            await asyncio.wait(others)


def alive(*kinds: type) -> int:
    """How many there are of these."""
    gc.collect()
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())
