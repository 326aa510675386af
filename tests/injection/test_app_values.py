"""The scope of the app: made once, at startup or by the first who ask, and closed when the app stops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp
from nexios.testing import TestClient
from tests.injection.injection_kit import Trace, ask, one_route
from tests.security.kit import until


def opened(trace: Trace, name: str) -> Callable[..., Any]:
    async def provider() -> AsyncIterator[str]:
        trace.append(f"open {name}")
        yield name
        trace.append(f"close {name}")

    return provider


def app_of_three(trace: Trace, **options: Any) -> NexiosApp:
    get_settings = opened(trace, "settings")

    async def get_pool(settings: str = Depend(get_settings, scope="app")) -> AsyncIterator[str]:
        trace.append("open pool")
        yield f"pool of {settings}"
        trace.append("close pool")

    async def get_session(pool: str = Depend(get_pool, scope="app")) -> AsyncIterator[str]:
        trace.append("open session")
        yield f"session of {pool}"
        trace.append("close session")

    app = NexiosApp(**options)

    @app.get("/")
    async def handler(
        session: str = Depend(get_session), other: str = Depend(opened(trace, "mail"), scope="app")
    ) -> str:
        return session

    @app.on_startup
    async def started() -> None:
        trace.append("startup hook")

    @app.on_shutdown
    async def stopped() -> None:
        trace.append("shutdown hook")

    return app


async def test_what_lives_as_long_as_the_app_is_made_at_startup_and_closed_in_reverse_after_the_hooks() -> None:
    trace: Trace = []

    @asynccontextmanager
    async def lifespan(app: NexiosApp) -> AsyncIterator[None]:
        trace.append("open lifespan")
        yield
        trace.append("close lifespan")

    async with TestClient(app_of_three(trace, lifespan=lifespan)) as client:
        started = ["open lifespan", "open settings", "open pool", "open mail", "startup hook"]
        assert trace == started
        assert [(await client.get("/")).text for _ in range(2)] == ["session of pool of settings"] * 2
        assert trace == [*started, *("open session", "close session") * 2]
        trace.clear()
    assert trace == ["shutdown hook", "close mail", "close pool", "close settings", "close lifespan"]


async def test_an_app_that_starts_again_makes_its_values_again() -> None:
    trace: Trace = []
    app = app_of_three(trace)

    for _ in range(2):
        await app.engine.start()
        assert (await ask(app)).body == b"session of pool of settings"
        await app.engine.stop()

    once = [
        *("open settings", "open pool", "open mail", "startup hook", "open session", "close session"),
        *("shutdown hook", "close mail", "close pool", "close settings"),
    ]
    assert trace == once * 2


async def test_without_a_lifespan_they_are_made_once_by_the_first_who_ask() -> None:
    trace: Trace = []
    may_open, made = asyncio.Event(), []

    async def get_pool() -> AsyncIterator[object]:
        trace.append("open")
        await may_open.wait()
        made.append(object())
        yield made[-1]

    async def handler(
        pool: object = Depend(get_pool, scope="app"), same: object = Depend(get_pool, scope="app")
    ) -> bool:
        return pool is same is made[0]

    app = one_route(handler)
    requests = [asyncio.ensure_future(ask(app)) for _ in range(20)]
    await until(lambda: trace)
    for _ in range(10):
        await asyncio.sleep(0)  # the others come to it too
    may_open.set()

    assert [(await request).json() for request in requests] == [True] * 20
    assert trace == ["open"]


async def test_when_the_one_who_makes_it_is_cancelled_the_next_one_does() -> None:
    trace: Trace = []
    may_open = asyncio.Event()

    async def get_pool() -> AsyncIterator[str]:
        trace.append("open")
        await may_open.wait()
        yield "pool"

    app = NexiosApp()

    async def job(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    first, second = (asyncio.ensure_future(app.inject(job)) for _ in range(2))
    for _ in range(3):
        await asyncio.sleep(0)
    first.cancel()
    may_open.set()

    assert await second == "pool"
    assert (trace, first.cancelled()) == (["open", "open"], True)


async def test_a_value_that_could_not_be_made_is_tried_again_by_the_next_request() -> None:
    answers = [HTTPException(503), "pool"]

    def get_pool() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    async def handler(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    app = one_route(handler)

    assert [(await ask(app)).status for _ in range(3)] == [503, 200, 200]


async def test_a_provider_that_fails_stops_the_start_and_what_was_open_is_closed() -> None:
    trace: Trace = []

    async def failing(settings: str = Depend(opened(trace, "settings"), scope="app")) -> None:
        raise ValueError("no database")

    @asynccontextmanager
    async def lifespan(app: NexiosApp) -> AsyncIterator[None]:
        trace.append("open lifespan")
        try:
            yield
        finally:
            trace.append("close lifespan")

    app = NexiosApp(lifespan=lifespan)
    app.on_startup(lambda: trace.append("startup hook"))

    @app.get("/")
    async def handler(pool: None = Depend(failing, scope="app")) -> None: ...

    with pytest.raises(ValueError, match="no database"):
        async with TestClient(app):
            raise AssertionError("it has started")
    assert trace == ["open lifespan", "open settings", "close lifespan"]  # settings saw it at their yield


async def test_a_start_that_fails_later_closes_them_and_tells_them_why() -> None:
    seen: list[str] = []

    async def get_pool() -> AsyncIterator[None]:
        try:
            yield
        except ValueError as exc:
            seen.append(str(exc))
            raise

    app = NexiosApp()

    @app.get("/")
    async def handler(pool: None = Depend(get_pool, scope="app")) -> None: ...

    @app.on_startup
    async def fail() -> None:
        raise ValueError("hook")

    with pytest.raises(ValueError, match="hook"):
        await app.engine.start()
    assert seen == ["hook"]


async def test_one_that_fails_while_it_is_closed_is_logged_and_the_others_are_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trace: Trace = []

    async def failing() -> AsyncIterator[None]:
        yield
        trace.append("failing")
        raise ValueError("close")

    class Pool:
        def __enter__(self) -> None: ...

        def __exit__(self, *details: object) -> None:
            trace.append("close pool")

    app = NexiosApp()

    @app.get("/")
    async def handler(pool: None = Depend(Pool, scope="app"), other: None = Depend(failing, scope="app")) -> None: ...

    async with TestClient(app):
        pass

    assert trace == ["failing", "close pool"]
    assert [record.getMessage() for record in caplog.records] == ["closing a dependency of the app failed"]


async def test_one_of_the_app_may_inject_another_while_it_is_made() -> None:
    async def get_settings() -> str:
        return "settings"

    async def read(settings: str = Depend(get_settings, scope="app")) -> str:
        return settings

    async def get_pool(app: NexiosApp) -> str:
        return f"pool of {await app.inject(read)}"

    app = NexiosApp()

    @app.get("/")
    async def handler(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    async with asyncio.timeout(10), TestClient(app) as client:
        assert (await client.get("/")).text == "pool of settings"


async def test_one_of_the_app_may_be_opened_and_closed_in_threads() -> None:
    trace: Trace = []

    def get_pool() -> Iterator[str]:
        trace.append("open")
        yield "pool"
        trace.append("close")

    app = NexiosApp()

    @app.get("/")
    async def handler(pool: str = Depend(get_pool, scope="app", thread=True)) -> str:
        return pool

    async with TestClient(app) as client:
        assert (await client.get("/")).text == "pool"
        assert trace == ["open"]
    assert trace == ["open", "close"]


async def test_without_the_cache_each_place_has_one_of_its_own_for_the_life_of_the_app() -> None:
    made: list[int] = []

    def get_pool() -> int:
        made.append(1)
        return len(made)

    async def handler(
        one: int = Depend(get_pool, scope="app", cache=False), two: int = Depend(get_pool, scope="app", cache=False)
    ) -> list[int]:
        return [one, two]

    app = one_route(handler)

    assert [(await ask(app)).json() for _ in range(2)] == [[1, 2], [1, 2]]
