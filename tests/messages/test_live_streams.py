"""A live stream from its first byte to its end: by its source, its client, the app, or an error."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.errors import ServiceUnavailable
from nexios.messages.content import LiveSource
from nexios.messages.sse import Event
from nexios.testing import MemoryTransport, TestClient, call
from nexios.testing.library import Headers, RemoteProtocolError
from nexios.websockets import ManualClock

inherited: ContextVar[str] = ContextVar("inherited", default="nothing")


class Source:
    """Yields what it is given, and says how far it has come."""

    def __init__(self, *items: object) -> None:
        self.items = list(items)
        self.events: list[str] = []
        self.more = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[object]:
        self.events.append("begun")
        try:
            for item in self.items:
                yield item
                self.events.append(f"after {item}")
            await self.more.wait()
            yield "more"
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise
        finally:
            self.events.append("closed")


def make_app(source: Any, **options: Any) -> NexiosApp:
    app = NexiosApp(**options)

    @app.route("/", ["GET", "HEAD"])
    async def events(request: Request, response: Response) -> Response:
        return response.sse(source)

    @app.get("/lines")
    async def lines(request: Request, response: Response) -> Response:
        return response.json_lines(source, 203)

    return app


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_the_next_item_is_asked_for_when_the_one_before_was_sent() -> None:
    source = Source("one", "two", "three")
    async with TestClient(make_app(source)) as client, client.stream_events("GET", "/") as events:
        await turns()
        assert source.events == ["begun"]  # the opening waits to be read, so does the first
        assert (await events.next()).data == "one"
        await turns()
        assert source.events == ["begun", "after one", "after two"]  # the second is on the wire, the third waits


async def test_a_sign_of_life_neither_loses_nor_disturbs_what_is_on_the_way() -> None:
    clock, source = ManualClock(), Source("one")
    async with TestClient(make_app(source), clock=clock) as client, client.stream_events("GET", "/") as events:
        assert (await events.next()).data == "one"
        for beats in range(3):
            await clock.advance(14)
            assert len(events.comments) == 1 + beats
            await clock.advance(1)
            assert await events.next_comment() == ""
        source.more.set()

        assert (await events.next()).data == "more"
        assert source.events == ["begun", "after one", "closed"]
    assert clock.waiting == 0


async def test_signs_of_life_are_for_silence_only() -> None:
    clock = ManualClock()
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def numbers() -> AsyncIterator[int]:
        while True:
            yield await queue.get()

    app = make_app(numbers())
    async with TestClient(app, clock=clock) as client, client.stream_events("GET", "/") as events:
        for number in range(10):
            queue.put_nowait(number)
            assert (await events.next()).json() == number
            await clock.advance(10)
        assert events.comments == [""]  # the opening


async def test_without_keep_alive_there_is_no_timer() -> None:
    clock = ManualClock()
    app = NexiosApp()

    @app.get("/")
    async def events(request: Request, response: Response) -> Response:
        return response.sse(Source("one"), keep_alive=None)

    async with TestClient(app, clock=clock) as client, client.stream_events("GET", "/") as events_:
        await events_.next()
        assert clock.waiting == 0


@pytest.mark.parametrize("interface", ["memory", "asgi"])
@pytest.mark.parametrize("read", [0, 1, 2])
async def test_a_client_that_leaves_closes_the_source_and_leaves_no_task(interface: Any, read: int) -> None:
    """R11: whatever the source is at."""
    source = Source("one", "two")
    app = make_app(source)
    async with TestClient(app, interface=interface) as client:
        before = len(asyncio.all_tasks())
        async with client.stream_events("GET", "/") as events:
            for _ in range(read):
                await events.next()
            await turns()
        assert source.events[-1] == "closed"
        assert len(app.compile().streams) == len(client.engine.streams) == 0
        assert len(asyncio.all_tasks()) == before


async def test_a_client_that_left_before_the_first_byte_closes_the_source_too() -> None:
    closed: list[str] = []

    class Unread:
        def __aiter__(self) -> Any:
            raise AssertionError("nobody reads it")

        async def aclose(self) -> None:
            closed.append("closed")

    app = make_app(Unread())
    transport = MemoryTransport("GET", "/")
    transport.leave()
    async with TestClient(app) as client:
        await client._serve(transport)

    assert "closed" in closed


async def test_cancelled_at_any_step_it_leaves_nothing() -> None:
    """R12."""
    for steps in range(60):
        source = Source("one", "two")
        app = make_app(source)
        async with TestClient(app) as client:
            before = len(asyncio.all_tasks())
            transport = MemoryTransport("GET", "/")
            task = asyncio.ensure_future(client._serve(transport))
            reader = asyncio.ensure_future(transport.response_body())
            await turns(steps)
            task.cancel()
            await asyncio.wait((task,))
            reader.cancel()
            await transport.close()
            await turns()

            assert source.events == [] or source.events[-1] == "closed"
            assert (len(client.engine.streams), len(asyncio.all_tasks())) == (0, before)


async def test_an_error_in_the_source_breaks_the_answer_off_and_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """R15: never a clean end that is none."""

    async def failing() -> AsyncIterator[str]:
        yield "one"
        raise ValueError("a fault of the source")

    async with TestClient(make_app(failing()), raise_app_exceptions=False) as client:
        async with client.stream_events("GET", "/") as events:
            assert (await events.next()).data == "one"
            with pytest.raises(RemoteProtocolError):
                await events.next()

    assert [record.message for record in caplog.records] == ["sending the response failed: GET /"]


async def test_an_item_that_cannot_be_written_breaks_the_answer_off() -> None:
    closed: list[str] = []

    async def items() -> AsyncIterator[object]:
        try:
            yield object()
        finally:
            closed.append("closed")

    async with TestClient(make_app(items())) as client:
        with pytest.raises(TypeError, match="no JSON form"):
            await client.get("/lines")

    assert closed == ["closed"]


async def test_an_error_while_the_source_is_closed_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    async def items() -> AsyncIterator[object]:
        try:
            yield "one"
            await asyncio.Event().wait()
        finally:
            raise ValueError("a fault of the cleanup")

    async with TestClient(make_app(items()), raise_app_exceptions=False) as client:
        async with client.stream_events("GET", "/") as events:
            await events.next()

    assert "sending the response failed: GET /" in caplog.messages


async def test_a_source_that_takes_the_cancellation_for_its_own_ends_all_the_same() -> None:
    ended: list[str] = []

    async def stubborn() -> AsyncIterator[str]:
        try:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    yield "still here"
        finally:
            ended.append("ended")

    async with TestClient(make_app(stubborn())) as client:
        async with asyncio.timeout(5):
            async with client.stream_events("GET", "/") as events:
                await events.next_comment()
                await turns()

    assert ended == ["ended"]


async def test_a_source_that_is_cancelled_by_itself_is_an_error() -> None:
    async def cancelled() -> AsyncIterator[str]:
        yield "one"
        raise asyncio.CancelledError

    async with TestClient(make_app(cancelled())) as client:
        with pytest.raises(RuntimeError, match="the source of a stream was cancelled"):
            await client.get("/")


async def test_the_source_runs_in_one_context_with_its_timeouts_whole() -> None:
    clock = ManualClock()

    async def items() -> AsyncIterator[object]:
        yield inherited.get()
        inherited.set("the source")
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            yield "timed out"
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0, "grouped"))
            yield await task
        yield inherited.get()

    app = NexiosApp()

    @app.get("/")
    async def events(request: Request, response: Response) -> Response:
        inherited.set("the handler")
        return response.sse(items())

    async with TestClient(app, clock=clock) as client, client.stream_events("GET", "/") as events_:
        found = [event.data async for event in events_]

    assert found == ["the handler", "timed out", "grouped", "the source"]


async def test_a_synchronous_source_runs_in_threads_and_is_closed() -> None:
    closed: list[str] = []

    def items() -> Iterator[object]:
        try:
            yield 1
            yield Event("two", id=2)
        finally:
            closed.append("closed")

    async with TestClient(make_app(items())) as client:
        assert (await client.get("/")).text == ":\n\ndata: 1\n\nid: 2\ndata: two\n\n"

    assert closed == ["closed"]


async def test_head_is_answered_without_the_source_and_it_is_closed() -> None:
    source = Source("one")
    async with TestClient(make_app(source)) as client:
        answer = await client.head("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert source.events == []


async def test_the_headers_keep_caches_and_buffers_out() -> None:
    app = NexiosApp()

    @app.get("/")
    async def events(request: Request, response: Response) -> Response:
        return response.set_header("cache-control", "no-cache").sse(["x"], retry=10)

    async with TestClient(make_app(["one"])) as client:
        answer = await client.get("/")
    async with TestClient(app) as client:
        own = await client.get("/")

    assert dict(answer.headers) == {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
    }
    assert (own.headers["cache-control"], own.text) == ("no-cache", "retry: 10\n\ndata: x\n\n")


async def test_json_lines_are_values_on_lines() -> None:
    async with TestClient(make_app([{"a": "x\ny"}, None, [1]])) as client:
        answer = await client.get("/lines")

    assert (answer.status_code, answer.headers["content-type"]) == (203, "application/jsonl")
    assert answer.content == b'{"a":"x\\ny"}\nnull\n[1]\n'


@pytest.mark.parametrize("build", [Response().sse, Response().json_lines], ids=["sse", "json_lines"])
@pytest.mark.parametrize("source", ["text", b"bytes", {"a": 1}, 5, None, Source])
def test_what_is_no_source_is_refused(build: Callable[..., Response], source: Any) -> None:
    with pytest.raises(TypeError, match="takes an iterable of items"):
        build(source)


@pytest.mark.parametrize("keep_alive", [0, -1, float("inf"), float("nan")])
def test_keep_alive_is_a_time(keep_alive: float) -> None:
    with pytest.raises(ValueError, match="keep_alive is in seconds"):
        Response().sse([], keep_alive=keep_alive)
    with pytest.raises(ValueError, match="retry is a whole number"):
        Response().sse([], retry=1.5)  # type: ignore[arg-type]


async def test_one_response_may_be_sent_to_many() -> None:
    app = NexiosApp()
    shared = Response().sse(["a", "b"])
    app.add_route("/", lambda request, response: shared)

    async with TestClient(app) as client:
        texts = [(await client.get("/")).text for _ in range(2)]

    assert texts == [":\n\ndata: a\n\ndata: b\n\n"] * 2


# Limits and the end of the app


async def test_one_stream_too_many_is_a_503_that_middleware_sees() -> None:
    app = make_app(Source("one"), limits={"max_streams": 1})

    @app.add_middleware
    async def seen(request: Request, response: Response, call_next: Any) -> Response:
        answer: Response = await call_next()
        return answer.set_header("x-seen", str(answer.status_code))

    async with TestClient(app) as client, client.stream_events("GET", "/") as events:
        await events.next()
        refused = await client.get("/lines")
        assert (await client.get("/nothing")).status_code == 404

    assert (refused.status_code, refused.headers["retry-after"], refused.headers["x-seen"]) == (503, "1", "503")
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_stream_that_middleware_answers_with_is_counted_too() -> None:
    app = NexiosApp(limits={"max_streams": 0})

    @app.add_middleware
    async def answers(request: Request, response: Response, call_next: Any) -> Response:
        return Response().sse(["x"])

    assert (await call(app)).status == 503


async def test_event_streams_end_when_the_app_stops_and_say_when_to_come_back() -> None:
    source = Source("one")
    app = make_app(source)
    async with TestClient(app) as client, client.stream_events("GET", "/") as events:
        await events.next()
        streams = client.engine.streams
        streams.leave()
        streams.leave()

        with pytest.raises(EOFError):
            await events.next()
        assert events.retry is not None
        assert 1000 <= events.retry < 2000
        assert (await client.get("/")).status_code == 503
        with pytest.raises(ServiceUnavailable):
            streams.check(None)
        await streams.end_all()
        streams.check(None)  # an app may be started again
    assert source.events[-2:] == ["cancelled", "closed"]


async def test_what_was_made_is_sent_before_the_end() -> None:
    source = Source("one", "two")
    async with TestClient(make_app(source)) as client, client.stream_events("GET", "/") as events:
        await turns()
        client.engine.streams.leave()

        assert [event.data async for event in events] == ["one"]


async def test_json_lines_have_time_to_end_and_are_broken_off_then() -> None:
    ending, endless = Source({"line": 1}), Source({"line": 1})
    app = make_app(ending)
    app.add_route("/endless", lambda request, response: response.json_lines(endless))

    async with TestClient(app, raise_app_exceptions=False) as client:
        async with client.stream("GET", "/lines") as lines, client.stream("GET", "/endless") as broken:
            chunks, others = lines.aiter_raw(), broken.aiter_raw()
            assert await anext(chunks) == await anext(others) == b'{"line":1}\n'
            stopping = asyncio.ensure_future(client.engine.streams.end_all(grace=0.05))
            await turns()
            ending.more.set()
            assert await anext(chunks) == b'"more"\n'
            assert await anext(chunks, None) is None
            with pytest.raises(RemoteProtocolError):
                await anext(others)
            await stopping

    assert endless.events[-2:] == ["cancelled", "closed"]


class Guarded(LiveSource):
    """A source that is not for everybody."""

    def __init__(self) -> None:
        self.closed = 0

    async def admit(self) -> None:
        raise HTTPException(403, "Not for you.")

    async def __aiter__(self) -> AsyncIterator[str]:
        yield "secret"

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_source_may_refuse_before_the_response_begins() -> None:
    source = Guarded()
    async with TestClient(make_app(source)) as client:
        answer = await client.get("/")

    assert (answer.status_code, answer.json()["detail"], source.closed) == (403, "Not for you.", 1)


async def test_last_event_id_is_what_the_client_saw_last() -> None:
    app = NexiosApp()

    @app.get("/")
    async def last(request: Request, response: Response) -> Any:
        return {"last": request.last_event_id}

    async with TestClient(app) as client:
        found = [
            (await client.get("/", headers=Headers(headers))).json()["last"]
            for headers in (
                [],
                [(b"last-event-id", b"")],
                [(b"last-event-id", b"17")],
                [(b"last-event-id", b"\xc3\xa9")],
            )
        ]

    assert found == [None, None, "17", "é"]
