"""How does code without a WebSocket read a channel?"""

import asyncio
from typing import Any

import msgspec
import pytest

from nexios.websockets.backends.memory import MemoryEngine
from nexios.websockets.feed import Feed
from nexios.websockets.history import HistoryLimits
from nexios.websockets.outbox import OutboxLimits, TooSlow
from tests.websockets.channels.room_kit import Site, SlowBackend, turns


class Said(msgspec.Struct, tag="said"):
    text: str


class Left(msgspec.Struct, tag="left"):
    name: str


async def read(feed: Feed, number: int) -> list[Any]:
    return [(await anext(feed)).data for _ in range(number)]


async def test_a_feed_gets_the_rest_and_then_goes_on() -> None:
    site = Site()
    first = await site.channel().publish(1)
    await site.channel().publish(2)
    async with site.channel().listen(last_seen=first) as feed:
        await site.channel().publish(3, event="said")
        messages = [await anext(feed), await anext(feed)]

    assert [(message.sequence, message.event, message.data) for message in messages] == [
        (first + 1, "", 2),
        (first + 2, "said", 3),
    ]
    assert not feed.missed


async def test_without_last_seen_a_feed_begins_now() -> None:
    site = Site()
    await site.channel().publish("before")
    feed = site.channel().listen()
    reading = asyncio.ensure_future(read(feed, 2))
    await turns()
    await site.channel().publish("after")
    await site.channel().publish(b"bytes")

    assert await reading == ["after", b"bytes"]
    await feed.aclose()


async def test_messages_are_read_as_a_union_of_types() -> None:
    site = Site()
    async with site.channel().listen() as feed:
        await site.channel().publish(Said("hi"))
        await site.channel().publish(Left("ada"))
        events = [(await anext(feed)).read_as(Said | Left) for _ in range(2)]

    assert events == [Said("hi"), Left("ada")]


async def test_a_feed_is_told_when_messages_are_missing() -> None:
    site = Site(history=HistoryLimits(count=2))
    first = await site.channel().publish(0)
    for number in range(1, 5):
        await site.channel().publish(number)
    async with site.channel().listen(last_seen=str(first)) as feed:
        assert feed.missed
        assert await read(feed, 2) == [3, 4]


async def test_a_reader_that_is_too_slow_is_told() -> None:
    site = Site(outbox=OutboxLimits(count=3))
    async with site.channel().listen() as feed:
        for number in range(10):
            await site.channel().publish(number)
        assert await read(feed, 3) == [0, 1, 2]
        with pytest.raises(TooSlow):
            await anext(feed)


@pytest.mark.parametrize(("policy", "expected"), [("drop_oldest", [7, 8, 9]), ("drop_new", [0, 1, 2])])
async def test_a_reader_may_rather_lose_messages(policy: Any, expected: list[int]) -> None:
    site = Site()
    async with site.channel().listen(outbox=OutboxLimits(count=3, policy=policy)) as feed:
        for number in range(10):
            await site.channel().publish(number)
        assert len(feed) == 3
        assert await read(feed, 3) == expected
    assert (site.hub.counters.queued, site.hub.counters.dropped, site.hub.counters.waiting) == (10, 7, 0)


async def test_a_feed_ends_when_the_hub_stops() -> None:
    site = Site()
    got: list[Any] = []

    async def listen() -> None:
        async for message in site.channel().listen():
            got.append(message.data)

    listening = asyncio.ensure_future(listen())
    await turns()
    await site.channel().publish("hello")
    await site.hub.stop()
    await listening

    assert got == ["hello"]


async def test_a_feed_that_is_closed_leaves_nothing() -> None:
    site = Site()
    before = asyncio.all_tasks()
    async with site.channel().listen() as feed:
        await site.channel().publish("unread")
        assert site.hub.channels == ("room:1",)
    await feed.aclose()
    await turns()

    assert not site.hub.channels
    assert asyncio.all_tasks() == before
    assert site.hub.counters.waiting == 0
    with pytest.raises(StopAsyncIteration):
        await anext(feed)


async def test_a_feed_never_opened_needs_no_closing() -> None:
    site = Site()
    feed = site.channel().listen()
    await feed.aclose()

    assert not site.hub.channels


async def test_a_feed_misses_nothing_while_it_opens() -> None:
    site = Site()
    slow = Site(backend=SlowBackend(MemoryEngine(clock=site.clock)), clock=site.clock)
    feed = slow.channel().listen(last_seen=0)
    opening = asyncio.ensure_future(feed.__aenter__())
    for number in range(20):
        await slow.channel().publish(number)
    await opening

    assert await read(feed, 20) == list(range(20))
    await feed.aclose()
