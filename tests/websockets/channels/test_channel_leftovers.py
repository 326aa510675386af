"""What is left of members that came and went, were cancelled, or were there when the hub stopped? Nothing."""

import asyncio
import gc
from collections.abc import Callable

import pytest

from nexios.errors import ServiceUnavailable
from nexios.messages.websocket import WebSocket
from nexios.settings import Limits
from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.member import Member
from nexios.websockets.outbox import Outbox
from nexios.websockets.room import Room
from tests.websockets.channels.room_kit import (
    Client,
    Context,
    Site,
    SlowBackend,
    Socket,
    cancelled_at_each_point,
    turns,
)


def alive(*kinds: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


async def test_ten_thousand_members_leave_nothing() -> None:
    """Peers' pain 46, security row I6."""
    site = Site()
    await site.join("warm")
    await turns()
    tasks, objects = asyncio.all_tasks(), alive(Member, Outbox, Room, WebSocket)
    for number in range(10_000):
        websocket, client, _ = await site.join(f"room:{number % 100}", user="ada" if number % 10 == 0 else "")
        if number % 3 == 0:
            client.client_is_gone = True
            await site.channel(f"room:{number % 100}").publish("hello", keep=False)
        elif number % 3 == 1:
            await site.channel(f"room:{number % 100}").disconnect(websocket)
        else:
            await websocket.close()
        del websocket, client, _
    await turns(20)

    assert asyncio.all_tasks() == tasks
    assert alive(Member, Outbox, Room, WebSocket) == objects
    assert site.hub.channels == ("warm",)
    engine = site.hub.backend.engine  # type: ignore[attr-defined]
    assert set(engine.channels) == {"warm", "*"}
    assert site.clock.waiting == 0
    assert site.hub.counters.waiting == 0


async def test_a_websocket_that_comes_and_goes_is_watched_once() -> None:
    watches: list[object] = []

    class Watched(Socket):  # type: ignore[misc]
        def on_end(self, callback: Callable[[], object]) -> None:
            watches.append(callback)
            super().on_end(callback)

    site = Site()
    websocket = Watched(Client(), Context(site.app), Limits())
    for _ in range(100):
        await site.channel().connect(websocket)
        await site.channel().disconnect(websocket)
    await site.channel().connect(websocket)
    await websocket.close()

    assert len(watches) == 1
    assert site.channel().members() == ()


async def test_history_of_many_channels_is_bounded() -> None:
    site = Site(MemoryEngine(max_channels=50, max_size=10_000))
    engine = site.hub.backend.engine  # type: ignore[attr-defined]
    for number in range(500):
        await site.channel(f"room:{number}").publish("x")
    assert len(engine.channels) <= 51
    for number in range(100):
        await site.channel(f"room:{number}").publish("x" * 1000)

    assert len(engine.channels) <= 11
    assert [message.data for message in await site.channel("room:99").history()] == ["x" * 1000]


async def test_quiet_channels_are_forgotten_with_time() -> None:
    site = Site()
    engine = site.hub.backend.engine  # type: ignore[attr-defined]
    for number in range(50):
        await site.channel(f"room:{number}").publish("x")
    await site.clock.advance(301)
    for _ in range(51):
        await site.channel("busy").publish("x")

    assert set(engine.channels) == {"busy", "*"}


@pytest.mark.parametrize("options", [{}, {"last_seen": 0}, {"user": "ada", "envelope": True}])
async def test_connecting_may_be_cancelled_at_every_point(options: dict[str, object]) -> None:
    """Requirement R12."""
    site = Site()
    slow = Site(backend=SlowBackend(MemoryEngine(clock=site.clock)), clock=site.clock)
    await slow.channel().publish("kept")
    before = asyncio.all_tasks()
    points = 0

    async def connect() -> None:
        websocket, _ = slow.socket()
        await slow.channel().connect(websocket, **options)  # type: ignore[arg-type]
        await slow.channel().disconnect(websocket)

    async for _ in cancelled_at_each_point(connect):
        points += 1
        for member in slow.channel().members():
            slow.hub.forget(member.websocket)
        await turns(60)
        assert (slow.hub.channels, len(slow.hub._sockets)) == ((), 0)
        assert asyncio.all_tasks() == before
        assert await slow.channel().presence() == ()
    assert points > 5
    assert slow.hub.counters.waiting == 0
    assert slow.clock.waiting == 0


async def test_a_cancelled_connect_is_no_member() -> None:
    site = Site()
    slow = Site(backend=SlowBackend(MemoryEngine(clock=site.clock)), clock=site.clock)
    await slow.hub.start()

    async def connect() -> None:
        websocket, _ = slow.socket()
        await slow.channel().connect(websocket, user="ada", envelope=True)
        finished.append(websocket)

    finished: list[WebSocket] = []
    async for _ in cancelled_at_each_point(connect):
        assert len(slow.channel().members()) == len(finished)
    assert len(finished) == 1


async def test_a_feed_may_be_cancelled_at_every_point() -> None:
    site = Site()
    slow = Site(backend=SlowBackend(MemoryEngine(clock=site.clock)), clock=site.clock)
    await slow.channel().publish("kept")
    before = asyncio.all_tasks()

    async def listen() -> None:
        async with slow.channel().listen(last_seen=0) as feed:
            await anext(feed)

    async for _ in cancelled_at_each_point(listen):
        await turns(30)
        assert slow.hub.channels == ()
        assert asyncio.all_tasks() == before
    assert slow.hub.counters.waiting == 0


async def test_publishing_may_be_cancelled_at_every_point() -> None:
    site = Site()
    slow = Site(backend=SlowBackend(MemoryEngine(clock=site.clock)), clock=site.clock)
    _, client, _ = await slow.join(last_seen=0)

    async for _ in cancelled_at_each_point(lambda: slow.channel().publish("hello")):
        await turns(30)
    await slow.channel().publish("last")
    await turns()

    assert client.sequences == [message.sequence for message in await slow.channel().history()]


async def test_others_can_connect_while_the_last_one_leaves() -> None:
    site = Site()
    slow = Site(backend=SlowBackend(MemoryEngine(clock=site.clock)), clock=site.clock)
    for _ in range(20):
        websocket, _, _ = await slow.join()
        slow.hub.forget(websocket)
        _, client, _ = await slow.join()
        await slow.channel().publish("hello", keep=False)
        assert client.got == ["hello"]
        slow.hub.forget(slow.channel().members()[0].websocket)
    await turns(20)

    assert slow.hub.channels == ()


# The end


async def test_stopping_closes_every_member_with_1001() -> None:
    """Requirement R19."""
    site = Site()
    before = asyncio.all_tasks()
    members = [await site.join(f"room:{number % 3}", user="ada") for number in range(10)]
    await site.channel("room:1").connect(members[0][0])
    members[4][1].client_is_gone = True
    await site.hub.stop()

    assert all(client.closed_with == (1001, "the server stops") for _, client, _ in members[:4] + members[5:])
    assert asyncio.all_tasks() == before
    assert (site.hub.channels, site.clock.waiting) == ((), 0)
    assert site.hub.backend.engine.channels == frozenset()  # type: ignore[attr-defined]


async def test_another_code_says_that_the_server_comes_back() -> None:
    site = Site()
    _, client, _ = await site.join()
    await site.hub.stop(1012, "restarting")

    assert client.closed_with == (1012, "restarting")


async def test_a_client_that_reads_nothing_does_not_keep_the_hub_from_stopping() -> None:
    site = Site(close_timeout=5)
    _, client, _ = await site.join()
    client.is_stuck = client.stops_closing = True
    await site.channel().broadcast("hello")
    stopping = asyncio.ensure_future(site.hub.stop())
    await site.clock.advance(4)
    assert not stopping.done()
    await site.clock.advance(1)

    await stopping
    client.gate.set()


async def test_a_stopped_hub_refuses_and_a_started_one_begins_anew() -> None:
    site = Site()
    await site.join()
    await site.hub.stop()
    await site.hub.stop()
    websocket, client = site.socket()
    with pytest.raises(BackendUnavailable) as caught:
        await site.channel().connect(websocket)
    with pytest.raises(ServiceUnavailable):
        await site.channel().publish("hello")
    assert (caught.value.status_code, client.sent) == (503, [])
    await site.hub.start()
    await site.channel().connect(websocket)
    await site.channel().publish("hello")

    assert client.got == ["hello"]


async def test_a_hub_that_never_started_stops() -> None:
    site = Site()
    await site.hub.stop()

    assert site.hub.channels == ()


async def test_a_backend_that_fails_leaves_no_member() -> None:
    class Failing(MemoryBackend):
        __slots__ = ()

        async def subscribe(self, channel: str) -> int:
            if channel == "*":
                return 0
            raise BackendUnavailable

    site = Site(backend=Failing())
    websocket, _ = site.socket()
    with pytest.raises(BackendUnavailable):
        await site.channel().connect(websocket)
    await turns()

    assert (site.hub.channels, len(site.hub._sockets)) == ((), 0)
