"""When is what a provider opened closed? After the handler, after the last byte, or when the app stops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from nexios.testing import TestClient
from nexios.testing.raw import RawAnswer
from tests.injection.injection_kit import Trace, ask, one_route


def opened(trace: Trace, name: str) -> Callable[..., Any]:
    async def provider() -> AsyncIterator[str]:
        trace.append(f"open {name}")
        yield name
        trace.append(f"close {name}")

    return provider


async def ask_noting(app: NexiosApp, trace: Trace) -> RawAnswer:
    """Ask, and note when a part of the response goes out."""

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        async def noting_send(message: Mapping[str, Any]) -> None:
            body = message.get("body", b"").decode()
            trace.append(f"send {body}" if body else f"send {message['type'].rpartition('.')[2]}")
            await send(message)

        await app(scope, receive, noting_send)

    return await ask(noting)  # type: ignore[arg-type]


async def test_the_scopes_of_one_request_end_in_their_order() -> None:
    trace: Trace = []

    async def task() -> None:
        trace.append("background")

    async def middleware(request: Request, response: Response, call_next: Any) -> Response:
        trace.append("before")
        answer: Response = await call_next()
        trace.append("after")
        return answer

    async def handler(
        request: Request,
        response: Response,
        of_request: str = Depend(opened(trace, "request")),
        of_handler: str = Depend(opened(trace, "handler"), scope="handler"),
        another: str = Depend(opened(trace, "another")),
    ) -> Response:
        trace.append("handle")
        return response.text("whole").add_background(task)

    app = one_route(handler)
    app.add_middleware(middleware)
    await ask_noting(app, trace)

    assert trace == [
        *("before", "open request", "open handler", "open another", "handle", "close handler", "after"),
        *("send start", "send whole", "close another", "close request", "background"),
    ]


async def test_a_stream_is_sent_whole_before_the_request_scope_ends() -> None:
    """Published nexios closed a session before the stream had read from it (public-nexios.md, 39)."""
    trace: Trace = []

    async def chunks() -> AsyncIterator[str]:
        for number in "12":
            await asyncio.sleep(0)
            yield number

    async def handler(
        request: Request,
        response: Response,
        one: str = Depend(opened(trace, "request")),
        two: str = Depend(opened(trace, "handler"), scope="handler"),
    ) -> Response:
        return response.stream(chunks())

    await ask_noting(one_route(handler), trace)

    assert trace == [
        *("open request", "open handler", "close handler", "send start", "send 1", "send 2", "send body"),
        "close request",
    ]


async def test_a_cleanup_of_the_handler_scope_can_turn_the_response_into_an_error() -> None:
    """A commit that fails must not be told as a success."""
    trace: Trace = []

    async def transaction() -> AsyncIterator[None]:
        yield
        raise HTTPException(409, "Somebody was faster.")

    async def handler(
        outer: str = Depend(opened(trace, "outer")), one: None = Depend(transaction, scope="handler")
    ) -> str:
        return "whole"

    answer = await ask(one_route(handler))

    assert (answer.status, answer.json()["detail"]) == (409, "Somebody was faster.")
    assert trace == ["open outer"]  # it saw the exception at its yield


async def test_a_middleware_sees_the_error_of_the_handler_scope() -> None:
    seen: list[object] = []

    def transaction() -> Iterator[None]:
        yield
        raise ValueError("commit")

    async def middleware(request: Request, response: Response, call_next: Any) -> Response:
        answer: Response = await call_next()
        seen.extend((answer.status_code, str(answer.error)))
        return answer

    async def handler(one: None = Depend(transaction, scope="handler")) -> str:
        return "whole"

    app = one_route(handler)
    app.add_middleware(middleware)
    await ask(app)

    assert seen == [500, "commit"]


async def test_a_result_that_leans_on_the_handler_scope_is_written_while_it_is_open() -> None:
    is_open: list[bool] = []

    class Lazy:
        def model_dump(self, *, mode: str) -> dict[str, bool]:
            return {"open": bool(is_open)}

    def transaction() -> Iterator[None]:
        is_open.append(True)
        yield
        is_open.clear()

    async def handler(request: Request, response: Response, one: None = Depend(transaction, scope="handler")) -> object:
        return {"lazy": Lazy()}

    assert (await ask(one_route(handler))).json() == {"lazy": {"open": True}}


async def test_a_task_that_is_added_after_the_yield_runs_too() -> None:
    trace: Trace = []

    async def task(name: str) -> None:
        trace.append(name)

    async def provider(response: Response) -> AsyncIterator[None]:
        yield
        response.add_background(task, "added after")
        trace.append("close")

    async def handler(request: Request, response: Response, one: None = Depend(provider)) -> Response:
        return response.text("whole").add_background(task, "added before")

    await ask(one_route(handler))

    assert trace == ["close", "added before", "added after"]


async def test_a_failing_cleanup_does_not_keep_the_background_tasks_from_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trace: Trace = []

    async def task() -> None:
        trace.append("background")

    async def provider() -> AsyncIterator[None]:
        yield
        raise ValueError("cleanup")

    async def handler(request: Request, response: Response, one: None = Depend(provider)) -> Response:
        return response.text("whole").add_background(task)

    await ask(one_route(handler))

    assert trace == ["background"]


# The scope of the app


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
    await asyncio.sleep(0)
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
