"""Code in a thread publishes by way of the event loop of the hub, and never in a loop of its own."""

import asyncio
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.testing import TestClient
from nexios.websockets import BackendUnavailable, Channel, MemoryBackend, WebSocket


def make_app(backend: MemoryBackend | None = None) -> NexiosApp:
    app = NexiosApp(channels=backend)

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await Channel("room:1").connect(websocket, user="ada", envelope=True)
        async for _ in websocket:
            pass

    @app.post("/publish")
    def publish(request: Any, response: Any) -> int:
        return app.channel("room:1").publish_from_thread({"text": "hello"}, event="said")

    @app.get("/present")
    def present(request: Any, response: Any) -> list[str]:
        return [entry.user for entry in app.hub.run_from_thread(app.channel("room:1").presence())]

    @app.post("/foreign")
    def foreign(request: Any, response: Any) -> int:
        return asyncio.run(app.channel("room:1").publish("hello"))

    return app


async def test_a_handler_in_a_thread_publishes_and_asks() -> None:
    async with TestClient(make_app()) as client, client.websocket_connect("/ws") as ws:
        await ws.receive_json()
        number = (await client.post("/publish")).json()

        assert await ws.receive_json() == {
            "channel": "room:1",
            "sequence": number,
            "event": "said",
            "data": {"text": "hello"},
        }
        assert (await client.get("/present")).json() == ["ada"]


def test_a_test_without_a_loop_publishes_too() -> None:
    with TestClient(make_app()) as client, client.websocket_connect("/ws") as ws:
        ws.receive_json()
        client.app.channel("room:1").publish_from_thread("hello")

        assert ws.receive_json()["data"] == "hello"


async def test_another_event_loop_is_refused_with_what_to_do() -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(RuntimeError, match="publish_from_thread"):
            await client.post("/foreign")


async def test_a_loop_is_not_blocked_to_wait_for_itself() -> None:
    app = make_app()
    async with TestClient(app):
        with pytest.raises(RuntimeError, match=r"await app\.channel"):
            app.channel("room:1").publish_from_thread("hello")


def test_channels_that_are_not_running_say_so() -> None:
    with pytest.raises(RuntimeError, match="start and stop with the app"):
        make_app().channel("room:1").publish_from_thread("hello")


async def test_what_goes_wrong_is_raised_in_the_thread() -> None:
    class Away(MemoryBackend):
        async def publish(self, channel: str, body: bytes, *, keep: Any) -> int:
            raise BackendUnavailable("the engine is away")

    async with TestClient(make_app(Away())) as client:
        answer = await client.post("/publish")

    assert (answer.status_code, answer.json()["detail"]) == (503, "Service Unavailable")


def test_a_hub_whose_loop_is_over_may_be_used_in_the_next() -> None:
    """A script that never stops its hub, as a notebook, has one loop after the other."""
    channel = make_app().channel("room:1")
    first = asyncio.run(channel.publish("one"))

    async def publish_from_a_thread() -> int:
        await channel.history()
        return await asyncio.to_thread(channel.publish_from_thread, "three")

    assert asyncio.run(channel.publish("two")) == first + 1
    assert asyncio.run(publish_from_a_thread()) == first + 2


def test_two_clients_of_one_app_may_be_open_and_one_of_them_has_the_channels() -> None:
    app = make_app()
    with TestClient(app) as client, TestClient(app) as other:
        assert client.post("/publish").json() > 0
        with pytest.raises(RuntimeError, match="by one client"), other.websocket_connect("/ws"):
            pass
