"""Start and stop under RSGI: two calls of the server, one life of the app."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import pytest

from nexios import NexiosApp

MARK: ContextVar[str] = ContextVar("mark")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of a worker, which runs only while the server says so."""
    loop = asyncio.new_event_loop()
    yield loop
    assert asyncio.all_tasks(loop) == set()
    loop.close()


def test_the_context_is_entered_and_left_in_one_task(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel scopes and task groups need that."""
    tasks: list[object] = []

    @asynccontextmanager
    async def context(app: NexiosApp) -> AsyncIterator[None]:
        tasks.append(asyncio.current_task())
        yield
        tasks.append(asyncio.current_task())

    app = NexiosApp(lifespan=context)
    app.__rsgi_init__(loop)
    app.__rsgi_del__(loop)

    entered, left = tasks
    assert entered is left is not None


def test_a_context_variable_can_be_reset_where_it_was_set(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []

    @asynccontextmanager
    async def context(app: NexiosApp) -> AsyncIterator[None]:
        token = MARK.set("within")
        yield
        log.append(MARK.get())
        MARK.reset(token)
        log.append("reset")

    app = NexiosApp(lifespan=context)
    app.__rsgi_init__(loop)
    app.__rsgi_del__(loop)

    assert (log, caplog.records) == (["within", "reset"], [])


def test_a_group_of_tasks_lives_as_long_as_the_app(loop: asyncio.AbstractEventLoop) -> None:
    log: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("work ended")

    @asynccontextmanager
    async def context(app: NexiosApp) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            working = group.create_task(work())
            yield
            log.append("leaving")
            working.cancel()
        log.append("left")

    app = NexiosApp(lifespan=context)
    app.__rsgi_init__(loop)
    loop.run_until_complete(asyncio.sleep(0))
    app.__rsgi_del__(loop)

    assert log == ["leaving", "work ended", "left"]


def test_the_start_is_done_when_init_returns_and_the_stop_when_del_does(loop: asyncio.AbstractEventLoop) -> None:
    log: list[str] = []
    app = NexiosApp()
    app.on_startup(lambda: log.append("started"))
    app.on_shutdown(lambda: log.append("stopped"))

    app.__rsgi_init__(loop)
    assert log == ["started"]
    app.__rsgi_del__(loop)
    assert log == ["started", "stopped"]


def test_a_startup_that_fails_is_raised_out_of_init(loop: asyncio.AbstractEventLoop) -> None:
    """So that the worker does not serve."""
    app = NexiosApp()

    @app.on_startup
    async def fail() -> None:
        raise LookupError("no database")

    with pytest.raises(LookupError, match="no database"):
        app.__rsgi_init__(loop)


def test_a_startup_that_fails_leaves_the_context_in_the_task_that_entered_it(loop: asyncio.AbstractEventLoop) -> None:
    tasks: list[object] = []

    @asynccontextmanager
    async def context(app: NexiosApp) -> AsyncIterator[None]:
        tasks.append(asyncio.current_task())
        try:
            yield
        finally:
            tasks.append(asyncio.current_task())

    app = NexiosApp(lifespan=context)

    @app.on_startup
    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        app.__rsgi_init__(loop)
    entered, left = tasks
    assert entered is left is not None


def test_stopping_an_app_that_was_never_started_does_nothing(loop: asyncio.AbstractEventLoop) -> None:
    log: list[str] = []
    app = NexiosApp()
    app.on_shutdown(lambda: log.append("stopped"))

    app.__rsgi_del__(loop)

    assert log == []


def test_stopping_an_app_whose_startup_failed_does_nothing(loop: asyncio.AbstractEventLoop) -> None:
    log: list[str] = []
    app = NexiosApp()
    app.on_shutdown(lambda: log.append("stopped"))

    @app.on_startup
    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        app.__rsgi_init__(loop)
    undone = log.copy()
    app.__rsgi_del__(loop)

    assert log == undone


def test_an_app_that_was_stopped_can_be_started_again(loop: asyncio.AbstractEventLoop) -> None:
    log: list[str] = []
    app = NexiosApp()
    app.on_startup(lambda: log.append("started"))
    app.on_shutdown(lambda: log.append("stopped"))

    for _ in range(2):
        app.__rsgi_init__(loop)
        app.__rsgi_del__(loop)

    assert log == ["started", "stopped", "started", "stopped"]
