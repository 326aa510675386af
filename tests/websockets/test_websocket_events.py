"""The events of WebSockets: connected, disconnected, failed; and the unhandled error."""

from typing import Any

import pytest

from nexios import HTTPException, NexiosApp
from nexios.messages.websocket import WebSocket
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied


def watched() -> tuple[NexiosApp, list[Any]]:
    app = NexiosApp()
    seen: list[Any] = []
    for name in ("websocket.connected", "websocket.disconnected", "websocket.failed", "error"):
        app.events.on(name, _noting(name, seen))

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, fails: bool = False) -> None:
        await websocket.accept()
        seen.append("handler")
        if fails:
            raise KeyError
        await websocket.receive()

    @app.websocket("/denied")
    async def denied(websocket: WebSocket) -> None:
        raise HTTPException(403)

    @app.websocket("/fails-early")
    async def fails_early(websocket: WebSocket) -> None:
        raise KeyError

    return app, seen


def _noting(name: str, seen: list[Any]) -> Any:
    def listener(websocket: WebSocket, *exc: Exception) -> None:
        seen.append((name, websocket.close_code, *map(type, exc)))

    return listener


async def test_connected_and_disconnected_are_a_pair() -> None:
    app, seen = watched()

    async with TestClient(app) as client, client.websocket_connect("/ws") as ws:
        await ws.close(4001)

    assert seen == [("websocket.connected", None), "handler", ("websocket.disconnected", 4001)]


async def test_a_handler_that_fails_is_told_besides() -> None:
    app, seen = watched()

    async with TestClient(app, raise_app_exceptions=False) as client, client.websocket_connect("/ws?fails=1") as ws:
        await ws.wait_closed()

    assert seen == [
        ("websocket.connected", None),
        "handler",
        ("error", None, KeyError),
        ("websocket.failed", None, KeyError),
        ("websocket.disconnected", 1011),
    ]


async def test_a_denied_handshake_was_never_connected() -> None:
    app, seen = watched()

    async with TestClient(app, raise_app_exceptions=False) as client:
        for path in ("/denied", "/nothing", "/fails-early"):
            with pytest.raises(WebSocketDenied):
                async with client.websocket_connect(path):
                    pass

    assert seen == [("error", None, KeyError), ("websocket.failed", None, KeyError)]


async def test_one_name_hears_all_three() -> None:
    app, _ = watched()
    heard: list[WebSocket] = []
    app.events.on("websocket", lambda websocket, *exc: heard.append(websocket))

    async with TestClient(app, raise_app_exceptions=False) as client, client.websocket_connect("/ws?fails=1") as ws:
        await ws.wait_closed()

    assert len(heard) == 3


async def test_a_listener_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app, seen = watched()

    @app.events.on("websocket.connected")
    async def broken(websocket: WebSocket) -> None:
        raise RuntimeError("a fault of the listener")

    async with TestClient(app) as client, client.websocket_connect("/ws"):
        pass

    assert seen[-1] == ("websocket.disconnected", 1000)
    assert "a fault of the listener" in caplog.text


async def test_nobody_listening_means_that_nothing_is_added_to_a_websocket() -> None:
    app, added = NexiosApp(), []

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        added.append(websocket._on_open)
        await websocket.accept()

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        await session.wait_closed()

    assert added == [()]
