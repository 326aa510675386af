"""A request that is broken off, wherever it is: each provider that was opened is closed, once, and sees why."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from nexios.testing import TestClient, call
from tests.injection.injection_kit import Trace, ask, one_route
from tests.security.kit import Cancelling, until


class Pool:
    """A resource that counts what is open, and keeps the exceptions with which it was given back."""

    def __init__(self) -> None:
        self.open = 0
        self.opened = 0
        self.seen: list[str | None] = []
        self.leaving = asyncio.Event()
        self.may_leave = asyncio.Event()

    async def connection(self) -> AsyncIterator[int]:
        await asyncio.sleep(0)
        self.open += 1
        self.opened += 1
        try:
            yield self.opened
        except BaseException as exc:
            self.seen.append(type(exc).__name__)
            raise
        else:
            self.seen.append(None)
        finally:
            await asyncio.sleep(0)
            self.open -= 1

    def thread_connection(self) -> Iterator[int]:
        self.open += 1
        self.opened += 1
        try:
            yield self.opened
        finally:
            self.open -= 1

    async def slow_connection(self) -> AsyncIterator[int]:
        """Waits in its cleanup."""
        self.open += 1
        try:
            yield 1
        finally:
            self.leaving.set()
            await self.may_leave.wait()
            self.open -= 1


# The server's side of a bare call


SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}


async def never() -> Any:
    await asyncio.Event().wait()


async def ignore(message: Any) -> None: ...


class Gate:
    """Holds a worker thread until the test lets it on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def pass_through(self) -> None:
        self.reached.set()
        if not self._open.wait(20):
            raise AssertionError("nobody opened the gate")

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def thread_gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.mark.parametrize("on_disconnect", ["finish", "cancel"])
@pytest.mark.parametrize("scope", ["handler", "request"])
async def test_wherever_a_request_is_cancelled_what_was_opened_is_closed(scope: Any, on_disconnect: Any) -> None:
    """The request is cancelled at each of the places at which it waits, one after the other."""
    pool = Pool()

    async def chunks() -> AsyncIterator[str]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield "chunk"

    async def middleware(
        request: Request, response: Response, call_next: Any, shared: int = Depend(pool.connection)
    ) -> Response:
        return await call_next()  # type: ignore[no-any-return]

    async def handler(
        request: Request,
        response: Response,
        shared: int = Depend(pool.connection),
        first: int = Depend(pool.connection, scope=scope, cache=False),
        threaded: int = Depend(pool.thread_connection, scope=scope, thread=True),
        limited: int = Depend(pool.connection, scope=scope, limit=1),
    ) -> Response:
        await asyncio.sleep(0)
        return response.stream(chunks())

    app = one_route(handler, on_disconnect=on_disconnect)
    app.add_middleware(middleware)

    for step in range(100):
        cancelling = Cancelling(app, step)
        answer = await call(cancelling)
        assert pool.open == 0, f"cancelled where it waits for the time number {step}: {pool.seen}"
        if not cancelling.cancelled:
            break
        assert type(answer.error) is asyncio.CancelledError, step
        pool.seen.clear()
    assert answer.complete
    assert 10 < step < 100
    assert pool.seen == [None, None, None]


async def test_a_second_cancellation_waits_for_the_cleanup() -> None:
    pool = Pool()

    async def handler(connection: int = Depend(pool.slow_connection)) -> None:
        await asyncio.Event().wait()

    app = one_route(handler)
    task = asyncio.ensure_future(app(SCOPE, never, ignore))
    await until(lambda: pool.open)
    task.cancel()
    await pool.leaving.wait()

    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert (pool.open, task.done()) == (1, False)
    pool.may_leave.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.open == 0


async def test_a_cancellation_during_the_last_cleanup_waits_for_it_and_the_background_runs() -> None:
    pool = Pool()
    trace: Trace = []

    async def note() -> None:
        trace.append("background")

    async def handler(request: Request, response: Response, one: int = Depend(pool.slow_connection)) -> Response:
        return response.text("whole").add_background(note)

    app = one_route(handler)
    task = asyncio.ensure_future(app(SCOPE, never, ignore))
    await pool.leaving.wait()
    task.cancel()
    await asyncio.sleep(0)
    pool.may_leave.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: trace)
    assert (pool.open, trace) == (0, ["background"])


async def test_uploads_are_let_go_of_when_the_last_cleanup_is_cancelled() -> None:
    pool = Pool()
    uploads: list[Any] = []
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n12345\r\n--b--\r\n'
    scope = {**SCOPE, "method": "POST", "headers": [(b"content-type", b"multipart/form-data; boundary=b")]}
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await never()

    async def handler(request: Request, response: Response, one: int = Depend(pool.slow_connection)) -> str:
        uploads.append((await request.form())["f"])
        return "whole"

    task = asyncio.ensure_future(one_route(handler, methods=["POST"])(scope, receive, ignore))
    await pool.leaving.wait()
    task.cancel()
    await asyncio.sleep(0)
    pool.may_leave.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ValueError, match="closed"):
        await uploads[0].read()


@pytest.mark.parametrize("scope", ["handler", "request"])
async def test_a_handler_that_is_cancelled_when_the_client_leaves_closes_what_it_had(scope: Any) -> None:
    pool = Pool()

    async def handler(one: int = Depend(pool.connection, scope=scope)) -> None:
        await asyncio.Event().wait()

    await ask(one_route(handler, on_disconnect="cancel"), disconnect_after=1)

    assert (pool.open, pool.seen) == (0, ["CancelledError"])


async def test_the_request_scope_sees_that_a_stream_was_broken_off_by_the_client() -> None:
    pool = Pool()

    async def chunks() -> AsyncIterator[str]:
        while True:
            assert pool.open == 2
            yield "chunk"
            await asyncio.sleep(0)

    async def handler(
        request: Request,
        response: Response,
        sync: int = Depend(pool.thread_connection),
        one: int = Depend(pool.connection),
    ) -> Response:
        return response.stream(chunks())

    async with TestClient(one_route(handler)) as client:
        await client.disconnect_after("GET", "/", received=20)

    assert (pool.open, pool.seen) == (0, ["ClientDisconnect"])


async def test_the_request_scope_sees_what_a_stream_raises() -> None:
    pool = Pool()

    async def chunks() -> AsyncIterator[str]:
        yield "chunk"
        raise ValueError("inside")

    async def handler(request: Request, response: Response, one: int = Depend(pool.connection)) -> Response:
        return response.stream(chunks())

    answer = await ask(one_route(handler))

    assert (type(answer.error), answer.complete, pool.open, pool.seen) == (ValueError, False, 0, ["ValueError"])


async def test_what_broke_a_stream_off_stands_behind_what_a_cleanup_raises(caplog: pytest.LogCaptureFixture) -> None:
    class Connection:
        def __enter__(self) -> None: ...

        def __exit__(self, *details: object) -> None:
            raise RuntimeError("the cleanup's")

    async def chunks() -> AsyncIterator[str]:
        yield "chunk"
        raise ValueError("the stream's")

    async def handler(request: Request, response: Response, one: None = Depend(Connection)) -> Response:
        return response.stream(chunks())

    await ask(one_route(handler))

    [record] = [record for record in caplog.records if "closing a dependency" in record.getMessage()]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)
    assert str(record.exc_info[1].__context__) == "the stream's"


async def test_the_request_scope_sees_that_the_result_could_not_be_written() -> None:
    """A transaction must not be committed when its client gets a 500."""
    pool = Pool()

    async def handler(request: Request, response: Response, one: int = Depend(pool.connection)) -> object:
        return object()

    assert (await ask(one_route(handler))).status == 500
    assert (pool.open, pool.seen) == (0, ["TypeError"])


async def test_the_request_scope_sees_what_a_middleware_raises_after_the_handler() -> None:
    pool = Pool()

    async def middleware(request: Request, response: Response, call_next: Any) -> Response:
        await call_next()
        raise LookupError("after")

    async def handler(one: int = Depend(pool.connection)) -> str:
        return "whole"

    app = one_route(handler)
    app.add_middleware(middleware)

    assert (await ask(app)).status == 500
    assert (pool.open, pool.seen) == (0, ["LookupError"])


async def test_a_timeout_of_a_middleware_closes_what_the_handler_had() -> None:
    pool = Pool()

    async def at_most(request: Request, response: Response, call_next: Any) -> Response:
        try:
            async with asyncio.timeout(0.01):
                return await call_next()  # type: ignore[no-any-return]
        except TimeoutError:
            assert pool.open == 0
            raise HTTPException(504) from None

    async def handler(one: int = Depend(pool.connection), two: int = Depend(pool.connection, scope="handler")) -> None:
        await asyncio.Event().wait()

    app = one_route(handler)
    app.add_middleware(at_most)

    assert (await ask(app)).status == 504
    assert pool.seen == ["CancelledError", "CancelledError"]


async def test_a_cleanup_may_set_a_timeout_of_its_own_and_the_response_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nexios._injection.exits.CLOSE_PATIENCE", 0.01)
    trace: Trace = []

    async def connection() -> AsyncIterator[None]:
        yield
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            trace.append("gave up")

    async def handler(one: None = Depend(connection)) -> str:
        return "whole"

    answer = await ask(one_route(handler))

    assert (answer.body, answer.error, trace) == (b"whole", None, ["gave up"])


async def test_who_is_cancelled_while_a_thread_opens_something_closes_it_when_it_is_open(thread_gate: Gate) -> None:
    trace: Trace = []

    class Connection:
        def __enter__(self) -> None:
            thread_gate.pass_through()
            trace.append("open")

        def __exit__(self, *details: object) -> None:
            trace.append("close")

    async def handler(one: None = Depend(Connection, thread=True)) -> None: ...

    task = asyncio.ensure_future(one_route(handler)(SCOPE, never, ignore))
    await until(thread_gate.reached.is_set)
    task.cancel()
    await asyncio.sleep(0)
    thread_gate.open()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert trace == ["open", "close"]


async def test_who_is_cancelled_while_all_threads_are_busy_opens_nothing(thread_gate: Gate) -> None:
    trace: Trace = []

    def busy() -> None:
        thread_gate.pass_through()

    def connection() -> Iterator[None]:
        trace.append("open")
        yield

    async def blocking(value: None = Depend(busy, thread=True)) -> str:
        return "whole"

    async def handler(one: None = Depend(connection, thread=True)) -> None: ...

    app = NexiosApp(thread_limit=1)
    app.add_route("/blocking", blocking)
    app.add_route("/", handler)
    first = asyncio.ensure_future(ask(app, "/blocking"))
    await until(thread_gate.reached.is_set)
    second = asyncio.ensure_future(app(SCOPE, never, ignore))
    for _ in range(3):
        await asyncio.sleep(0)
    second.cancel()

    with pytest.raises(asyncio.CancelledError):
        await second
    thread_gate.open()
    assert (await first).status == 200
    assert trace == []
