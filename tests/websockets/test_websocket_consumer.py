"""Classes that serve a WebSocket with each instance."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from nexios import Depend, HTTPException, NexiosApp
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied
from nexios.websockets.consumer import WebSocketConsumer, on


class ChatMessage(msgspec.Struct, tag="chat.message"):
    text: str


class Typing(msgspec.Struct, tag="chat.typing"):
    user: str


def app_of(consumer: type[WebSocketConsumer], path: str = "/ws") -> NexiosApp:
    app = NexiosApp()
    app.websocket(path)(consumer)
    return app


async def test_a_class_is_registered_by_the_decorator_and_gets_what_a_handler_gets() -> None:
    events: list[object] = []

    async def session() -> AsyncIterator[str]:
        events.append("open")
        yield "session"
        events.append("close")

    app = NexiosApp()

    @app.websocket("/rooms/{room:int}")
    class Chat(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket, room: int, page: int = 1, used: str = Depend(session)) -> None:
            self.room = room
            events.append((room, page, used))

        async def on_receive(self, websocket: WebSocket, message: Any) -> None:
            await websocket.send_json([self.room, message])

        async def on_disconnect(self, websocket: WebSocket, code: int) -> None:
            events.append((code, websocket.close_reason))

    async with TestClient(app) as client:
        async with client.websocket_connect("/rooms/7?page=3") as ws:
            await ws.send_json({"a": 1})
            assert await ws.receive_json() == [7, {"a": 1}]
            await ws.close(4001, "bye")

    assert events == ["open", (7, 3, "session"), (4001, "bye"), "close"]
    assert app.url_for("Chat", room=7) == "/rooms/7"


async def test_each_client_has_an_instance_of_its_own() -> None:
    class Counter(WebSocketConsumer):
        count = 0

        async def on_receive(self, websocket: WebSocket, message: Any) -> None:
            self.count += 1
            await websocket.send_json(self.count)

    async with TestClient(app_of(Counter)) as client:
        async with client.websocket_connect("/ws") as one, client.websocket_connect("/ws") as other:
            for ws in (one, one, other):
                await ws.send_json({})

            assert [await one.receive_json(), await one.receive_json(), await other.receive_json()] == [1, 2, 1]


async def test_messages_go_to_the_listener_of_their_tag() -> None:
    class Chat(WebSocketConsumer):
        @on("chat.message")
        async def said(self, websocket: WebSocket, message: ChatMessage) -> None:
            await websocket.send_text(f"said {message.text}")

        @on("chat.typing")
        async def types(self, websocket: WebSocket, message: Typing) -> None:
            await websocket.send_text(f"{message.user} types")

        @on("any")
        @on("other")
        async def anything(self, websocket: WebSocket, message: Any) -> None:
            await websocket.send_json(message)

    async with TestClient(app_of(Chat)) as client, client.websocket_connect("/ws") as ws:
        await ws.send_json({"type": "chat.message", "text": "hello"})
        await ws.send_json({"type": "chat.typing", "user": "ada"})
        await ws.send_json({"type": "other", "x": [1]})

        assert [await ws.receive_text() for _ in range(2)] == ["said hello", "ada types"]
        assert await ws.receive_json() == {"type": "other", "x": [1]}


@pytest.mark.parametrize(
    ("message", "errors"),
    [
        ('{"type":"chat.message"}', [("/text", "missing")]),
        ('{"type":"chat.message","text":1}', [("/text", "type")]),
        ('{"type":"nobody"}', [("/type", "unknown_tag")]),
        ('{"type":1}', [("/type", "type")]),
        ("{}", [("/type", "missing")]),
        ("[]", [("", "type")]),
    ],
)
async def test_a_bad_message_is_answered_and_the_next_one_is_taken(message: str, errors: list[tuple[str, str]]) -> None:
    class Chat(WebSocketConsumer):
        @on("chat.message")
        async def said(self, websocket: WebSocket, message: ChatMessage) -> None:
            await websocket.send_text(message.text)

    async with TestClient(app_of(Chat)) as client, client.websocket_connect("/ws") as ws:
        await ws.send_text(message)
        await ws.send_json({"type": "chat.message", "text": "still here"})
        answer = await ws.receive_json()

        assert (answer["type"], answer["code"]) == ("error", "invalid_message")
        assert [(error["pointer"], error["code"]) for error in answer["errors"]] == errors
        assert await ws.receive_text() == "still here"


async def test_messages_of_on_receive_are_of_the_type_or_kind_that_the_class_says() -> None:
    class Typed(WebSocketConsumer):
        message = ChatMessage | Typing

        async def on_receive(self, websocket: WebSocket, message: ChatMessage | Typing) -> None:
            await websocket.send_text(type(message).__name__)

    class Binary(WebSocketConsumer):
        encoding = "bytes"

        async def on_receive(self, websocket: WebSocket, message: bytes) -> None:
            await websocket.send_bytes(message)

    async with TestClient(app_of(Typed)) as client, client.websocket_connect("/ws") as ws:
        await ws.send_json({"type": "chat.typing", "user": "ada"})
        assert await ws.receive_text() == "Typing"
    async with TestClient(app_of(Binary)) as client, client.websocket_connect("/ws") as ws:
        await ws.send_text("no")
        await ws.send_bytes(b"yes")
        assert (await ws.receive_json())["code"] == "wrong_kind"
        assert await ws.receive_bytes() == b"yes"


async def test_a_client_can_be_kept_out() -> None:
    ends: list[int] = []

    class Private(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket, key: str = "") -> None:
            if key != "open":
                raise HTTPException(401)
            await websocket.accept()

        async def on_disconnect(self, websocket: WebSocket, code: int) -> None:
            ends.append(code)

    async with TestClient(app_of(Private)) as client:
        with pytest.raises(WebSocketDenied, match="401"):
            async with client.websocket_connect("/ws"):
                pass
        async with client.websocket_connect("/ws?key=open"):
            pass

    assert ends == [1000]


async def test_on_disconnect_is_called_once_when_a_listener_fails() -> None:
    ends: list[int] = []

    class Broken(WebSocketConsumer):
        async def on_receive(self, websocket: WebSocket, message: Any) -> None:
            raise KeyError("a fault of the listener")

        async def on_disconnect(self, websocket: WebSocket, code: int) -> None:
            ends.append(code)

    async with TestClient(app_of(Broken), raise_app_exceptions=False) as client:
        async with client.websocket_connect("/ws") as ws:
            await ws.send_json({})
            assert await ws.wait_closed() == (1011, "")

    assert ends == [1011]


def broken_by(**members: Any) -> type[WebSocketConsumer]:
    return type("Chat", (WebSocketConsumer,), members)


def not_async(self: Any, websocket: WebSocket) -> None: ...


async def needs_more(self: Any, websocket: WebSocket, nobody: Any) -> None: ...


def needs_arguments(self: Any, room: str) -> None: ...


@pytest.mark.parametrize(
    ("consumer", "words"),
    [
        (broken_by(on_connect=not_async), r"on_connect\(\) is no async function"),
        (broken_by(on_disconnect=not_async), r"on_disconnect\(\) is no async function"),
        (broken_by(__init__=needs_arguments), "cannot be made without arguments: missing a required argument: 'room'"),
        (broken_by(on_connect=needs_more), "nothing fills the parameter 'nobody'"),
        (int, r"the class int does not serve WebSockets.*(\n.*)*class int\(WebSocketConsumer\)"),
    ],
)
def test_a_class_that_cannot_serve_is_refused_at_compile(consumer: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        app_of(consumer).compile()
