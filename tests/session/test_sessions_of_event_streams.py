"""An event stream that a session let in ends when the session does, and not before."""

import asyncio
import logging
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.auth import SessionAuth, login, requires
from nexios.session import SessionMiddleware
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient
from tests.session.long_lived import ENDS, FailingStore, Time, app_with, endless, signed_in
from tests.session.visitor import KEY


@pytest.fixture
def time() -> Time:
    return Time()


async def ends(events: Any) -> int | None:
    """Wait for the end, and return after how many milliseconds the client is to come back."""
    with pytest.raises(EOFError):
        await events.next()
    retry: int | None = events.retry
    return retry


@pytest.mark.parametrize("path", ENDS)
async def test_an_event_stream_ends_when_its_session_was_ended(time: Time, path: str) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore()), time) as client,
        client.stream_events("GET", "/my-events") as events,
    ):
        assert (await events.next()).data == "ada"
        await client.post(path)
        comments = len(events.comments)
        await time.advance(59)
        await events.next_comment()
        assert (len(events.comments) > comments, events.retry) == (True, None)
        await time.advance(1)

        assert 1000 <= (await ends(events) or 0) < 2000
    assert time.sockets.waiting == 0


async def test_the_streams_of_others_go_on(time: Time) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore()), time) as client,
        client.stream_events("GET", "/my-events") as mine,
        client.stream_events("GET", "/everybodys-events") as everybodys,
    ):
        assert [(await one.next()).data for one in (mine, everybodys)] == ["ada", "hello"]
        await client.post("/end-all/bob")
        await time.advance(180)
        await mine.next_comment()
        await client.post("/logout")
        await time.advance(180)

        assert await ends(mine)
        assert (await everybodys.next_comment(), everybodys.retry) == ("", None)


@pytest.mark.parametrize("kept", ["store", "cookie"])
async def test_an_event_stream_ends_with_the_idle_timeout(time: Time, kept: str) -> None:
    options: dict[str, Any] = {"store": MemoryStore(clock=time.wall)} if kept == "store" else {"secret_key": KEY}
    async with (
        signed_in(app_with(time, idle_timeout=600, **options), time) as client,
        client.stream_events("GET", "/my-events") as events,
    ):
        await time.advance(599)
        assert events.retry is None
        await time.advance(1)

        assert (await events.next()).data == "ada"
        assert await ends(events)


async def test_json_lines_have_an_end_of_their_own(time: Time) -> None:
    """An export is one answer, however long it takes; to break it off would lose it."""
    async with (
        signed_in(app_with(time, store=MemoryStore()), time) as client,
        client.stream("GET", "/my-lines") as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == '"ada"'
        await client.post("/logout")
        assert time.sockets.waiting == 0


async def test_a_client_without_a_session_stays_and_only_signs_of_life_are_timed(time: Time) -> None:
    app = app_with(time, store=MemoryStore())
    async with TestClient(app, clock=time.sockets) as client, client.stream_events("GET", "/my-events") as events:
        assert (await events.next()).data == "None"
        assert time.sockets.waiting == 1
        await time.advance(180)

        assert (await events.next_comment(), events.retry) == ("", None)


async def test_a_stream_from_the_request_that_signs_in_is_not_taken_for_the_session_before(time: Time) -> None:
    app = app_with(time, store=MemoryStore())

    @app.get("/enter")
    async def enter(request: Request, response: Response) -> Response:
        await login(request, "bob")
        return response.sse(endless("welcome"))

    async with signed_in(app, time) as client, client.stream_events("GET", "/enter") as events:
        assert (await events.next()).data == "welcome"
        await time.advance(180)
        assert (await events.next_comment(), events.retry) == ("", None)
        await client.post("/end-all/bob")
        await time.advance(60)

        assert await ends(events)


async def test_a_store_that_fails_ends_nothing_and_is_one_line(time: Time, caplog: Any) -> None:
    store = FailingStore()
    async with (
        signed_in(app_with(time, store=store), time) as client,
        client.stream_events("GET", "/my-events") as events,
        client.stream_events("GET", "/my-events") as others,
    ):
        assert (await events.next()).data == (await others.next()).data == "ada"
        store.is_down = True
        with caplog.at_level(logging.WARNING, logger="nexios"):
            await time.advance(300)
        assert [record.message for record in caplog.records] == [
            "nobody can say whether open connections may stay, so they stay"
        ]

        store.is_down = False
        await client.post("/logout")
        await time.advance(60)
        assert await ends(events)


async def test_without_a_recheck_a_stream_stays(time: Time) -> None:
    async with (
        signed_in(app_with(time, store=MemoryStore(), session_recheck=None), time) as client,
        client.stream_events("GET", "/my-events") as events,
    ):
        await client.post("/logout")
        await time.advance(180)

        assert (await events.next()).data == "ada"
        assert events.retry is None


async def test_an_event_stream_ends_when_its_user_is_put_out(time: Time) -> None:
    users = {"ada": {"name": "Ada"}}

    async def find_user(user_id: str) -> Any:
        return users.get(user_id)

    app = app_with(time, store=MemoryStore())
    app.auth_backend = SessionAuth(find_user)

    @app.get("/members")
    @requires()
    async def members(request: Request, response: Response) -> Response:
        return response.sse(endless("hello"))

    async with signed_in(app, time) as client, client.stream_events("GET", "/members") as events:
        assert (await events.next()).data == "hello"
        await time.advance(60)
        users.clear()
        assert events.retry is None
        await time.advance(60)

        assert await ends(events)
        assert (await client.get("/members")).status_code == 401
    assert time.sockets.waiting == 0


@pytest.mark.parametrize("kind", ["mounted", "router"])
@pytest.mark.parametrize("is_touched", [False, True], ids=["", "outer touched"])
async def test_of_two_sessions_that_of_the_backend_is_asked_about(time: Time, kind: str, is_touched: bool) -> None:
    users = {"ada": {"name": "Ada"}}

    async def find_user(user_id: str) -> Any:
        return users.get(user_id)

    inner = SessionMiddleware(store=MemoryStore(), clock=time.wall, session_cookie="inner")
    part: NexiosApp | Router = NexiosApp(openapi=None) if kind == "mounted" else Router(prefix="/in")
    part.add_middleware(inner)
    part.auth_backend = SessionAuth(find_user)

    @part.post("/enter")
    async def enter(request: Request, response: Response) -> None:
        await login(request, "ada")

    @part.get("/events")
    @requires()
    async def events_of_ada(request: Request, response: Response) -> Response:
        return response.sse(endless("hello"))

    async def look(request: Request, response: Response, call_next: Any) -> Any:
        if is_touched:
            request.session.get("language")
        return await call_next()

    app = app_with(time, store=MemoryStore())
    app.add_middleware(look)
    if isinstance(part, NexiosApp):
        app.mount("/in", part)
    else:
        app.include_router(part)
    async with TestClient(app, clock=time.sockets, base_url="https://testserver") as client:
        await client.post("/in/enter")
        async with client.stream_events("GET", "/in/events") as events:
            assert (await events.next()).data == "hello"
            await time.advance(180)
            assert (await events.next_comment(), events.retry) == ("", None)
            users.clear()
            await time.advance(60)

            assert await ends(events)


async def test_an_end_while_it_is_asked_leaves_no_task_and_no_timer(time: Time) -> None:
    asked = asyncio.Event()

    class Slow:
        recheck = 60.0
        is_slow = False

        async def authenticate(self, request: Request) -> Any:
            if self.is_slow:
                asked.set()
                await asyncio.Event().wait()
            return {"name": "Ada"}

    backend = Slow()
    app = app_with(time, store=MemoryStore())
    app.auth_backend = backend
    async with signed_in(app, time) as client:
        before = asyncio.all_tasks()
        async with client.stream_events("GET", "/my-events") as events:
            assert (await events.next()).data == "ada"
            await client.post("/logout")
            backend.is_slow = True
            await time.advance(60)
            await asked.wait()
            assert await ends(events)
        for _ in range(10):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
        assert time.sockets.waiting == 0


async def test_a_client_that_leaves_while_it_is_asked_leaves_nothing_behind(time: Time) -> None:
    class SlowStore(MemoryStore):
        asked = asyncio.Event()
        is_slow = False

        async def get(self, key: str) -> bytes | None:
            if self.is_slow:
                self.asked.set()
                await asyncio.Event().wait()
            return await super().get(key)

    store = SlowStore()
    async with signed_in(app_with(time, store=store), time) as client:
        before = asyncio.all_tasks()
        async with client.stream_events("GET", "/my-events") as events:
            assert (await events.next()).data == "ada"
            store.is_slow = True
            await time.advance(60)
            await store.asked.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
    assert time.sockets.waiting == 0
