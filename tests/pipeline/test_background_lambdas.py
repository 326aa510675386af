"""Background tasks that are plain functions around async ones: what they return is awaited."""

import threading

import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing import call


async def test_a_lambda_around_an_async_function_runs_to_its_end() -> None:
    app, ran = NexiosApp(), list[str]()

    async def job(name: str) -> None:
        ran.append(name)

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.text("x").add_background(lambda: job("first")).add_background(ran.append, "second")

    await call(app)

    assert ran == ["first", "second"]


async def test_the_async_part_runs_in_the_thread_of_the_event_loop() -> None:
    app, threads = NexiosApp(), list[threading.Thread]()

    async def job() -> None:
        threads.append(threading.current_thread())

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.text("x").add_background(lambda: job())

    await call(app)

    assert threads == [threading.current_thread()]


async def test_what_the_async_part_raises_is_logged_and_the_next_runs(caplog: pytest.LogCaptureFixture) -> None:
    app, ran = NexiosApp(), list[str]()

    async def fails() -> None:
        raise LookupError

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.text("x").add_background(lambda: fails()).add_background(ran.append, "next")

    await call(app)

    assert ran == ["next"]
    assert [message.endswith("failed") for message in caplog.messages] == [True]
