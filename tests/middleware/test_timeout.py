"""TimeoutMiddleware: a handler that takes too long is cancelled, and an answer that has begun is broken off."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from nexios import Depend, NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.middleware import TimeoutMiddleware
from nexios.testing.raw import RawAnswer, call
from tests.middleware.loop_clock import LoopClock

HOUR = 3600.0
FOR_EVER = 1e9
"""Seconds that a call may take, by a clock that is set forward."""


async def ask(app: NexiosApp, path: str = "/", **options: Any) -> RawAnswer:
    return await call(app, path=path, timeout=FOR_EVER, **options)


async def too_long(clock: LoopClock) -> None:
    clock.advance(2 * HOUR)
    await asyncio.Event().wait()


async def test_a_handler_that_takes_too_long_is_cancelled_and_answered_with_503(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, seen = LoopClock(), list[str]()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/items/{id}")
    async def slow(request: Request, response: Response, id: str) -> str:
        try:
            await too_long(clock)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return "never"

    with caplog.at_level(logging.WARNING, "nexios"):
        answer = await ask(app, "/items/secret")

    assert (answer.status, seen) == (503, ["cancelled"])
    assert answer.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The request took too long.",
        "code": "request_took_too_long",
    }
    assert [record.message for record in caplog.records] == ["/items/{id} took longer than 3600 s, and was cancelled"]


async def test_what_a_handler_opened_is_closed_before_the_answer() -> None:
    clock, seen = LoopClock(), list[str]()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    async def connection() -> AsyncIterator[str]:
        try:
            yield "open"
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    @app.get("/")
    async def slow(request: Request, response: Response, db: str = Depend(connection)) -> str:
        await too_long(clock)
        return "never"

    assert ((await ask(app)).status, seen) == (503, ["closed"])


async def test_a_thread_goes_on_and_its_client_is_answered() -> None:
    clock, loop, release = LoopClock(), asyncio.get_running_loop(), threading.Event()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    def slow(request: Request, response: Response) -> str:
        loop.call_soon_threadsafe(clock.advance, 2 * HOUR)
        release.wait(30)
        return "never"

    try:
        assert (await ask(app)).status == 503
        assert not release.is_set()
    finally:
        release.set()


async def test_a_handler_in_time_is_left_alone() -> None:
    clock = LoopClock()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    async def quick(request: Request, response: Response) -> str:
        clock.advance(HOUR - 60)
        await asyncio.sleep(0)
        return "done"

    assert (await ask(app)).body == b"done"


async def test_an_answer_that_a_handler_gives_all_the_same_is_sent() -> None:
    clock = LoopClock()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    async def stubborn(request: Request, response: Response) -> str:
        try:
            await too_long(clock)
        except asyncio.CancelledError:
            pass
        return "late"

    answer = await ask(app)

    assert (answer.status, answer.body) == (200, b"late")


async def test_a_timeout_of_the_handler_itself_is_its_own_error() -> None:
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    async def failing(request: Request, response: Response) -> str:
        raise TimeoutError("the database")

    assert (await ask(app)).status == 500


async def test_a_body_that_does_not_come_is_within_the_time() -> None:
    clock = LoopClock()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(10)])

    @app.post("/")
    async def take(request: Request, response: Response) -> str:
        asyncio.get_running_loop().call_soon(clock.advance, 20)
        await request.body()
        return "never"

    assert (await ask(app, method="POST", chunks=[])).status == 503


def app_of_three() -> NexiosApp:
    """Ten seconds for the app, a minute for the router, none for one route."""
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(10)])
    router = Router(prefix="/r", middleware=[TimeoutMiddleware(60)])
    app.clock = None  # type: ignore[attr-defined]

    async def wait(request: Request, response: Response, seconds: int) -> str:
        app.clock.advance(seconds)  # type: ignore[attr-defined]
        for _ in range(3):
            await asyncio.sleep(0)
        return "done"

    app.get("/{seconds:int}")(wait)
    router.get("/{seconds:int}")(wait)
    router.get("/all/{seconds:int}", middleware=[TimeoutMiddleware(None)])(wait)
    app.include_router(router)
    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [("/9", 200), ("/11", 503), ("/r/59", 200), ("/r/61", 503), ("/r/all/1000", 200), ("/r/9", 200)],
)
async def test_of_several_the_nearest_holds(path: str, status: int) -> None:
    app = app_of_three()
    app.clock = LoopClock()  # type: ignore[attr-defined]

    assert (await ask(app, path)).status == status


def chunks(clock: LoopClock, seen: list[str]) -> Callable[[], AsyncIterator[str]]:
    async def make() -> AsyncIterator[str]:
        try:
            yield "one,"
            await too_long(clock)
            yield "two"
        finally:
            seen.append("closed")

    return make


async def test_a_stream_that_takes_too_long_is_broken_off_and_closed(caplog: pytest.LogCaptureFixture) -> None:
    clock, seen = LoopClock(), list[str]()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    async def stream(request: Request, response: Response) -> Response:
        return response.stream(chunks(clock, seen)())

    with caplog.at_level(logging.ERROR, "nexios"):
        answer = await ask(app)

    assert (answer.status, answer.body, answer.complete, seen) == (200, b"one,", False, ["closed"])
    assert "TimeoutMiddleware" in str(answer.error)
    assert len(caplog.records) == 1


async def test_a_stream_in_time_is_whole() -> None:
    clock = LoopClock()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(3 * HOUR)])

    async def in_time() -> AsyncIterator[str]:
        yield "one,"
        clock.advance(2 * HOUR)
        await asyncio.sleep(0)
        yield "two"

    @app.get("/")
    async def stream(request: Request, response: Response) -> Response:
        return response.stream(in_time())

    @app.get("/sync")
    async def from_a_list(request: Request, response: Response) -> Response:
        return response.stream(iter([b"a", b"b"]))

    assert ((await ask(app)).body, (await ask(app, "/sync")).body) == (b"one,two", b"ab")


class Source:
    """Chunks that were never asked for, and can be closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("nobody reads it")

    def close(self) -> None:
        self.closed += 1


async def test_a_stream_that_nobody_reads_is_closed() -> None:
    source = Source()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    async def stream(request: Request, response: Response) -> Response:
        return response.stream(source)

    answer = await ask(app, method="HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert source.closed >= 1


async def test_an_event_stream_may_last() -> None:
    clock = LoopClock()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    async def events() -> AsyncIterator[str]:
        yield "one"
        clock.advance(5 * HOUR)
        await asyncio.sleep(0)
        yield "two"

    @app.get("/")
    async def feed(request: Request, response: Response) -> Response:
        return response.sse(events())

    answer = await ask(app)

    assert answer.complete
    assert b"two" in answer.body


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    entered = asyncio.Event()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(HOUR)])

    @app.get("/")
    async def slow(request: Request, response: Response) -> str:
        entered.set()
        await asyncio.Event().wait()
        return "never"

    task = asyncio.create_task(ask(app))
    await entered.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "30", True])
def test_what_is_no_time_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="TimeoutMiddleware, 30"):
        TimeoutMiddleware(seconds)


def test_the_time_is_shown() -> None:
    assert repr(TimeoutMiddleware(1.5)) == "<TimeoutMiddleware 1.5 s>"
    assert repr(TimeoutMiddleware(None)) == "<TimeoutMiddleware None>"
