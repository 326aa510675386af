"""The beginning and the end of an app: what runs, in which order, and what is undone when it fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing.raw import call


class ServerStopped(Exception):
    """There is no further message."""


async def lifespan(app: NexiosApp, *messages: str) -> list[dict[str, Any]]:
    """Send lifespan messages, by default both, as a server does; return what the app sent."""
    sent: list[dict[str, Any]] = []
    waiting = [{"type": f"lifespan.{message}"} for message in messages or ("startup", "shutdown")]

    async def receive() -> Any:
        if not waiting:
            raise ServerStopped
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    except ServerStopped:
        pass
    return sent


def types(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    return [message["type"].removeprefix("lifespan.") for message in messages]


def context(name: str, log: list[str], yielded: Mapping[str, Any] | None = None) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(app: NexiosApp) -> AsyncIterator[Mapping[str, Any] | None]:
        log.append(f"{name} in")
        try:
            yield yielded
        except BaseException as exc:
            log.append(f"{name} saw {type(exc).__name__}")
            raise
        finally:
            log.append(f"{name} out")

    return lifespan


def says(log: list[str], text: str) -> Callable[[], None]:
    return lambda: log.append(text)


async def test_an_app_without_hooks_starts_and_stops() -> None:
    assert await lifespan(NexiosApp()) == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]


async def test_an_app_works_on_a_server_without_lifespan() -> None:
    app = NexiosApp()

    @app.get("/")
    def handler(request: Request, response: Response) -> Response:
        return response.text("works").add_background(print_nothing)

    app.on_startup(lambda: pytest.fail("nobody started the app"))

    assert (await call(app)).body == b"works"


def print_nothing() -> None: ...


async def test_contexts_hooks_and_events_run_in_order_and_are_undone_in_reverse() -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=[context("a", log), context("b", log)])
    app.on_startup(says(log, "startup 1"))
    app.on_startup(says(log, "startup 2"))
    app.on_shutdown(says(log, "shutdown 1"))
    app.on_shutdown(says(log, "shutdown 2"))
    app.event_emitter.on("startup", lambda app: log.append("event startup"))
    app.event_emitter.on("shutdown", lambda app: log.append("event shutdown"))

    assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]

    assert log == [
        "a in", "b in", "startup 1", "startup 2", "event startup",
        "event shutdown", "shutdown 2", "shutdown 1", "b out", "a out",
    ]  # fmt: skip


async def test_hooks_are_registered_in_three_forms_and_returned_as_they_are() -> None:
    log: list[str] = []
    app = NexiosApp()

    @app.on_startup
    async def bare() -> None:
        log.append("bare")

    @app.on_startup()
    async def called() -> None:
        log.append("called")

    def direct() -> None:
        log.append("direct")

    assert app.on_startup(direct) is direct

    @app.on_shutdown
    def bare_stop() -> None:
        log.append("bare stop")

    @app.on_shutdown()
    def called_stop() -> None:
        log.append("called stop")

    assert app.on_shutdown(direct) is direct

    await lifespan(app)

    assert log == ["bare", "called", "direct", "direct", "called stop", "bare stop"]
    assert (bare.__name__, called.__name__, bare_stop.__name__, called_stop.__name__) == (
        "bare", "called", "bare_stop", "called_stop",
    )  # fmt: skip


async def test_what_a_context_yields_is_the_state_of_the_app() -> None:
    app = NexiosApp(lifespan=[context("a", [], {"db": "connected", "self": 1}), context("b", [], {"cache": "warm"})])

    @app.get("/")
    async def handler(request: Request, response: Response) -> list[str]:
        return [request.app.state.db, request.app.state.cache]

    await lifespan(app, "startup")

    assert (await call(app)).json() == ["connected", "warm"]


async def test_the_state_of_the_app_is_not_that_of_a_request() -> None:
    app = NexiosApp()
    app.state.user = "app"

    @app.get("/")
    async def handler(request: Request, response: Response) -> list[Any]:
        before = request.state.get("user")
        request.state.user = "request"
        return [before, request.state.user, request.app.state.user]

    assert (await call(app)).json() == [None, "request", "app"]
    assert (await call(app)).json() == [None, "request", "app"]


async def test_hooks_and_a_context_run_both() -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=context("context", log))
    app.on_startup(says(log, "hook"))

    await lifespan(app)

    assert log == ["context in", "hook", "context out"]


@pytest.mark.parametrize("failing", [0, 1, 2, 3])
async def test_a_start_that_fails_at_the_kth_hook_runs_those_before_and_undoes_all(
    failing: int, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=context("context", log))
    for number in range(4):

        @app.on_startup
        async def hook(number: int = number) -> None:
            if number == failing:
                raise RuntimeError("no database")
            log.append(f"startup {number}")

        app.on_shutdown(says(log, f"shutdown {number}"))

    sent = await lifespan(app)

    assert sent == [{"type": "lifespan.startup.failed", "message": "RuntimeError: no database"}]
    assert log == [
        "context in",
        *(f"startup {number}" for number in range(failing)),
        "shutdown 3", "shutdown 2", "shutdown 1", "shutdown 0",
        "context saw RuntimeError", "context out",
    ]  # fmt: skip
    assert caplog.messages == ["the application did not start"]


async def test_contexts_that_were_entered_are_left_when_a_later_one_fails() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def failing(app: NexiosApp) -> AsyncIterator[None]:
        raise RuntimeError("no cache")
        yield

    app = NexiosApp(lifespan=[context("a", log), failing, context("b", log)])

    assert types(await lifespan(app)) == ["startup.failed"]
    assert log == ["a in", "a saw RuntimeError", "a out"]


async def test_all_shutdown_hooks_run_even_if_some_fail(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=context("context", log))

    def fails() -> None:
        raise RuntimeError

    app.on_shutdown(says(log, "one"))
    app.on_shutdown(fails)
    app.on_shutdown(says(log, "two"))
    app.on_shutdown(fails)

    assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]
    assert log == ["context in", "two", "one", "context out"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert all("fails failed" in message for message in caplog.messages)


async def test_a_context_that_fails_when_it_is_left_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []

    @asynccontextmanager
    async def failing(app: NexiosApp) -> AsyncIterator[None]:
        yield
        raise RuntimeError("cannot close")

    app = NexiosApp(lifespan=[context("a", log), failing])

    assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]
    assert log == ["a in", "a saw RuntimeError", "a out"]
    assert len(caplog.records) == 1


async def test_a_second_start_is_refused_and_the_first_goes_on() -> None:
    app = NexiosApp()
    await lifespan(app, "startup")

    sent = await lifespan(app, "startup")

    assert types(sent) == ["startup.failed"]
    assert "has started already" in sent[0]["message"]
    assert types(await lifespan(app, "shutdown")) == ["shutdown.complete"]


async def test_a_stop_without_a_start_does_nothing() -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=context("context", log))
    app.on_shutdown(says(log, "shutdown"))
    app.event_emitter.on("shutdown", lambda app: log.append("event"))

    assert types(await lifespan(app, "shutdown")) == ["shutdown.complete"]
    assert log == []


async def test_an_app_may_start_again_after_it_has_stopped() -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=context("context", log))
    app.add_route("/", lambda: "in a thread")

    for _ in range(2):
        assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]
        assert (await call(app)).body == b"in a thread"

    assert log == ["context in", "context out"] * 2


async def test_a_start_that_is_cancelled_is_undone_and_stays_cancelled() -> None:
    log: list[str] = []
    app = NexiosApp(lifespan=context("context", log))
    waiting = asyncio.Event()

    @app.on_startup
    async def forever() -> None:
        waiting.set()
        await asyncio.Event().wait()

    app.on_shutdown(says(log, "shutdown"))
    task = asyncio.create_task(lifespan(app))
    await waiting.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["context in", "shutdown", "context saw CancelledError", "context out"]


async def test_a_start_that_takes_too_long_fails() -> None:
    log: list[str] = []
    app = NexiosApp(startup_timeout=0.0, lifespan=context("context", log))

    @app.on_startup
    async def forever() -> None:
        await asyncio.Event().wait()

    app.on_shutdown(says(log, "shutdown"))

    sent = await lifespan(app)

    assert types(sent) == ["startup.failed"]
    assert sent[0]["message"].startswith("TimeoutError")


async def test_listeners_get_the_app_and_one_that_fails_does_not_stop_the_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[object] = []
    app = NexiosApp()

    @app.event_emitter.on("startup", priority=1)
    async def fails(app: NexiosApp) -> None:
        raise RuntimeError

    app.event_emitter.on("startup", heard.append)
    app.event_emitter.on("shutdown", heard.append)

    assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]
    assert heard == [app, app]
    assert len(caplog.records) == 1


async def test_a_strict_listener_of_startup_stops_the_start() -> None:
    app = NexiosApp()

    @app.event_emitter.on("startup", strict=True)
    async def fails(app: NexiosApp) -> None:
        raise RuntimeError("not like this")

    assert await lifespan(app) == [{"type": "lifespan.startup.failed", "message": "RuntimeError: not like this"}]


async def test_a_strict_listener_of_shutdown_does_not_stop_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    app = NexiosApp()
    app.on_shutdown(says(log, "shutdown"))

    @app.event_emitter.on("shutdown", strict=True)
    async def fails(app: NexiosApp) -> None:
        raise RuntimeError

    assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]
    assert (log, len(caplog.records)) == (["shutdown"], 1)


async def test_mounted_apps_start_before_the_hooks_and_stop_after_them() -> None:
    log: list[str] = []
    app, inner = NexiosApp(lifespan=context("outer", log)), NexiosApp(lifespan=context("inner", log))
    app.mount("/inner", inner)
    for name, one in (("outer", app), ("inner", inner)):
        one.on_startup(says(log, f"{name} startup"))
        one.on_shutdown(says(log, f"{name} shutdown"))

    await lifespan(app)

    assert log == [
        "outer in", "inner in", "inner startup", "outer startup",
        "outer shutdown", "inner shutdown", "inner out", "outer out",
    ]  # fmt: skip


async def test_an_app_that_is_mounted_twice_starts_once() -> None:
    log: list[str] = []
    app, inner = NexiosApp(), NexiosApp(lifespan=context("inner", log))
    app.mount("/a", inner)
    app.mount("/b", inner)

    assert types(await lifespan(app)) == ["startup.complete", "shutdown.complete"]
    assert log == ["inner in", "inner out"]


async def test_a_mounted_app_that_does_not_start_stops_the_start() -> None:
    log: list[str] = []
    app, first, second = NexiosApp(), NexiosApp(lifespan=context("first", log)), NexiosApp()
    app.mount("/first", first)
    app.mount("/second", second)

    @second.on_startup
    def fails() -> None:
        raise RuntimeError("second")

    sent = await lifespan(app)

    assert sent == [{"type": "lifespan.startup.failed", "message": "RuntimeError: second"}]
    assert log == ["first in", "first out"]


async def test_hooks_may_register_nothing_any_more() -> None:
    app = NexiosApp()

    @app.on_startup
    def late() -> None:
        app.add_route("/late", lambda: "late")

    sent = await lifespan(app)

    assert types(sent) == ["startup.failed"]
    assert "The application is compiled, so nothing can be registered any more" in sent[0]["message"]


async def test_an_app_that_cannot_be_compiled_does_not_start() -> None:
    """A server takes an exception from the lifespan for "no lifespan here", and would go on."""
    app = NexiosApp()

    async def handler(request: Request, response: Response, limit) -> None: ...  # type: ignore[no-untyped-def]

    app.add_route("/", handler)

    sent = await lifespan(app)

    assert types(sent) == ["startup.failed"]
    assert "nothing fills the parameter 'limit'" in sent[0]["message"]


async def test_the_start_may_use_the_emitter_and_the_state() -> None:
    app = NexiosApp()

    @app.on_startup
    async def fill() -> None:
        app.state.ready = True

    await lifespan(app, "startup")

    assert app.state.ready is True


def test_a_context_that_is_no_context_is_told_when_the_app_starts() -> None:
    app = NexiosApp(lifespan=lambda app: 7)  # type: ignore[arg-type,return-value]

    with pytest.raises(ConfigurationError, match="gave a int, which is no asynchronous context manager"):
        asyncio.run(app.engine.start())
    with pytest.raises(ConfigurationError):
        app.on_startup(print_nothing)
