"""An event stream that credentials let in ends when they hold no more."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from nexios.auth import APIKeyAuth, APIKeys, BearerAuth, InvalidCredentials, requires
from nexios.auth.jwt import JWT, JWTAuth
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient
from nexios.websockets.clock import ManualClock
from tests.auth.test_credentials_of_open_websockets import KEY, headers_of, wall
from tests.session.long_lived import endless


def app_with(backend: Any) -> NexiosApp:
    app = NexiosApp(openapi=None, dependencies=[requires()])
    app.auth_backend = backend

    @app.get("/feed")
    async def feed(request: Request, response: Response) -> Response:
        return response.sse(endless("hello"))

    return app


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_an_event_stream_ends_after_its_token_has_expired(clock: ManualClock) -> None:
    tokens = JWT(KEY, algorithms="HS256", issuer="https://books.example", audience="books", clock=wall(clock))
    headers = headers_of(tokens.issue("ada", expires_in=150))

    async with TestClient(app_with(JWTAuth(tokens)), clock=clock) as client:
        async with client.stream_events("GET", "/feed", headers=headers) as events:
            assert (await events.next()).data == "hello"
            await clock.advance(120)
            assert events.retry is None
            await clock.advance(60)

            with pytest.raises(EOFError):
                await events.next()
        assert (await client.get("/feed", headers=headers)).status_code == 401
    assert clock.waiting == 0


async def test_an_event_stream_ends_after_its_key_was_revoked(clock: ManualClock) -> None:
    keys = APIKeys(MemoryStore())
    async with keys.lifespan(None), TestClient(app_with(APIKeyAuth(keys)), clock=clock) as client:
        new = await keys.issue("build-server")
        async with client.stream_events("GET", "/feed", headers={"x-api-key": new.text}) as events:
            await clock.advance(60)
            assert (await events.next()).data == "hello"
            await keys.revoke(new.key.id)
            await clock.advance(60)

            with pytest.raises(EOFError):
                await events.next()


async def test_a_backend_with_dependencies_is_asked_with_them(clock: ManualClock) -> None:
    denied: set[str] = set()

    async def denials() -> set[str]:
        return denied

    class Tickets:
        recheck = 10.0

        async def authenticate(self, request: Request, denied: Annotated[set[str], Depend(denials)]) -> Any:
            ticket = request.headers.get("x-ticket")
            return None if ticket is None or ticket in denied else {"ticket": ticket}

    async with (
        TestClient(app_with(Tickets()), clock=clock) as client,
        client.stream_events("GET", "/feed", headers={"x-ticket": "one"}) as events,
    ):
        await clock.advance(20)
        assert (await events.next()).data == "hello"
        denied.add("one")
        await clock.advance(10)

        with pytest.raises(EOFError):
            await events.next()


async def test_a_backend_is_given_new_dependencies_each_time(clock: ManualClock) -> None:
    """Those of the handler are its own: they are neither asked twice nor closed by what the backend says."""
    users = {"ada"}
    opened: list[str] = []

    async def database() -> AsyncIterator[set[str]]:
        opened.append("opened")
        try:
            yield set(users)
        except InvalidCredentials:
            opened.append("broken off")
            raise
        finally:
            opened.append("closed")

    class Accounts:
        recheck = 10.0

        async def authenticate(self, request: Request, users: Annotated[set[str], Depend(database)]) -> Any:
            if "ada" not in users:
                raise InvalidCredentials
            return {"name": "ada"}

    app = NexiosApp(openapi=None)
    app.auth_backend = Accounts()

    @app.get("/feed")
    @requires()
    async def feed(request: Request, response: Response, users: Annotated[set[str], Depend(database)]) -> Response:
        return response.sse(endless("hello"))

    async with TestClient(app, clock=clock) as client, client.stream_events("GET", "/feed") as events:
        await clock.advance(20)
        assert (await events.next()).data == "hello"
        assert opened == ["opened", "opened", "closed", "opened", "closed"]
        users.clear()
        await clock.advance(10)
        with pytest.raises(EOFError):
            await events.next()
        assert opened[5:8] == ["opened", "broken off", "closed"]

    assert opened[8:] == ["closed"]


@pytest.mark.parametrize(("status", "stays"), [(401, False), (403, False), (404, False), (429, True), (503, True)])
async def test_what_refuses_a_request_ends_its_stream_and_what_cannot_say_does_not(
    clock: ManualClock, status: int, stays: bool
) -> None:
    refuse = False

    async def find(token: str) -> Any:
        if refuse:
            raise HTTPException(status)
        return {"name": "ada"}

    async with (
        TestClient(app_with(BearerAuth(find)), clock=clock) as client,
        client.stream_events("GET", "/feed", headers=headers_of("t")) as events,
    ):
        assert (await events.next()).data == "hello"
        refuse = True
        await clock.advance(60)
        if stays:
            assert (await events.next_comment(), events.retry) == ("", None)
        else:
            with pytest.raises(EOFError):
                await events.next()


async def test_without_a_recheck_a_stream_stays(clock: ManualClock) -> None:
    known = True

    async def find(token: str) -> Any:
        return {"name": "ada"} if known else None

    backend = BearerAuth(find)
    backend.recheck = None
    async with (
        TestClient(app_with(backend), clock=clock) as client,
        client.stream_events("GET", "/feed", headers=headers_of("t")) as events,
    ):
        assert clock.waiting == 1  # the signs of life
        known = False
        await clock.advance(180)

        assert (await events.next()).data == "hello"
        assert events.retry is None
