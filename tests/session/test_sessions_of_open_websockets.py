"""A WebSocket that was let in by a session is closed when the session ends, and not before."""

import logging
from typing import Any

import pytest

from nexios.auth import SessionAuth, requires
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient
from nexios.testing.websocket import WebSocketSession
from nexios.websockets import Heartbeat, WebSocket
from tests.session.long_lived import ENDS, FailingStore, Time, app_with, signed_in
from tests.session.visitor import KEY

CLOSED = (4401, "the session has ended")


@pytest.fixture
def time() -> Time:
    return Time()


async def is_open(socket: WebSocketSession) -> bool:
    await socket.send_text("there?")
    return await socket.receive_text() == "there?"


@pytest.mark.parametrize("path", ENDS)
async def test_a_websocket_is_closed_when_its_session_was_ended(time: Time, path: str) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore()), time) as client,
        client.websocket_connect("/mine") as socket,
    ):
        assert await socket.receive_text() == "ada"
        await time.advance(119)
        assert await is_open(socket)
        await client.post(path)
        await time.advance(1)

        assert await socket.wait_closed() == CLOSED
    assert time.sockets.waiting == 0


async def test_the_sessions_of_others_go_on(time: Time) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore()), time) as client,
        client.websocket_connect("/mine") as socket,
    ):
        assert await socket.receive_text() == "ada"
        await client.post("/end-all/bob")
        await time.advance(180)

        assert await is_open(socket)


async def test_a_websocket_that_never_looked_at_its_session_stays(time: Time) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore()), time) as client,
        client.websocket_connect("/everybodys") as socket,
    ):
        await client.post("/logout")
        await time.advance(180)

        assert await is_open(socket)


async def test_a_client_without_a_session_stays_and_no_timer_waits(time: Time) -> None:
    app = app_with(time, store=MemoryStore())
    async with TestClient(app, clock=time.sockets) as client, client.websocket_connect("/mine") as socket:
        assert await socket.receive_text() == "None"
        assert time.sockets.waiting == 0
        await time.advance(180)

        assert await is_open(socket)


@pytest.mark.parametrize("kept", ["store", "cookie"])
async def test_f5_a_websocket_is_closed_when_nothing_was_heard_for_the_idle_timeout(time: Time, kept: str) -> None:
    options: dict[str, Any] = {"store": MemoryStore(clock=time.wall)} if kept == "store" else {"secret_key": KEY}
    async with (
        signed_in(app_with(time, idle_timeout=600, **options), time) as client,
        client.websocket_connect("/mine") as socket,
    ):
        assert await socket.receive_text() == "ada"
        await time.advance(599)
        assert socket.close_code is None
        await time.advance(1)

        assert await socket.wait_closed() == CLOSED


@pytest.mark.parametrize("kept", ["store", "cookie"])
async def test_f5_messages_that_are_read_are_a_use_and_the_absolute_timeout_stands(time: Time, kept: str) -> None:
    options: dict[str, Any] = {"store": MemoryStore(clock=time.wall)} if kept == "store" else {"secret_key": KEY}
    async with (
        signed_in(app_with(time, idle_timeout=600, absolute_timeout=1800, **options), time) as client,
        client.websocket_connect("/mine") as socket,
    ):
        assert await socket.receive_text() == "ada"
        for _ in range(5):
            await time.advance(300)
            assert await is_open(socket)
        assert kept == "cookie" or (await client.get("/who")).text == "ada"
        await time.advance(300)

        assert await socket.wait_closed() == CLOSED


async def test_a_page_that_only_answers_heartbeats_uses_nothing(time: Time) -> None:
    app = app_with(time, idle_timeout=600, secret_key=KEY)
    app.add_websocket_middleware(Heartbeat, interval=45, timeout=100)
    async with signed_in(app, time) as client, client.websocket_connect("/mine") as socket:
        assert await socket.receive_text() == "ada"
        for _ in range(13):
            await time.advance(45)
            assert await socket.receive_text() == '{"type":"ping"}'
            await socket.send_text('{"type":"pong"}')
        await time.advance(15)

        assert await socket.wait_closed() == CLOSED


async def test_a_store_that_fails_closes_nothing_and_is_one_line(time: Time, caplog: Any) -> None:
    store = FailingStore()
    async with (
        signed_in(app_with(time, store=store), time) as client,
        client.websocket_connect("/mine") as socket,
        client.websocket_connect("/mine") as another,
    ):
        assert await socket.receive_text() == await another.receive_text() == "ada"
        store.is_down, before = True, store.asked
        with caplog.at_level(logging.WARNING, logger="nexios"):
            await time.advance(300)
        assert store.asked == before + 10
        assert await is_open(socket)
        assert [record.message for record in caplog.records] == [
            "nobody can say whether open connections may stay, so they stay"
        ]

        store.is_down = False
        await client.post("/logout")
        await time.advance(60)
        assert await socket.wait_closed() == CLOSED


async def test_how_often_it_is_looked_at_is_an_option(time: Time) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore(), session_recheck=5), time) as client,
        client.websocket_connect("/mine") as socket,
    ):
        assert await socket.receive_text() == "ada"
        await client.post("/logout")
        await time.advance(5)

        assert await socket.wait_closed() == CLOSED


async def test_without_a_recheck_a_websocket_stays_and_no_timer_waits(time: Time) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore(), session_recheck=None), time) as client,
        client.websocket_connect("/mine") as socket,
    ):
        assert await socket.receive_text() == "ada"
        assert time.sockets.waiting == 0
        await client.post("/logout")
        await time.advance(180)

        assert await is_open(socket)


@pytest.mark.parametrize("seconds", [0, -1, True, "60", float("inf"), float("nan")], ids=repr)
def test_a_recheck_is_a_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="'session_recheck' of SessionMiddleware is a number of seconds"):
        SessionMiddleware(secret_key=KEY, session_recheck=seconds)


async def test_a_websocket_is_closed_when_its_user_is_put_out(time: Time) -> None:
    """The session is there, and `find_user` says that nobody of this name is left."""
    users = {"ada": {"name": "Ada"}}

    async def find_user(user_id: str) -> Any:
        return users.get(user_id)

    app = app_with(time, store=MemoryStore())
    app.auth_backend = SessionAuth(find_user)

    @app.websocket("/members")
    @requires()
    async def members(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(str(message))

    async with signed_in(app, time) as client, client.websocket_connect("/members") as socket:
        await time.advance(60)
        assert await is_open(socket)
        users.clear()
        await time.advance(60)

        assert await socket.wait_closed() == (4401, "the credentials hold no more")
    assert time.sockets.waiting == 0
