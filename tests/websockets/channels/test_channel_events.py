"""A channel as server-sent events: nothing is missed or doubled, nobody passes a guard, and nobody stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.testing import EventStream, NoEventStream, TestClient
from nexios.websockets import (
    BackendUnavailable,
    Channel,
    HistoryLimits,
    Hub,
    ManualClock,
    MemoryBackend,
    MemoryEngine,
    OutboxLimits,
)
from nexios.websockets.backends.base import ChannelBackend
from nexios.websockets.message import Kind, write_wire
from tests.websockets.channels.room_kit import SlowBackend, turns


class Said(msgspec.Struct, tag="said"):
    text: str


class Page:
    """An app with one feed, and a client of it."""

    def __init__(self, backend: ChannelBackend | None = None, **options: Any) -> None:
        self.clock = ManualClock()
        self.hub = Hub(backend or MemoryBackend(MemoryEngine(clock=self.clock)), clock=self.clock, **options)
        self.app = NexiosApp(channels=self.hub)
        self.news = Channel("news", self.hub)

        @self.app.get("/news")
        async def news(request: Request, response: Response) -> Response:
            return Channel("news").sse(request, last_seen=request.query_params.get("after"))

        @self.app.get("/present")
        async def present(request: Request, response: Response) -> Response:
            return response.sse(self.news.events(request, user=request.query_params["user"], metadata={"tab": 1}))

        @self.app.get("/small")
        async def small(request: Request, response: Response) -> Response:
            return response.sse(self.news.events(request, outbox=OutboxLimits(count=2)))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[TestClient]:
        async with TestClient(self.app, clock=self.clock) as client:
            yield client


async def opened(events: EventStream) -> None:
    """Wait until it listens: then the client knows where the channel stands."""
    await events.next_comment()
    await turns(20)


async def test_messages_are_events_with_their_numbers_and_types() -> None:
    page = Page()
    async with page.client() as client, client.stream_events("GET", "/news") as events:
        await opened(events)
        first = await page.news.publish(Said("hi"), event="said")
        await page.news.publish("a\nb")
        await page.news.publish(b"\x00\xff")
        await page.news.publish({"typing": True}, keep=False)
        found = [await events.next() for _ in range(4)]

    assert [(event.event, event.id, event.data) for event in found] == [
        ("said", str(first), '{"type":"said","text":"hi"}'),
        ("message", str(first + 1), "a\nb"),
        ("message", str(first + 2), "AP8="),
        ("message", str(first + 2), '{"typing":true}'),
    ]
    assert found[0].read_as(Said) == Said("hi")


async def test_a_client_that_comes_back_gets_the_rest_once_and_in_order() -> None:
    page = Page()
    got: list[Any] = []
    async with page.client() as client:
        last, publishing = "", asyncio.ensure_future(publish_all(page, 60))
        while len(got) < 60:
            headers = {"last-event-id": last} if last else {}
            async with client.stream_events("GET", "/news?after=0", headers=headers) as events:
                for _ in range(7):
                    got.append((await events.next()).json())
                    last = events.last_event_id
                    if len(got) == 60:
                        break
        await publishing

    assert got == list(range(60))


async def publish_all(page: Page, count: int) -> None:
    for number in range(count):
        await page.news.publish(number)
        await turns(number % 5)


async def test_a_client_that_has_heard_nothing_yet_misses_nothing_either() -> None:
    """It knows where the channel stood when it came."""
    page = Page()
    async with page.client() as client:
        before = await page.news.publish("before")
        async with client.stream_events("GET", "/news") as events:
            await opened(events)
            await page.news.publish(" ", keep=False)
            await events.next()
            last = events.last_event_id
        await page.news.publish("meanwhile")
        async with client.stream_events("GET", "/news", headers={"last-event-id": last}) as events:
            found = await events.next()

    assert (last, found.data, found.id) == (str(before), "meanwhile", str(before + 1))


async def test_where_the_history_does_not_reach_back_one_event_says_so() -> None:
    page = Page(history=HistoryLimits(count=2))
    async with page.client() as client:
        first = await page.news.publish(0)
        for number in range(1, 5):
            await page.news.publish(number)
        async with client.stream_events("GET", "/news", headers={"last-event-id": str(first)}) as events:
            found = [await events.next() for _ in range(3)]

    assert [(event.event, event.json()) for event in found] == [
        ("gap", {"channel": "news"}),
        ("message", 3),
        ("message", 4),
    ]


async def test_who_came_back_too_late_knows_where_the_channel_stands_now() -> None:
    """Else it would be told of the same gap each time that it comes."""
    page = Page(history=HistoryLimits(age=60))
    async with page.client() as client:
        first = await page.news.publish("old")
        await page.news.publish("older than a minute")
        await page.clock.advance(100)
        async with client.stream_events("GET", "/news", headers={"last-event-id": str(first)}) as events:
            gap = await events.next()
            await page.news.publish("unkept", keep=False)
            await events.next()
            last = events.last_event_id
        await page.news.publish("new")
        async with client.stream_events("GET", "/news", headers={"last-event-id": last}) as events:
            found = await events.next()

    assert (gap.event, last, found.data) == ("gap", str(first + 1), "new")


@pytest.mark.parametrize("last", ["nonsense", "-1", "1e9", "9" * 30, "0"])
async def test_an_id_that_is_none_of_ours_is_a_client_that_saw_nothing(last: str) -> None:
    page = Page()
    async with page.client() as client:
        await page.news.publish("kept")
        async with client.stream_events("GET", "/news", headers={"last-event-id": last}) as events:
            assert (await events.next()).data == "kept"


async def test_the_header_of_a_client_that_comes_back_is_newer_than_its_address() -> None:
    page = Page()
    async with page.client() as client:
        first = await page.news.publish(1)
        await page.news.publish(2)
        async with client.stream_events("GET", "/news?after=0") as events:
            assert (await events.next()).json() == 1
        async with client.stream_events("GET", "/news?after=0", headers={"last-event-id": str(first)}) as events:
            assert (await events.next()).json() == 2


async def test_no_message_is_lost_or_doubled_while_a_client_arrives() -> None:
    clock = ManualClock()
    page = Page(SlowBackend(MemoryEngine(clock=clock)))
    async with page.client() as client:
        publishing = asyncio.ensure_future(publish_all(page, 30))
        async with client.stream_events("GET", "/news?after=0") as events:
            found = [(await events.next()).json() for _ in range(30)]
        await publishing

    assert found == list(range(30))


# Guards


@pytest.mark.parametrize("answer", [False, None, 1, "yes"])
async def test_a_guard_that_does_not_say_true_is_a_403(answer: Any) -> None:
    page = Page()
    page.hub.guard("new*")(lambda client, channel: answer)

    async with page.client() as client:
        with pytest.raises(NoEventStream, match="channel_forbidden") as caught:
            async with client.stream_events("GET", "/news"):
                pass
        assert not page.hub.channels

    assert caught.value.status_code == 403


async def test_all_guards_are_asked_with_the_request_and_once() -> None:
    page = Page()
    asked: list[tuple[str, str, str]] = []

    @page.hub.guard("*")
    async def everybody(client: Request, channel: str) -> bool:
        asked.append((client.path, channel, client.headers["x-user"]))
        return True

    @page.hub.guard("news")
    def members(client: Request, channel: str) -> bool:
        return client.headers["x-user"] == "ada"

    async with page.client() as client:
        async with client.stream_events("GET", "/news", headers={"x-user": "ada"}):
            pass
        assert (await client.get("/news", headers={"x-user": "bob"})).status_code == 403

    assert asked == [("/news", "news", "ada"), ("/news", "news", "bob")]


async def test_who_iterates_the_events_without_a_response_is_asked_too() -> None:
    page = Page()
    page.hub.guard("news")(lambda client, channel: False)

    @page.app.get("/copied")
    async def copied(request: Request, response: Response) -> Any:
        return [event.data async for event in page.news.events(request, last_seen=0)]

    async with page.client() as client:
        await page.news.publish("secret")
        answer = await client.get("/copied")

    assert (answer.status_code, answer.json()["code"]) == (403, "channel_forbidden")


async def test_a_guard_may_answer_in_its_own_words() -> None:
    page = Page()

    @page.hub.guard("news")
    def login(client: Any, channel: str) -> bool:
        raise HTTPException(401, "Log in first.")

    async with page.client() as client:
        assert (await client.get("/news")).status_code == 401


async def test_head_passes_no_guard_either_and_joins_nothing() -> None:
    page = Page()
    async with page.client() as client:
        assert (await client.head("/news")).status_code == 200
        assert not page.hub.channels
        page.hub.guard("news")(lambda client, channel: False)
        assert (await client.head("/news")).status_code == 403


# Leaving


async def test_a_client_that_leaves_is_out_and_leaves_nothing() -> None:
    page = Page()
    async with page.client() as client:
        before = len(asyncio.all_tasks())
        for _ in range(50):
            async with client.stream_events("GET", "/news") as events:
                await opened(events)
                assert page.hub.channels == ("news",)
        await turns()

        assert (page.hub.channels, len(asyncio.all_tasks()), page.hub.counters.waiting) == ((), before, 0)


async def test_a_slow_client_is_let_go_and_reads_on_when_it_comes_back() -> None:
    page = Page()
    async with page.client() as client:
        async with client.stream_events("GET", "/small") as events:
            await opened(events)
            for number in range(20):
                await page.news.publish(number)
            first = [event.json() async for event in events]
            last = events.last_event_id
        assert len(first) < 20
        async with client.stream_events("GET", "/news", headers={"last-event-id": last}) as events:
            rest = [(await events.next()).json() for _ in range(20 - len(first))]

    assert first + rest == list(range(20))


async def test_the_stream_ends_with_the_channels() -> None:
    page = Page()
    async with page.client() as client, client.stream_events("GET", "/news") as events:
        await opened(events)
        await page.news.publish("last")
        await page.hub.stop()

        assert [event.data async for event in events] == ["last"]


async def test_an_engine_that_is_away_is_a_503() -> None:
    class Away(MemoryBackend):
        def __init__(self) -> None:
            super().__init__(MemoryEngine(clock=ManualClock()))
            self.away = False

        async def start(self, receiver: Any, *, node: str) -> None:
            if self.away:
                raise BackendUnavailable
            await super().start(receiver, node=node)

    backend = Away()
    page = Page(backend)
    async with page.client() as client:
        await page.hub.stop()
        page.hub._is_stopped, backend.away = False, True

        assert (await client.get("/news")).status_code == 503
        backend.away = False


# Presence and hostile publishers


async def test_a_reader_may_be_present_until_it_leaves() -> None:
    page = Page()
    async with page.client() as client:
        async with client.stream_events("GET", "/present?user=ada") as events:
            await opened(events)
            present = await page.news.presence()
            await page.news.publish("for others", exclude="ada")
            await page.news.publish("for all")
            assert (await events.next()).data == "for all"
        await turns()

        assert [(entry.user, entry.metadata) for entry in present] == [("ada", {"tab": 1})]
        assert await page.news.presence() == ()


async def test_what_is_for_one_member_is_not_for_readers() -> None:
    page = Page()
    async with page.client() as client, client.stream_events("GET", "/present?user=ada") as events:
        await opened(events)
        await page.news.send_to("bob", "private")
        await page.news.publish("public")

        assert (await events.next()).data == "public"


@pytest.mark.parametrize("name", ["a\nid: 1", "a\r\rdata: evil", "\0", "a\ndata: evil\n\n"])
async def test_an_event_name_with_line_breaks_ends_no_stream_and_makes_no_event(name: str) -> None:
    """Another process, an older one perhaps, must not speak for others, nor shut them out while its message is kept."""
    page = Page()
    async with page.client() as client:
        body = write_wire(Kind.TEXT, b"x", event=name)
        first = await page.hub.backend.publish("news", body, keep=HistoryLimits())
        await page.news.publish("y")
        async with client.stream_events("GET", "/news?after=0") as events:
            found = [await events.next() for _ in range(2)]

    assert [(event.event, event.data, event.id) for event in found] == [
        ("message", "x", str(first)),
        ("message", "y", str(first + 1)),
    ]


async def test_a_gap_that_a_break_of_the_engine_left_is_told_to_who_reads() -> None:
    page = Page(history=HistoryLimits(count=1))
    async with page.client() as client, client.stream_events("GET", "/news") as events:
        await opened(events)
        await page.news.publish(0)
        assert (await events.next()).json() == 0
        page.hub._incoming.lost(ConnectionError("gone"))
        for room in page.hub._rooms:
            for number in range(1, 4):
                await page.news.publish(number)
            room.held = []  # the engine could not give them to us
        page.hub._incoming.restored()
        found = [await events.next() for _ in range(2)]

    assert [(event.event, event.data) for event in found] == [("gap", '{"channel":"news"}'), ("message", "3")]
