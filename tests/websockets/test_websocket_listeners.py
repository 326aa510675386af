"""Functions that listen to messages by their tag."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError
from nexios.messages.websocket import BadMessage, WebSocket
from nexios.testing.client import TestClient
from nexios.websockets.consumer import on
from nexios.websockets.listeners import Listeners


class Moved(msgspec.Struct, tag="moved"):
    x: int


class Untagged(msgspec.Struct, forbid_unknown_fields=True):
    x: int


@dataclass
class Named:
    name: str


def app_of(listeners: Listeners) -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await listeners.listen(websocket)
        app.state.code = websocket.close_code

    return app


async def test_functions_listen_until_the_client_leaves() -> None:
    game = Listeners()

    @game.on("moved")
    async def moved(websocket: WebSocket, message: Moved) -> None:
        await websocket.send_json(message.x)

    @game.on("named")
    async def named(websocket: WebSocket, message: Named) -> None:
        await websocket.send_text(message.name)

    app = app_of(game)
    async with TestClient(app) as client:
        async with client.websocket_connect("/ws") as ws:
            await ws.send_json({"type": "moved", "x": 3})
            await ws.send_json({"type": "named", "name": "ada"})
            assert (await ws.receive_json(), await ws.receive_text()) == (3, "ada")
            await ws.close(4000)

    assert app.state.code == 4000
    assert game.messages == {"moved": Moved, "named": Named}


async def test_a_listener_refuses_a_message_in_its_own_words() -> None:
    game = Listeners(tag_field="kind")

    @game.on("moved")
    async def moved(websocket: WebSocket, message: dict[str, Any]) -> None:
        raise BadMessage("That field is taken.", error="taken")

    async with TestClient(app_of(game)) as client, client.websocket_connect("/ws") as ws:
        for _ in range(2):
            await ws.send_json({"kind": "moved"})
            assert await ws.receive_json() == {
                "type": "error",
                "code": "taken",
                "detail": "That field is taken.",
                "errors": [],
            }


async def taken(websocket: WebSocket, message: Moved) -> None: ...


async def untagged(websocket: WebSocket, message: Untagged) -> None: ...


async def unknown(websocket: WebSocket, message: BaseException) -> None: ...


async def one_parameter(websocket: WebSocket) -> None: ...


def not_async(websocket: WebSocket, message: Moved) -> None: ...


@pytest.mark.parametrize(
    ("tag", "listener", "words"),
    [
        ("other", taken, "taken() cannot listen to 'other': Moved is tagged type='moved'"),
        ("other", untagged, "Untagged has no tag and forbids other fields; write tag='other'"),
        ("other", one_parameter, "it does not take (websocket, message)"),
        ("other", not_async, "it is no async function"),
        ("first", taken, "the tag is that of first() already"),
        ("other", unknown, "no type backend handles"),
        ("", taken, "on() takes the tag of a message"),
        (taken, taken, "on() takes the tag of a message"),
    ],
)
def test_a_listener_that_could_not_work_is_refused_when_it_is_registered(tag: Any, listener: Any, words: str) -> None:
    game = Listeners()

    @game.on("first")
    async def first(websocket: WebSocket, message: Any) -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        game.on(tag)(listener)

    assert words in str(caught.value)


def test_a_decorator_without_a_tag_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="on\\(\\) takes the tag of a message"):
        on(taken)  # type: ignore[arg-type]
