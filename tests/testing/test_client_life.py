"""The life of an app around its client, and the two faces of the client."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.testing import TestClient
from tests.testing.client_site import make_app


def noting_app(order: list[str]) -> NexiosApp:
    @asynccontextmanager
    async def context(app: NexiosApp) -> AsyncIterator[None]:
        async with asyncio.TaskGroup():
            order.append("enter")
            yield
            order.append("leave")

    app = NexiosApp(lifespan=context)
    app.on_startup(lambda: order.append("start"))
    app.on_shutdown(lambda: order.append("stop"))
    return app


async def test_the_app_starts_and_stops_with_the_client_in_reverse_order() -> None:
    order: list[str] = []
    async with TestClient(noting_app(order)):
        assert order == ["enter", "start"]
    assert order == ["enter", "start", "stop", "leave"]


async def test_shutdown_runs_when_the_test_fails() -> None:
    order: list[str] = []
    with pytest.raises(AssertionError, match="the test"):
        async with TestClient(noting_app(order)):
            raise AssertionError("the test")
    assert order[-2:] == ["stop", "leave"]


async def test_a_failing_startup_raises_its_own_exception() -> None:
    app = NexiosApp()
    loops: list[object] = []

    @app.on_startup
    async def fail() -> None:
        loops.append(asyncio.get_running_loop())
        raise LookupError("no database")

    for _ in range(2):
        with pytest.raises(LookupError, match="no database"):
            async with TestClient(app):
                raise AssertionError("not reached")
    with pytest.raises(LookupError), TestClient(app):
        raise AssertionError("not reached")
    assert loops[0] is loops[1] is asyncio.get_running_loop()


async def test_a_client_is_entered_once_at_a_time() -> None:
    client = TestClient(make_app())
    async with client:
        with pytest.raises(RuntimeError, match="in use"):
            async with client:
                raise AssertionError("not reached")
        with pytest.raises(RuntimeError, match="in use"), client:
            raise AssertionError("not reached")
        assert (await client.get("/me")).text == "nobody"
    async with client:
        assert (await client.get("/me")).text == "nobody"


async def test_background_tasks_are_done_when_the_client_is_left() -> None:
    done: list[str] = []
    app = NexiosApp()

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        async def later() -> None:
            await asyncio.sleep(0)
            done.append("later")

        return response.text("now").add_background(later)

    async with TestClient(app) as client:
        await client.get("/")
    assert done == ["later"]


async def test_without_a_context_a_request_is_awaited_in_a_life_of_its_own() -> None:
    order: list[str] = []
    app = noting_app(order)
    response = await TestClient(app).get("/nothing")
    assert response.status_code == 404
    assert order == ["enter", "start", "stop", "leave"]


# The synchronous face


def test_a_synchronous_test_gets_results() -> None:
    with TestClient(make_app(), follow_redirects=True) as client:
        assert client.get("/api/endpoint").json() == {"ready": True}
        assert client.post("/login", data={"name": "ada"}).text == "ada"
        assert client.cookies["session"] == "ada"
        assert client.url_for("user", name="a") == "/users/a"
        assert client.disconnect_after("GET", "/me", received=0) == b""


def test_the_event_loop_of_the_synchronous_face_is_closed() -> None:
    before = threading.enumerate()
    order: list[str] = []
    with TestClient(noting_app(order)) as client:
        client.get("/")
        started = set(threading.enumerate()).difference(before)
        assert started
    assert started.isdisjoint(threading.enumerate())
    assert order == ["enter", "start", "stop", "leave"]


def test_without_a_context_a_request_is_answered_in_a_life_of_its_own() -> None:
    order: list[str] = []
    client = TestClient(noting_app(order))
    response: Any = client.get("/nothing")
    assert response.status_code == 404
    assert order == ["enter", "start", "stop", "leave"]


def test_an_exception_of_the_app_reaches_a_synchronous_test() -> None:
    app = NexiosApp()

    @app.get("/")
    async def fail(request: Any, response: Any) -> Any:
        raise KeyError("mine")

    with TestClient(app) as client, pytest.raises(KeyError, match="mine"):
        client.get("/")


async def test_the_synchronous_face_works_where_a_loop_runs() -> None:
    with TestClient(make_app()) as client:
        assert client.get("/api/endpoint").json() == {"ready": True}


async def test_a_start_that_is_cancelled_is_undone() -> None:
    stopped: list[bool] = []
    started = asyncio.Event()
    app = NexiosApp()
    app.on_shutdown(lambda: stopped.append(True))

    @app.on_startup
    async def forever() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(TestClient(app).__aenter__())
    await started.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert stopped == [True]
