"""A WebSocket that credentials let in is closed when they hold no more: run out, revoked, or with fewer rights."""

import logging
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.auth import APIKeyAuth, APIKeys, AuthBackend, BearerAuth, InvalidCredentials, requires
from nexios.auth.jwt import JWT, JWTAuth
from nexios.errors import ConfigurationError
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient
from nexios.websockets import WebSocket
from nexios.websockets.clock import ManualClock

KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
CLOSED = (4401, "the credentials hold no more")
NOON = 1_700_000_000.0


def app_with(*backends: Any) -> NexiosApp:
    app = NexiosApp(openapi=None, dependencies=[requires()])
    app.auth_backend = list(backends)

    @app.websocket("/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(str(message))

    return app


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def headers_of(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def is_open(socket: Any) -> bool:
    await socket.send_text("there?")
    return bool(await socket.receive_text() == "there?")


async def test_a_websocket_is_closed_after_its_token_has_expired(clock: ManualClock) -> None:
    tokens = JWT(KEY, algorithms="HS256", issuer="https://books.example", audience="books", clock=wall(clock))
    token = tokens.issue("ada", expires_in=150)

    async with (
        TestClient(app_with(JWTAuth(tokens)), clock=clock) as client,
        client.websocket_connect("/feed", headers=headers_of(token)) as socket,
    ):
        await clock.advance(120)
        assert await is_open(socket)
        await clock.advance(60)

        assert await socket.wait_closed() == CLOSED
    assert clock.waiting == 0


async def test_a_websocket_is_closed_after_its_token_was_put_on_a_list_of_those_denied(clock: ManualClock) -> None:
    """A token says its `jti`; what the app looks up in `find_user` holds for open WebSockets, too."""
    tokens = JWT(KEY, algorithms="HS256", issuer="https://books.example", audience="books", clock=wall(clock))
    denied: set[str] = set()

    async def find_user(claims: dict[str, Any]) -> Any:
        return None if claims["jti"] in denied else {"name": claims["sub"]}

    token = tokens.issue("ada", claims={"jti": "one"})
    async with (
        TestClient(app_with(JWTAuth(tokens, find_user=find_user)), clock=clock) as client,
        client.websocket_connect("/feed", headers=headers_of(token)) as socket,
    ):
        await clock.advance(60)
        assert await is_open(socket)
        denied.add("one")
        await clock.advance(60)

        assert await socket.wait_closed() == CLOSED


async def test_a_websocket_is_closed_after_its_key_was_revoked(clock: ManualClock) -> None:
    keys = APIKeys(MemoryStore())
    async with keys.lifespan(None), TestClient(app_with(APIKeyAuth(keys)), clock=clock) as client:
        new = await keys.issue("build-server")
        async with client.websocket_connect("/feed", headers={"x-api-key": new.text}) as socket:
            await clock.advance(60)
            assert await is_open(socket)
            await keys.revoke(new.key.id)
            await clock.advance(60)

            assert await socket.wait_closed() == CLOSED


async def test_a_websocket_is_closed_after_its_token_lost_a_scope(clock: ManualClock) -> None:
    granted = ["read", "write"]

    async def find(token: str) -> Any:
        return {"name": "ada"}, tuple(granted)

    async with (
        TestClient(app_with(BearerAuth(find)), clock=clock) as client,
        client.websocket_connect("/feed", headers=headers_of("t")) as socket,
    ):
        granted.append("more")
        await clock.advance(60)
        assert await is_open(socket)
        granted.remove("write")
        await clock.advance(60)

        assert await socket.wait_closed() == CLOSED


async def test_only_the_backend_that_knew_the_client_is_asked_again(clock: ManualClock) -> None:
    asked: list[str] = []

    class First(AuthBackend):
        recheck = 60.0

        async def authenticate(self, request: Any) -> Any:
            asked.append("first")
            return None

    class Second(AuthBackend):
        recheck = 60.0

        async def authenticate(self, request: Any) -> Any:
            asked.append("second")
            return {"name": "ada"}

    async with TestClient(app_with(First(), Second()), clock=clock) as client, client.websocket_connect("/feed"):
        await clock.advance(120)

        assert asked == ["first", "second", "second", "second"]


async def test_a_ticket_that_is_good_for_one_handshake_is_asked_for_once(clock: ManualClock) -> None:
    """A backend of an app is not asked again unless it says so."""
    tickets = {"only-once"}

    class Tickets(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            ticket = request.query_params["ticket"]
            if ticket not in tickets:
                raise InvalidCredentials
            tickets.remove(ticket)
            return {"name": "ada"}

    async with (
        TestClient(app_with(Tickets()), clock=clock) as client,
        client.websocket_connect("/feed?ticket=only-once") as socket,
    ):
        await clock.advance(600)

        assert await is_open(socket)
        assert clock.waiting == 0


async def test_a_backend_that_fails_closes_nothing_and_is_one_line(clock: ManualClock, caplog: Any) -> None:
    is_down = False

    async def find(token: str) -> Any:
        if is_down:
            raise TimeoutError
        return {"name": "ada"}

    async with (
        TestClient(app_with(BearerAuth(find)), clock=clock) as client,
        client.websocket_connect("/feed", headers=headers_of("t")) as socket,
        client.websocket_connect("/feed", headers=headers_of("t")),
    ):
        is_down = True
        with caplog.at_level(logging.WARNING, logger="nexios"):
            await clock.advance(300)

        assert await is_open(socket)
        assert [record.message for record in caplog.records] == [
            "nobody can say whether open connections may stay, so they stay"
        ]


@pytest.mark.parametrize("seconds", [0, -1.0, True, "60", float("nan")], ids=repr)
def test_a_recheck_is_a_number_of_seconds(seconds: Any) -> None:
    class Wrong(AuthBackend):
        recheck: Any = seconds

        async def authenticate(self, request: Any) -> Any:
            return None

    with pytest.raises(ConfigurationError, match=r"Wrong\.recheck = "), TestClient(app_with(Wrong())):
        pass


def wall(clock: ManualClock) -> Any:
    return lambda: NOON + clock.time()
