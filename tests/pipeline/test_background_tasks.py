"""Background tasks: after the response, in order, and never lost at the stop."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing.raw import call

USER: ContextVar[str] = ContextVar("user", default="nobody")


async def test_tasks_run_in_order_after_the_response_is_sent() -> None:
    log: list[str] = []
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()
        log.append("first")

    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.text("sent").add_background(wait).add_background(log.append, "second")

    sent: list[str] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)  # type: ignore[arg-type]

    assert (sent, log) == (["http.response.start", "http.response.body"], [])
    gate.set()
    await app.engine.background.drain(1)
    assert log == ["first", "second"]


async def test_a_failing_task_is_logged_and_the_next_runs(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []

    def fails() -> None:
        raise ValueError

    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.text("sent").add_background(fails).add_background(log.append, "second")

    assert (await call(app)).complete
    assert log == ["second"]
    (message,) = caplog.messages
    assert message.endswith("fails failed")


async def test_a_plain_function_runs_in_a_thread_and_an_async_one_does_not() -> None:
    main: list[bool] = []

    def plain() -> None:
        main.append(threading.current_thread() is threading.main_thread())

    async def asynchronous() -> None:
        main.append(threading.current_thread() is threading.main_thread())

    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.empty().add_background(plain).add_background(asynchronous)

    await call(app)

    assert main == [False, True]


async def test_arguments_are_passed_on_whatever_their_names() -> None:
    got: list[object] = []

    async def task(*args: object, **kwargs: object) -> None:
        got.append((args, kwargs))

    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.empty().add_background(task, 1, fn=2)

    await call(app)

    assert got == [((1,), {"fn": 2})]


async def test_arguments_are_passed_on_to_a_thread_whatever_their_names(caplog: pytest.LogCaptureFixture) -> None:
    got: list[object] = []

    def task(**kwargs: object) -> None:
        got.append(kwargs)

    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.empty().add_background(task, fn=2)

    await call(app)

    assert got == [{"fn": 2}]


async def test_a_task_sees_the_context_of_its_request() -> None:
    seen: list[str] = []
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        USER.set("ada")
        return response.empty().add_background(lambda: seen.append(USER.get()))

    await call(app)

    assert seen == ["ada"]


async def test_tasks_may_be_added_by_middleware_and_to_any_value() -> None:
    log: list[str] = []

    async def middleware(request: Request, response: Response, call_next: object) -> object:
        answer: Response = await call_next()  # type: ignore[operator]
        return answer.add_background(log.append, "middleware")

    app = NexiosApp(middleware=[middleware])

    @app.get("/")
    async def handler(request: Request, response: Response) -> object:
        response.add_background(log.append, "handler")
        return {"a": 1}

    assert (await call(app)).json() == {"a": 1}
    assert log == ["handler", "middleware"]


async def test_tasks_of_a_response_that_became_an_error_do_not_run() -> None:
    """They belong to a success that did not happen."""
    log: list[str] = []
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        response.add_background(log.append, "done")
        raise ValueError

    assert (await call(app)).status == 500
    assert log == []


async def test_tasks_run_although_the_client_left() -> None:
    log: list[str] = []
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.text("x").add_background(log.append, "done")

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        raise OSError("gone")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    await app.engine.background.drain(1)

    assert log == ["done"]


async def test_tasks_run_although_the_stream_failed(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    app = NexiosApp()

    async def chunks() -> object:
        yield "one"
        raise ValueError

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks()).add_background(log.append, "done")  # type: ignore[arg-type]

    answer = await call(app)

    assert (type(answer.error), answer.complete, log) == (ValueError, False, ["done"])


async def test_the_stop_waits_for_tasks_before_the_shutdown_hooks() -> None:
    log: list[str] = []
    begun, gate = asyncio.Event(), asyncio.Event()

    async def task() -> None:
        begun.set()
        await gate.wait()
        log.append("task")

    app = NexiosApp()
    app.on_shutdown(lambda: log.append("shutdown"))

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.empty().add_background(task)

    @app.event_emitter.on("shutdown")
    async def let_go(app: NexiosApp) -> None:
        gate.set()

    await app.engine.start()
    request = asyncio.create_task(call(app))
    await begun.wait()
    await app.engine.stop()
    await request

    assert log == ["task", "shutdown"]


async def test_the_stop_cancels_what_does_not_end_within_the_grace(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cancelled")

    app = NexiosApp(shutdown_grace=0.0)

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.empty().add_background(endless)

    await app.engine.start()
    request = asyncio.create_task(call(app))
    await begun.wait()
    await app.engine.stop()
    await request

    assert log == ["cancelled"]
    assert caplog.messages == ["1 background task(s) did not end in 0 s and were cancelled"]
