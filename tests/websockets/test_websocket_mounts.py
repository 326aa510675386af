"""WebSocket routes of a nexios app that is mounted in another."""

from typing import Any, Literal

import pytest

from nexios import Depend, NexiosApp, Router
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from nexios.middleware import BaseMiddleware
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied


def make_inner() -> NexiosApp:
    inner = NexiosApp(allowed_origins=["https://inner.example"])

    @inner.websocket("/ws/{room:int}", name="room")
    async def ws(websocket: WebSocket, room: int) -> None:
        await websocket.accept()
        await websocket.send_json(
            {
                "app": websocket.app is inner,
                "params": dict(websocket.path_params),
                "path": websocket.path,
                "root": websocket.root_path,
                "url": websocket.url_for("room", room=8),
            }
        )

    @inner.websocket("/fails")
    async def fails(websocket: WebSocket) -> None:
        await websocket.accept()
        raise KeyError("a fault of the inner app")

    @inner.exception_handler(KeyError)
    async def failed(websocket: WebSocket, exc: KeyError) -> int:
        return 4044

    return inner


@pytest.mark.parametrize("interface", ["memory", "asgi"])
@pytest.mark.parametrize("root", ["", "/v1"])
async def test_it_is_served_by_its_own_app_below_the_prefix(interface: Literal["memory", "asgi"], root: str) -> None:
    app = NexiosApp()
    app.mount("/tenants/{tenant}", make_inner())

    async with TestClient(app, interface=interface, root_path=root) as client:
        async with client.websocket_connect(f"{root}/tenants/a/ws/7") as ws:
            assert await ws.receive_json() == {
                "app": True,
                "params": {"room": 7},
                "path": f"{root}/tenants/a/ws/7",
                "root": f"{root}/tenants/a",
                "url": f"{root}/tenants/a/ws/8",
            }


async def test_its_exception_handlers_and_origins_are_its_own() -> None:
    app = NexiosApp(allowed_origins=["https://outer.example"])
    app.mount("/inner", make_inner())

    async with TestClient(app) as client:
        async with client.websocket_connect("/inner/fails", headers={"origin": "https://inner.example"}) as ws:
            assert (await ws.wait_closed())[0] == 4044
        for path in ("/inner/fails", "/inner/nothing"):
            with pytest.raises(WebSocketDenied):
                async with client.websocket_connect(path, headers={"origin": "https://outer.example"}):
                    pass


async def test_middleware_and_listeners_of_the_outer_app_see_it_too() -> None:
    seen: list[object] = []

    async def watching(websocket: WebSocket, call_next: Any) -> None:
        before = (websocket.root_path, websocket.app)
        await call_next()
        seen.append((websocket.close_code, (websocket.root_path, websocket.app) == before))

    inner, app = make_inner(), NexiosApp(websocket_middleware=[watching])
    for name, one in (("outer", app), ("inner", inner)):
        one.events.on("websocket.connected", lambda websocket, name=name: seen.append(f"{name} connected"))
        one.events.on("websocket.disconnected", lambda websocket, name=name: seen.append(f"{name} disconnected"))
    app.mount("/inner", inner)

    async with TestClient(app) as client, client.websocket_connect("/inner/ws/1") as ws:
        await ws.wait_closed()

    assert seen == [
        "outer connected",
        "inner connected",
        "inner disconnected",
        (1000, True),
        "outer disconnected",
    ]


async def test_what_is_mounted_and_has_no_websockets_is_a_404() -> None:
    async def foreign(scope: Any, receive: Any, send: Any) -> None: ...

    app, plain = NexiosApp(), NexiosApp()
    app.mount("/foreign", foreign)
    app.mount("/plain", plain)
    app.mount("/", make_inner())

    async with TestClient(app) as client:
        for path in ("/foreign/ws/1", "/plain/ws/1", "/elsewhere"):
            with pytest.raises(WebSocketDenied, match="404"):
                async with client.websocket_connect(path):
                    pass
        async with client.websocket_connect("/ws/1") as ws:
            assert (await ws.receive_json())["root"] == ""


class ForRequests(BaseMiddleware):
    async def __call__(self, request: Any, response: Any, call_next: Any) -> Any:
        return await call_next()


@pytest.mark.parametrize("options", [{"middleware": [ForRequests()]}, {"dependencies": [Depend(lambda: None)]}])
def test_a_check_around_the_mount_that_websockets_would_go_around_is_refused(options: Any) -> None:
    app, outer = NexiosApp(), Router("/outer", **options)
    outer.mount("/inner", make_inner())
    app.include_router(outer)

    with pytest.raises(ConfigurationError, match="the app has WebSocket routes, and a router around it has"):
        app.compile()
