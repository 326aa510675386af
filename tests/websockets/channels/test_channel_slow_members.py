"""What does a slow client cost, and whom? Requirement R8, security row I12."""

import asyncio
import logging

import pytest

from nexios.websockets.channel import Channel
from nexios.websockets.outbox import OutboxLimits
from tests.websockets.channels.room_kit import Site, turns

SMALL = OutboxLimits(count=3)


async def test_a_stuck_client_delays_nobody_and_is_closed_with_1013() -> None:
    site = Site()
    members = [await site.join() for _ in range(100)]
    stuck_socket, stuck, _ = members[50]
    stuck.is_stuck = True
    for number in range(1000):
        await site.channel().broadcast(f"{number}")
    await turns()

    expected = [f"{number}" for number in range(1000)]
    assert all(client.got == expected for _, client, _ in members if client is not stuck)
    assert (stuck.got, stuck.closed_with) == ([], (1013, "too slow"))
    assert not stuck_socket.is_open
    assert len(site.channel().members()) == 99


async def test_who_is_slow_for_a_moment_gets_everything_in_order() -> None:
    site = Site()
    _, client, member = await site.join()
    client.is_stuck = True
    for number in range(50):
        await site.channel().broadcast(f"{number}")
    assert (len(member.outbox), client.got) == (49, [])
    client.is_stuck = False
    await site.channel().broadcast("50")
    await turns()
    await site.channel().broadcast("51")

    assert client.got == [f"{number}" for number in range(52)]
    assert site.hub.counters.waiting == 0


async def test_there_is_a_writer_only_while_there_is_something_to_write() -> None:
    site = Site()
    before = asyncio.all_tasks()
    members = [await site.join() for _ in range(10)]
    await site.channel().broadcast("hello")
    await turns()
    assert asyncio.all_tasks() == before

    members[3][1].is_stuck = members[7][1].is_stuck = True
    await site.channel().broadcast("hello")
    await turns()
    assert len(asyncio.all_tasks()) == len(before) + 2

    members[3][1].is_stuck = members[7][1].is_stuck = False
    await turns()
    assert asyncio.all_tasks() == before
    assert site.clock.waiting == 0


async def test_messages_stay_in_order_when_several_clients_get_stuck_in_turn() -> None:
    site = Site()
    members = [await site.join() for _ in range(6)]
    for number in range(60):
        for index, (_, client, _) in enumerate(members):
            client.is_stuck = (number // 7 + index) % 3 == 0
        await site.channel().broadcast(f"{number}")
    for _, client, _ in members:
        client.is_stuck = False
    await turns(20)

    assert all(client.got == [f"{number}" for number in range(60)] for _, client, _ in members)


async def test_the_oldest_messages_make_room() -> None:
    site = Site(outbox=OutboxLimits(count=3, policy="drop_oldest"))
    _, client, _ = await site.join()
    client.is_stuck = True
    for number in range(10):
        await site.channel().broadcast(f"{number}")
    client.is_stuck = False
    await turns()

    assert client.got == ["0", "7", "8", "9"]
    assert (site.hub.counters.delivered, site.hub.counters.dropped) == (4, 6)


async def test_new_messages_are_left_out() -> None:
    site = Site(outbox=OutboxLimits(count=3, policy="drop_new"))
    _, client, _ = await site.join()
    client.is_stuck = True
    for number in range(10):
        await site.channel().broadcast(f"{number}")
    client.is_stuck = False
    await turns()

    assert client.got == ["0", "1", "2", "3"]
    assert site.hub.counters.dropped == 6


async def test_who_publishes_waits_for_a_client_that_says_so() -> None:
    site = Site()
    _, other, _ = await site.join()
    _, client, _ = await site.join(outbox=OutboxLimits(count=3, policy="block"))
    client.is_stuck = True

    async def publish() -> None:
        for number in range(10):
            await site.channel().broadcast(f"{number}")

    publishing = asyncio.ensure_future(publish())
    await turns(30)
    assert (other.got, publishing.done()) == (["0", "1", "2", "3"], False)
    client.is_stuck = False
    await publishing
    await turns()

    assert client.got == other.got == [f"{number}" for number in range(10)]
    assert site.hub.counters.dropped == 0


async def test_who_publishes_waits_no_longer_than_the_send_timeout() -> None:
    site = Site()
    _, client, _ = await site.join(outbox=OutboxLimits(count=1, policy="block", send_timeout=10))
    client.is_stuck = True
    await site.channel().broadcast("1")
    await site.channel().broadcast("2")
    third = asyncio.ensure_future(site.channel().broadcast("3"))
    await site.clock.advance(9)
    assert not third.done()
    await site.clock.advance(1)

    assert await third > 0
    assert client.closed_with == (1013, "too slow")


async def test_what_other_processes_publish_does_not_pile_up_behind_block() -> None:
    site = Site()
    _, client, _ = await site.join(outbox=OutboxLimits(count=3, policy="block"))
    client.is_stuck = True
    await asyncio.gather(*(site.channel().broadcast(f"{number}") for number in range(20)))
    await turns()

    assert client.closed_with == (1013, "too slow")


async def test_an_outbox_is_limited_by_bytes_as_well() -> None:
    site = Site(outbox=OutboxLimits(size=1000, policy="drop_new"))
    _, client, member = await site.join()
    client.is_stuck = True
    for size in (400, 400, 400, 300, 200):
        await site.channel().broadcast("x" * size)
    assert len(member.outbox) == 3
    client.is_stuck = False
    await turns()

    assert [len(text) for text in client.got] == [400, 400, 400, 200]


async def test_one_message_over_the_limit_is_sent_all_the_same() -> None:
    site = Site(outbox=OutboxLimits(size=10))
    _, client, _ = await site.join()
    client.is_stuck = True
    await site.channel().broadcast("1")
    await site.channel().broadcast("x" * 1000)
    client.is_stuck = False
    await turns()

    assert client.got == ["1", "x" * 1000]


async def test_a_send_that_takes_too_long_ends_the_member() -> None:
    site = Site(outbox=OutboxLimits(send_timeout=10))
    _, client, _ = await site.join()
    client.is_stuck = True
    await site.channel().broadcast("1")
    await site.clock.advance(9)
    assert client.closed_with is None
    await site.clock.advance(1)

    assert client.closed_with == (1013, "too slow")
    assert site.clock.waiting == 0


async def test_a_client_that_takes_one_message_now_and_then_stays() -> None:
    site = Site(outbox=OutboxLimits(send_timeout=10))
    _, client, _ = await site.join()
    client.is_stuck = True
    for number in range(5):
        await site.channel().broadcast(f"{number}")
    for _ in range(4):
        await site.clock.advance(9)
        client.gate.set()
        client.gate.clear()
        await site.clock.advance(1)

    assert client.closed_with is None
    assert len(client.got) == 4


async def test_a_close_frame_that_cannot_be_written_is_given_up() -> None:
    site = Site(outbox=SMALL, close_timeout=5)
    before = asyncio.all_tasks()
    websocket, client, _ = await site.join()
    client.is_stuck = client.stops_closing = True
    for _ in range(10):
        await site.channel().broadcast("hello")
    await site.clock.advance(5)

    assert asyncio.all_tasks() == before
    assert not websocket.is_open
    client.gate.set()


async def test_a_slow_client_is_out_of_all_its_channels() -> None:
    site = Site(outbox=SMALL)
    websocket, client, _ = await site.join("room:1")
    await site.channel("room:2").connect(websocket)
    client.is_stuck = True
    for _ in range(10):
        await site.channel("room:2").broadcast("hello")
    await turns()

    assert site.hub.channels == ()


async def test_slow_clients_do_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(outbox=SMALL)
    with caplog.at_level(logging.WARNING, "nexios"):
        for _ in range(2):
            for _ in range(50):
                (await site.join())[1].is_stuck = True
            for _ in range(10):
                await site.channel().broadcast("hello")
            await turns()
            await site.clock.advance(60)

    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" ")[0] for line in lines] == ["1", "50"]


async def test_every_message_is_counted_as_delivered_dropped_or_waiting() -> None:
    site = Site(outbox=OutboxLimits(count=2, policy="drop_oldest"))
    members = [await site.join() for _ in range(4)]
    members[0][1].is_stuck = members[1][1].is_stuck = True
    members[2][1].client_is_gone = True
    for _ in range(5):
        await site.channel().broadcast("hello")
        await turns()
    counters = site.hub.counters
    assert (counters.queued, counters.delivered, counters.dropped, counters.waiting) == (16, 5, 5, 6)

    members[0][1].is_stuck = False
    await site.channel().disconnect(members[1][0])
    await turns()
    assert (counters.queued, counters.delivered, counters.dropped, counters.waiting) == (16, 8, 8, 0)


async def test_a_task_of_the_server_is_the_current_task_of_each_send() -> None:
    """A timeout inside a server's send must hit nobody else than this send."""
    site = Site()
    _, client, _ = await site.join()
    _, other, _ = await site.join()
    tasks: list[asyncio.Task[object] | None] = []

    async def send(text: str) -> None:
        task = asyncio.current_task()
        async with asyncio.timeout(None) as limit:
            tasks.append(task)
            limit.reschedule(asyncio.get_running_loop().time())
            await asyncio.Event().wait()

    client.send_text = send  # type: ignore[method-assign]
    await Channel("room:1", site.hub).broadcast("hello")
    async with asyncio.timeout(10):
        while len(site.channel().members()) == 2:
            await turns()

    assert tasks[0] is not asyncio.current_task()
    assert other.got == ["hello"]


@pytest.mark.parametrize(
    "options", [{"count": 0}, {"size": 0}, {"send_timeout": 0}, {"policy": "drop"}, {"send_timeout": -1}]
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        OutboxLimits(**options)  # type: ignore[arg-type]
