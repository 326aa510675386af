"""Nothing of a request stays: no value, no exit, no exception, however it ended (R23 of the security notes)."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response

REQUESTS = 10_000
WARM_UP = 300


class Value:
    """What providers make; counted by its class."""


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: object) -> None: ...


def app_of_all_kinds() -> NexiosApp:
    def value() -> Value:
        return Value()

    async def opened(value: Value = Depend(value)) -> AsyncIterator[Value]:
        yield value

    def sync_opened(value: Value = Depend(value)) -> Iterator[Value]:
        yield value

    async def failing(request: Request) -> None:
        if request.path == "/provider":
            raise HTTPException(403)

    async def failing_cleanup(request: Request) -> AsyncIterator[None]:
        yield
        if request.path == "/cleanup":
            raise HTTPException(500)

    async def middleware(
        request: Request, response: Response, call_next: Callable[[], Any], shared: Value = Depend(opened)
    ) -> Any:
        return await call_next()

    async def handler(
        request: Request,
        response: Response,
        q: int = 1,
        shared: Value = Depend(opened),
        two: Value = Depend(sync_opened, scope="handler"),
        three: Value = Depend(value, cache=False, limit=2),
        four: None = Depend(failing),
        five: None = Depend(failing_cleanup, scope="handler"),
        pool: Value = Depend(Value, scope="app"),
    ) -> Response:
        if request.path == "/handler":
            raise HTTPException(409)
        return response.text("whole")

    app = NexiosApp(middleware=[middleware])
    for path in ("/", "/handler", "/provider", "/cleanup"):
        app.add_route(path, handler)
    return app


def scope_of(path: str, query: bytes = b"") -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []}


async def visit(app: NexiosApp, count: int) -> None:
    kinds = [("/", b""), ("/", b"q=x"), ("/handler", b""), ("/provider", b""), ("/cleanup", b""), ("/nowhere", b"")]
    for number in range(count):
        path, query = kinds[number % len(kinds)]
        await app(scope_of(path, query), receive, send)


async def visit_and_be_cancelled(app: NexiosApp, count: int) -> None:
    for number in range(count):
        task = asyncio.ensure_future(app(scope_of("/"), receive, send))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            continue


def tracked() -> Counter[str]:
    gc.collect()
    return Counter(type(one).__qualname__ for one in gc.get_objects())


@pytest.mark.parametrize("visits", [visit, visit_and_be_cancelled], ids=["answered", "cancelled"])
async def test_ten_thousand_requests_leave_nothing_behind(visits: Any) -> None:
    app = app_of_all_kinds()
    await visits(app, WARM_UP)
    before = tracked()

    await visits(app, REQUESTS if visits is visit else REQUESTS // 10)

    grown = {name: count - before[name] for name, count in tracked().items() if count - before[name] > 50}
    assert grown == {}
    assert tracked()["Value"] == 1  # the pool


async def test_requests_that_go_well_leave_no_work_for_the_garbage_collector() -> None:
    app = app_of_all_kinds()
    await visit(app, WARM_UP)
    gc.collect()
    gc.disable()
    try:
        for _ in range(1000):
            await app(scope_of("/"), receive, send)
        values = sum(type(one) is Value for one in gc.get_objects())
    finally:
        gc.enable()

    assert values == 1


@pytest.mark.parametrize("kind", ["method", "closure"])
async def test_injecting_functions_that_are_made_for_each_call_keeps_few_of_them(kind: str) -> None:
    class Job:
        async def run(self, value: Value = Depend(Value), q: None = None) -> int:
            return 1

        def function(self) -> Callable[..., Any]:
            async def run(value: Value = Depend(Value)) -> "Job":
                return self

            return run

    app = NexiosApp()
    for _ in range(6000):
        job = Job()
        await app.inject(job.run if kind == "method" else job.function())

    gc.collect()
    assert sum(type(one) is Job for one in gc.get_objects()) <= 4096


async def test_overrides_that_were_in_force_are_let_go_of_with_their_app() -> None:
    def real() -> str:
        return "real"

    async def handler(value: str = Depend(real)) -> str:
        return value

    def make() -> NexiosApp:
        app = NexiosApp()
        app.get("/")(handler)
        return app

    before = tracked()["NexiosApp"]
    for _ in range(20):
        app = make()
        with app.override({real: lambda: "fake"}):
            await app(scope_of("/"), receive, send)
        del app

    assert tracked()["NexiosApp"] <= before + 1
