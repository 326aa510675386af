"""The client leaves: while its body is read, while the handler works, while the response is sent."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ClientDisconnect
from nexios.testing.raw import call


async def test_a_client_that_leaves_amid_its_body_is_a_client_disconnect_and_no_short_body(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[object] = []
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> bytes:
        try:
            return await request.body()
        except ClientDisconnect as exc:
            seen.append(str(exc))
            raise

    answer = await call(app, method="POST", chunks=[b"first", b"second"], disconnect_after=1)

    assert seen == ["the client left before the body was whole"]
    assert (answer.status, answer.received) == (400, 2)
    assert caplog.records == []


@pytest.mark.parametrize("reader", ["body", "text", "json", "form", "stream"])
async def test_no_reader_takes_a_part_for_the_whole(reader: str) -> None:
    read: list[object] = []
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        if reader == "stream":
            read.append(b"".join([chunk async for chunk in request.stream()]))
        else:
            read.append(await getattr(request, reader)())

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    await call(app, method="POST", headers=headers, chunks=[b"1", b"2"], disconnect_after=1)

    assert read == []


async def test_a_handler_goes_on_when_the_client_leaves() -> None:
    """An order that was paid must be written down, whoever waits for the answer."""
    log: list[str] = []
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        await request.body()
        await asyncio.sleep(0)
        log.append("written")

    await call(app, method="POST", disconnect_after=1)

    assert log == ["written"]


async def test_a_handler_that_asked_for_it_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    app = NexiosApp()

    @app.get("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cleaned up")

    answer = await call(app, disconnect_after=1)

    assert (log, answer.error) == (["cleaned up"], None)
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_handler_that_asked_for_it_answers_a_client_that_stays() -> None:
    app = NexiosApp()

    @app.post("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> bytes:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await request.body()

    answer = await call(app, method="POST", chunks=[b"a", b"b", b"c"])

    assert (answer.status, answer.body) == (200, b"abc")


async def test_nothing_of_the_watch_is_left_after_the_answer() -> None:
    """`call` raises when a task is left."""
    app = NexiosApp()

    @app.get("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        return "done"

    before = asyncio.all_tasks()
    assert (await call(app)).body == b"done"
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_what_the_handler_raises_by_itself_is_not_hidden_by_the_watch() -> None:
    app = NexiosApp(exception_handlers={KeyError: lambda request, exc: ("key", 409)})

    @app.get("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> None:
        await asyncio.sleep(0)
        raise KeyError

    assert (await call(app)).status == 409


async def test_a_cancellation_from_outside_is_not_taken_for_a_disconnect() -> None:
    entered = asyncio.Event()
    log: list[str] = []
    app = NexiosApp()

    @app.get("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        log.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    task = asyncio.create_task(app(scope, receive, send))
    await entered.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cancelled"]


@pytest.mark.parametrize("body_read", [True, False])
async def test_is_disconnected_tells_whether_the_client_has_gone(body_read: bool) -> None:
    told: list[bool] = []
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        if body_read:
            await request.body()
        told.append(await request.is_disconnected())

    await call(app, method="POST", disconnect_after=1)
    await call(app, method="POST")

    assert told == [True, False]


async def test_is_disconnected_loses_nothing_of_the_body() -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> bytes:
        for _ in range(5):
            assert not await request.is_disconnected()
        return await request.body()

    assert (await call(app, method="POST", chunks=[b"a", b"b", b"", b"c"])).body == b"abc"


async def test_the_watch_keeps_a_mebibyte_of_a_body_that_nobody_reads() -> None:
    app = NexiosApp()

    @app.post("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> str:
        for _ in range(500):
            await asyncio.sleep(0)
        return "done"

    answer = await call(app, method="POST", chunks=[b"x" * 65_536] * 100)

    assert answer.body == b"done"
    assert 0 < answer.received <= 18


async def test_a_stream_is_closed_when_the_client_leaves(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    app = NexiosApp()

    async def chunks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick"
                await asyncio.sleep(0)
        finally:
            log.append("closed")

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks()).add_background(log.append, "background")

    answer = await call(app, disconnect_after=1)

    assert (answer.complete, answer.error, log) == (False, None, ["closed", "background"])
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_stream_that_waits_is_closed_when_the_client_leaves() -> None:
    log: list[str] = []
    app = NexiosApp()

    async def chunks() -> AsyncIterator[str]:
        try:
            yield "one"
            await asyncio.Event().wait()
        finally:
            log.append("closed")

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks())

    answer = await call(app, disconnect_after=1)

    assert (answer.body, log) == (b"one", ["closed"])


@pytest.mark.parametrize("allowed", [0, 1, 2, 3])
async def test_a_server_that_says_so_by_an_os_error_is_understood_at_every_message(
    allowed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """ASGI HTTP spec 2.4: send() raises OSError when the client has gone."""
    log: list[str] = []
    app = NexiosApp()

    async def chunks() -> AsyncIterator[str]:
        try:
            yield "one"
            yield "two"
        finally:
            log.append("closed")

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks())

    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if len(sent) == allowed:
            raise OSError("broken pipe")
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)

    assert len(sent) == allowed
    assert log == (["closed"] if allowed else [])
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


@pytest.mark.parametrize("pause", range(8))
@pytest.mark.parametrize("chunks", [[b"a"], [b"a", b"b"], [b"a", b"b", b"c", b"d"]])
async def test_a_body_that_comes_slowly_is_read_whole_and_once_beside_the_watch(
    chunks: list[bytes], pause: int
) -> None:
    """Handler and watch wait for the same message: it is one chunk, and not two."""
    app = NexiosApp()
    answers: list[bytes] = []

    @app.post("/", on_disconnect="cancel")
    async def handler(request: Request, response: Response) -> bytes:
        for _ in range(pause % 3):
            await asyncio.sleep(0)
        answers.append(await request.body())
        return answers[0]

    waiting = list(chunks)
    receiving = 0

    async def receive() -> Any:
        nonlocal receiving
        receiving += 1
        assert receiving == 1, "a server is asked for one message at a time"
        try:
            for _ in range(pause):
                await asyncio.sleep(0)
            if not waiting:
                await asyncio.Event().wait()
            body = waiting.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(waiting)}
        finally:
            receiving -= 1

    async def send(message: Any) -> None: ...

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    async with asyncio.timeout(2):
        await app(scope, receive, send)

    assert answers == [b"".join(chunks)]
