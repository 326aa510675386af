"""A root path with a slash at its end: some servers take the option as it was typed."""

from typing import Any

import pytest

from nexios import NexiosApp
from nexios.messages.websocket import WebSocket


async def exchange(app: NexiosApp, **scope: Any) -> list[dict[str, Any]]:
    incoming: list[dict[str, Any]] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "headers": [(b"host", b"testserver")], **scope}, receive, send)
    return sent


def app_noting(seen: list[str]) -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/ws")
    async def chat(websocket: WebSocket) -> None:
        seen.append(websocket.root_path)
        await websocket.accept()

    return app


@pytest.mark.parametrize("root_path", ["/api", "/api/"])
async def test_a_websocket_below_the_root_path_is_found_with_and_without_the_slash(root_path: str) -> None:
    sent = await exchange(app_noting([]), path="/api/ws", root_path=root_path)

    assert sent[0]["type"] == "websocket.accept"


async def test_the_root_path_of_a_websocket_has_no_slash_at_its_end() -> None:
    """As that of a request."""
    seen: list[str] = []

    await exchange(app_noting(seen), path="/api/ws", root_path="/api/")

    assert seen == ["/api"]


async def test_a_root_path_of_a_slash_alone_is_none_at_all() -> None:
    seen: list[str] = []

    sent = await exchange(app_noting(seen), path="/ws", root_path="/")

    assert (sent[0]["type"], seen) == ("websocket.accept", [""])
