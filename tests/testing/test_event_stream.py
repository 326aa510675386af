"""The client's end of an event stream: events as a page gets them, and a patience that says what it waited for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.messages.sse import Event
from nexios.testing import EventTimeout, NoEventStream, ReceivedEvent, TestClient


async def wait_for_news() -> AsyncIterator[object]:
    yield Event({"n": 1}, event="news", id=7, retry=100)
    yield Event(comment="a note")
    await asyncio.Event().wait()


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.get("/news")
    async def news(request: Request, response: Response) -> Response:
        return response.sse(wait_for_news())

    @app.post("/few")
    async def few(request: Request, response: Response) -> Response:
        body: Any = await request.json()
        return response.sse([body, request.headers["x-one"], request.query_params["q"], request.cookies["c"]])

    @app.get("/page")
    async def page(request: Request, response: Response) -> Any:
        return "no events"

    @app.get("/failing")
    async def failing(request: Request, response: Response) -> Response:
        async def events() -> AsyncIterator[str]:
            yield "one"
            raise LookupError("a fault of the source")

        return response.sse(events())

    @app.get("/never")
    async def never(request: Request, response: Response) -> Any:
        await asyncio.Event().wait()

    return app


@pytest.mark.parametrize("interface", ["memory", "asgi"])
async def test_events_are_read_in_a_block(interface: Any) -> None:
    async with TestClient(make_app(), interface=interface) as client, client.stream_events("GET", "/news") as events:
        event = await events.next()

        assert event == ReceivedEvent('{"n":1}', "news", "7")
        assert event.json() == event.read_as(dict[str, int]) == {"n": 1}
        assert (events.last_event_id, events.retry) == ("7", 100)
        assert events.response.headers["content-type"] == "text/event-stream"
        assert events.comments == [""]
        assert await events.next_comment() == "a note"


async def test_the_iteration_ends_with_the_response() -> None:
    async with TestClient(make_app(), cookies={"c": "cookie"}) as client:
        options: Any = {"json": {"a": 1}, "headers": {"x-one": "1"}, "params": {"q": "?"}}
        async with client.stream_events("POST", "/few", **options) as events:
            assert [event.data async for event in events] == ['{"a":1}', "1", "?", "cookie"]
            with pytest.raises(EOFError):
                await events.next()
            with pytest.raises(EOFError):
                await events.next_comment()


def test_a_synchronous_test_reads_events_too() -> None:
    with TestClient(make_app(), cookies={"c": "cookie"}) as client:
        with client.stream_events("GET", "/news") as events:
            assert events.next().event == "news"
            assert events.next_comment() == "a note"
        with client.stream_events("POST", "/few", json=1, headers={"x-one": "1"}, params={"q": "?"}) as few:
            assert [event.data for event in few] == ["1", "1", "?", "cookie"]
        with pytest.raises(NoEventStream), client.stream_events("GET", "/page"):
            pass


@pytest.mark.parametrize("interface", ["memory", "asgi"])
async def test_a_timeout_says_what_the_source_waits_for(interface: Any) -> None:
    async with TestClient(make_app(), interface=interface) as client, client.stream_events("GET", "/news") as events:
        await events.next()
        with pytest.raises(EventTimeout) as caught:
            await events.next(timeout=0.01)

    first, _, rest = str(caught.value).partition(": ")
    assert first == "the app sent no event for 0.01 s"
    assert rest.startswith("the source of the events waits in Event.wait(), at ")
    assert rest.endswith("in wait_for_news():\n\n    await asyncio.Event().wait()")


async def test_a_handler_that_does_not_answer_is_told_too() -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(EventTimeout, match=r"the app did not answer for 0\.01 s: its handler waits in Event\.wait"):
            async with client.stream_events("GET", "/never", timeout=0.01):
                pass


async def test_after_a_timeout_the_stream_goes_on() -> None:
    app, more = NexiosApp(), asyncio.Event()

    @app.get("/")
    async def news(request: Request, response: Response) -> Response:
        async def events() -> AsyncIterator[str]:
            await more.wait()
            yield "late"

        return response.sse(events())

    async with TestClient(app) as client, client.stream_events("GET", "/") as events:
        with pytest.raises(EventTimeout):
            await events.next(timeout=0.01)
        more.set()
        assert (await events.next()).data == "late"


async def test_another_answer_is_no_event_stream() -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(NoEventStream) as caught:
            async with client.stream_events("GET", "/page"):
                pass

    assert str(caught.value) == "the app answered 200 with text/plain; charset=utf-8: no events"
    assert caught.value.status_code == 200


async def test_what_the_source_raises_is_raised_in_the_test() -> None:
    async with TestClient(make_app()) as client:
        async with client.stream_events("GET", "/failing") as events:
            assert (await events.next()).data == "one"
            with pytest.raises(LookupError, match="a fault of the source"):
                await events.next()


async def test_a_stream_that_was_not_entered_says_how() -> None:
    async with TestClient(make_app()) as client:
        events = client.stream_events("GET", "/news")
        with pytest.raises(RuntimeError, match="enter the stream first"):
            await events.next()
        with pytest.raises(RuntimeError, match="enter the client first"), events:
            pass
        with pytest.raises(TypeError, match="iterate with async for"):
            list(events)
