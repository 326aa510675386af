"""A class that would swallow its messages, or fail at the end of each, is found when the app is compiled."""

from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError
from nexios.testing import TestClient
from nexios.websockets import WebSocket, WebSocketConsumer, on


def refusal_of(consumer: type[WebSocketConsumer]) -> str:
    app = NexiosApp()
    app.websocket("/ws")(consumer)
    with pytest.raises(ConfigurationError) as caught:
        app.asyncapi()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("on_message", "on_receive"),
        ("on_recieve", "on_receive"),
        ("receive", "on_receive"),
        ("receive_json", "on_receive"),
        ("connect", "on_connect"),
        ("on_conect", "on_connect"),
        ("disconnect", "on_disconnect"),
        ("on_close", "on_disconnect"),
    ],
)
def test_a_name_from_elsewhere_or_misspelt_is_told_with_the_one_that_is_meant(name: str, meant: str) -> None:
    async def method(self: Any, websocket: WebSocket, message: Any) -> None: ...

    text = refusal_of(type("Chat", (WebSocketConsumer,), {name: method}))

    assert f"Chat cannot serve WebSockets: nobody calls {name}(). Did you mean {meant}()?\n" in text
    assert f"{__file__}:" in text
    assert f"async def {meant}(self, websocket: WebSocket" in text


def test_a_misspelt_method_is_told_beside_a_receiver_too() -> None:
    class Chat(WebSocketConsumer):
        async def on_receive(self, websocket: WebSocket, message: Any) -> None: ...

        async def on_disconect(self, websocket: WebSocket, code: int) -> None: ...

    assert "nobody calls on_disconect(). Did you mean on_disconnect()?" in refusal_of(Chat)


def test_a_listener_without_its_decorator_is_told() -> None:
    class Chat(WebSocketConsumer):
        async def said(self, websocket: WebSocket, message: Any) -> None: ...

    text = refusal_of(Chat)

    assert "nobody calls said(), and no method takes the messages. Decorate it with @on(" in text
    assert "or call it _said() if you call it yourself" in text


@pytest.mark.parametrize("name", ["on_disconnect", "on_receive"])
def test_a_method_that_does_not_take_what_it_is_given_is_told(name: str) -> None:
    async def method(self: Any, websocket: WebSocket) -> None: ...

    text = refusal_of(type("Chat", (WebSocketConsumer,), {name: method}))

    second = {"on_disconnect": "code", "on_receive": "message"}[name]
    assert f"Chat cannot serve WebSockets: {name}() does not take (websocket, {second})." in text
    assert f"async def {name}(self, websocket: WebSocket, {second}: " in text


async def test_a_class_that_only_sends_and_helpers_of_others_are_fine() -> None:
    class Clock(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()
            await self._greet(websocket)

        async def _greet(self, websocket: WebSocket) -> None:
            await websocket.send_text("hello")

    class Chat(WebSocketConsumer):
        @on("said")
        async def said(self, websocket: WebSocket, message: Any) -> None:
            await self.answer(websocket)

        async def answer(self, websocket: WebSocket) -> None:
            await websocket.send_text("heard")

    class Loud(Chat):
        async def receive(self) -> None: ...

    app = NexiosApp()
    for consumer in (Clock, Chat, Loud):
        app.websocket(f"/{consumer.__name__}")(consumer)
    async with TestClient(app) as client:
        async with client.websocket_connect("/Clock") as ws:
            assert await ws.receive_text() == "hello"
        async with client.websocket_connect("/Chat") as ws:
            await ws.send_json({"type": "said"})
            assert await ws.receive_text() == "heard"
