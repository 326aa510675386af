"""A provider for requests and WebSockets alike asks for what they have in common."""

from typing import Any

from nexios import Depend, NexiosApp
from nexios.messages.connection import Connection
from nexios.testing import TestClient
from nexios.websockets import WebSocket


async def kind_of(connection: Connection[Any]) -> str:
    return type(connection).__name__


def test_a_connection_of_any_kind_is_the_request_or_the_websocket() -> None:
    app = NexiosApp()

    @app.get("/")
    async def over_http(kind: str = Depend(kind_of)) -> str:
        return kind

    @app.websocket("/ws")
    async def over_websocket(websocket: WebSocket, kind: str = Depend(kind_of)) -> None:
        await websocket.accept()
        await websocket.send_text(kind)

    with TestClient(app) as client, client.websocket_connect("/ws") as socket:
        assert client.get("/").text == "Request"
        assert socket.receive_text() == "WebSocket"
