"""Does a client that comes back get all it missed, in order, and nothing twice?"""

import asyncio
import json
import random

import pytest

from nexios.messages.websocket import WebSocketDisconnect
from nexios.websockets.backends.memory import MemoryEngine
from nexios.websockets.clock import ManualClock
from nexios.websockets.history import HistoryLimits
from tests.websockets.channels.room_kit import Client, Site, SlowBackend, turns


async def test_a_client_that_comes_back_gets_the_rest_and_then_goes_on() -> None:
    site = Site()
    _, first, _ = await site.join(last_seen=0)
    for number in range(5):
        await site.channel().publish(number)
    last_seen = first.sequences[1]
    websocket, client = site.socket()
    member = await site.channel().connect(websocket, last_seen=last_seen)
    await site.channel().publish(5)

    assert first.data == [0, 1, 2, 3, 4, 5]
    assert client.data == [2, 3, 4, 5]
    assert client.sequences == first.sequences[2:]
    assert not member.missed


async def test_the_envelope_says_channel_number_and_event() -> None:
    site = Site()
    _, client, _ = await site.join(envelope=True)
    sequence = await site.channel().publish({"text": "hi"}, event="said")
    await site.channel().publish('a "text"', keep=False)
    await site.channel().publish(b"\x00\xff")

    assert client.envelopes == [
        {"channel": "room:1", "sequence": sequence, "event": "said", "data": {"text": "hi"}},
        {"channel": "room:1", "data": 'a "text"'},
        {"channel": "room:1", "sequence": sequence + 1, "base64": "AP8="},
    ]


async def test_members_with_and_without_an_envelope_share_a_channel() -> None:
    site = Site()
    _, plain, _ = await site.join()
    _, resumed, _ = await site.join(last_seen=0, envelope=False)
    _, enveloped, _ = await site.join(envelope=True)
    await site.channel().publish("hello")

    assert plain.got == resumed.got == ["hello"]
    assert enveloped.data == ["hello"]


async def test_without_last_seen_nothing_is_repeated() -> None:
    site = Site()
    await site.channel().publish("before")
    _, client, _ = await site.join(envelope=True)
    await site.channel().publish("after")

    assert client.data == ["after"]


@pytest.mark.parametrize("last_seen", [0, "0", "", "nonsense", "-5", "1e5", "9" * 30, -1, 2**60, "١٢"])
async def test_who_saw_nothing_or_says_nonsense_gets_all_that_is_kept(last_seen: int | str) -> None:
    site = Site()
    for number in range(3):
        await site.channel().publish(number)
    _, client, member = await site.join(last_seen=last_seen)

    assert client.data == [0, 1, 2]
    assert not member.missed


async def test_last_seen_may_be_the_text_that_the_client_sent() -> None:
    site = Site()
    first = await site.channel().publish("one")
    await site.channel().publish("two")
    _, client, _ = await site.join(last_seen=str(first))

    assert client.data == ["two"]


async def test_a_client_is_told_when_messages_are_missing() -> None:
    site = Site(history=HistoryLimits(count=3))
    first = await site.channel().publish(0)
    for number in range(1, 10):
        await site.channel().publish(number)
    _, client, member = await site.join(last_seen=first)
    _, plain, other = await site.join(last_seen=first, envelope=False)

    assert client.envelopes[0] == {"channel": "room:1", "event": "gap"}
    assert client.data == [7, 8, 9]
    assert plain.got == ["7", "8", "9"]
    assert member.missed
    assert other.missed


async def test_a_server_that_forgot_everything_says_so() -> None:
    old, new = Site(), Site()
    last_seen = await old.channel().publish("before the restart")
    await new.channel().publish("after it")
    _, client, member = await new.join(last_seen=last_seen)

    assert client.data == ["after it"]
    assert member.missed


async def test_messages_are_kept_by_count_and_age() -> None:
    site = Site(history=HistoryLimits(count=3, age=60))
    site.hub.keep("news:*", HistoryLimits(count=5, age=600))
    site.hub.keep("news:secret", HistoryLimits(count=0))
    for name in ("room:1", "news:1", "news:secret"):
        for number in range(10):
            await site.channel(name).publish(number)

    async def kept(name: str) -> list[int]:
        return [message.data for message in await site.channel(name).history()]

    assert [await kept(name) for name in ("room:1", "news:1", "news:secret")] == [[7, 8, 9], [5, 6, 7, 8, 9], []]
    await site.clock.advance(60)
    assert [await kept(name) for name in ("room:1", "news:1")] == [[], [5, 6, 7, 8, 9]]


async def test_what_is_not_kept_has_no_number_and_no_history() -> None:
    site = Site()
    _, client, _ = await site.join(envelope=True)
    assert await site.channel().publish("typing", keep=False) == 0

    assert "sequence" not in client.envelopes[0]
    assert await site.channel().history() == ()


async def test_messages_that_come_while_the_history_is_written_follow_it() -> None:
    site = Site()
    for number in range(5):
        await site.channel().publish(number)
    websocket, client = site.socket()
    await websocket.accept()
    client.is_stuck = True
    joining = asyncio.ensure_future(site.channel().connect(websocket, last_seen=0))
    await turns()
    for number in range(5, 10):
        await site.channel().publish(number)
    await site.channel().publish("typing", keep=False)
    assert client.got == []
    client.is_stuck = False
    await joining
    await site.channel().publish(10)
    await turns()

    assert client.data == list(range(11))
    assert {"channel": "room:1", "data": "typing"} in client.envelopes


async def test_a_client_that_goes_while_the_history_is_written_is_no_member() -> None:
    site = Site()
    for number in range(5):
        await site.channel().publish(number)
    websocket, client = site.socket()
    await websocket.accept()
    client.client_is_gone = True
    with pytest.raises(WebSocketDisconnect):
        await site.channel().connect(websocket, last_seen=0)
    await turns()

    assert site.hub.channels == ()


@pytest.mark.parametrize("seed", range(15))
async def test_nothing_is_lost_or_doubled_whatever_happens_at_once(seed: int) -> None:
    """Two processes on one engine, publishers, and clients that are slow, go and come back with the last they saw."""
    dice = random.Random(seed)
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    sites = [
        Site(clock=clock, backend=SlowBackend(engine, lambda: dice.randrange(6)), history=HistoryLimits(count=1000))
        for _ in range(2)
    ]
    published: list[int] = []

    async def publish(name: str) -> None:
        for number in range(40):
            published.append(await dice.choice(sites).channel().publish([name, number]))
            await turns(dice.randrange(4))

    async def visit() -> list[int]:
        seen: list[int] = []
        while len(seen) < 120:
            site = dice.choice(sites)
            websocket, client = site.socket()
            await site.channel().connect(websocket, last_seen=seen[-1] if seen else 0)
            client.is_stuck = dice.random() < 0.3
            await turns(dice.randrange(30))
            client.is_stuck = False
            await turns(dice.randrange(30))
            if dice.random() < 0.5:
                client.client_is_gone = True
            else:
                await site.channel().disconnect(websocket)
            seen += client.sequences
        return seen

    async with asyncio.timeout(50):
        visitors = [asyncio.ensure_future(visit()) for _ in range(6)]
        await asyncio.gather(*(publish(name) for name in "abc"))
        seen = await asyncio.gather(*visitors)

    assert all(one == sorted(published) for one in seen)
    for site in sites:
        await site.hub.stop()


async def test_a_break_of_the_backend_is_bridged_by_the_history() -> None:
    site = Site(history=HistoryLimits(count=100))
    _, client, _ = await site.join(envelope=True)
    incoming = site.hub._incoming
    engine = site.hub.backend.engine  # type: ignore[attr-defined]
    await site.channel().publish(1)
    receivers = engine.receivers.pop("room:1")
    incoming.lost(ConnectionError("gone"))
    await site.channel().publish(2)
    engine.receivers["room:1"] = receivers
    await site.channel().publish(3)
    assert client.data == [1]
    incoming.restored()
    await turns()
    await site.channel().publish(4)

    assert client.data == [1, 2, 3, 4]


async def test_a_gap_after_a_break_is_told() -> None:
    site = Site(history=HistoryLimits(count=2))
    _, client, _ = await site.join(envelope=True)
    _, plain, _ = await site.join()
    incoming = site.hub._incoming
    engine = site.hub.backend.engine  # type: ignore[attr-defined]
    await site.channel().publish(1)
    receivers = engine.receivers.pop("room:1")
    incoming.lost(ConnectionError("gone"))
    for number in range(2, 6):
        await site.channel().publish(number)
    engine.receivers["room:1"] = receivers
    incoming.restored()
    await turns()

    assert [json.loads(text).get("event", json.loads(text).get("data")) for text in client.got] == [1, "gap", 4, 5]
    assert plain.got == ["1", "4", "5"]


def test_a_client_counts_what_it_got() -> None:
    """The kit's own: envelopes without a number are no messages."""
    client = Client()
    client.sent = [("text", '{"channel":"a","sequence":7,"data":1}'), ("text", '{"channel":"a","event":"gap"}')]

    assert (client.sequences, client.data) == ([7], [1])
