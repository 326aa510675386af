"""A member that takes nothing is dropped by the policy of its outbox, and the others never notice."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from nexios import NexiosApp
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.clock import ManualClock
from nexios.websockets.outbox import OutboxLimits
from tests.faults.realtime_kit import Socket, alone, room_app

WAITING = 5
SEND_TIMEOUT = 10.0


class Crowd:
    """Members of a room; those at the indexes of `stuck` take nothing that they are sent."""

    def __init__(self, policy: str, number: int, stuck: range) -> None:
        self.clock = ManualClock()
        limits = OutboxLimits(count=WAITING, policy=policy, send_timeout=SEND_TIMEOUT)  # type: ignore[arg-type]
        self.app: NexiosApp = room_app(MemoryBackend(MemoryEngine()), outbox=limits, clock=self.clock)
        self.sockets = [Socket() for _ in range(number)]
        self.stuck = [self.sockets[index] for index in stuck]
        self.others = [socket for socket in self.sockets if socket not in self.stuck]

    @asynccontextmanager
    async def together(self) -> AsyncIterator["Crowd"]:
        """Everybody is in the room; in the end nothing is left."""
        before = asyncio.all_tasks()
        serving = [asyncio.ensure_future(socket.served_by(self.app)) for socket in self.sockets]
        for socket in self.sockets:
            await socket.accepted.wait()
        await self.clock.advance(0)
        for socket in self.stuck:
            socket.takes.clear()
        yield self
        for socket in self.sockets:
            socket.takes.set()
            socket.leave()
        await asyncio.wait(serving)
        await self.app.hub.stop()
        await alone(before)
        assert self.clock.waiting == 0
        assert self.app.hub.counters.waiting == 0

    async def publish(self, number: int) -> None:
        """Say `number` messages, one after the other."""
        for index in range(number):
            await self.app.hub.publish("room:1", {"number": index})

    @property
    def here(self) -> int:
        """How many members there are."""
        return len(self.app.hub.members_of("room:1"))


async def until(condition: Callable[[], object]) -> None:
    """Let the others run until something is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for tells nothing
            await asyncio.sleep(0)


def numbers(last: int, first: int = 0) -> list[dict[str, int]]:
    """What the client got when it got all of them."""
    return [{"number": index} for index in range(first, last)]


async def test_one_that_is_stuck_is_dropped_and_the_others_get_everything_at_once() -> None:
    async with Crowd("disconnect", 50, range(20, 21)).together() as crowd:
        await crowd.publish(WAITING + 1)
        assert crowd.here == 50

        await crowd.publish(20)
        assert crowd.here == 49
        assert [socket.texts for socket in crowd.others] == [numbers(WAITING + 1) + numbers(20)] * 49
        assert crowd.stuck[0].texts == []
        await crowd.clock.advance(0)
        assert crowd.stuck[0].close_code == 1013


async def test_many_that_are_stuck_cost_a_task_each_until_they_are_dropped() -> None:
    async with Crowd("disconnect", 300, range(0, 300, 2)).together() as crowd:
        tasks = len(asyncio.all_tasks())
        await crowd.publish(2)
        await until(lambda: [socket.texts for socket in crowd.others] == [numbers(2)] * 150)
        assert len(asyncio.all_tasks()) == tasks + 150

        await crowd.publish(WAITING)
        await until(lambda: {socket.close_code for socket in crowd.stuck} == {1013})
        await until(lambda: len(asyncio.all_tasks()) == tasks - 150)
        assert crowd.here == 150
        assert [socket.texts for socket in crowd.others] == [numbers(2) + numbers(WAITING)] * 150


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        pytest.param("drop_oldest", [0, 95, 96, 97, 98, 99], id="the oldest make room"),
        pytest.param("drop_new", [0, 1, 2, 3, 4, 5], id="the new ones are left out"),
    ],
)
async def test_one_that_is_stuck_for_a_while_stays_and_misses_what_the_policy_says(
    policy: str, kept: list[int]
) -> None:
    async with Crowd(policy, 10, range(3, 4)).together() as crowd:
        await crowd.publish(100)
        member = next(one for one in crowd.app.hub.members_of("room:1") if len(one.outbox))
        assert len(member.outbox) == WAITING
        assert [socket.texts for socket in crowd.others] == [numbers(100)] * 9

        crowd.stuck[0].takes.set()
        await crowd.clock.advance(0)
        assert [text["number"] for text in crowd.stuck[0].texts] == kept
        assert crowd.here == 10


@pytest.mark.parametrize("policy", ["disconnect", "drop_oldest", "drop_new"])
async def test_one_that_takes_nothing_for_too_long_is_dropped_whatever_the_policy(policy: str) -> None:
    async with Crowd(policy, 10, range(1)).together() as crowd:
        await crowd.publish(2)
        await crowd.clock.advance(SEND_TIMEOUT * 0.9)
        assert crowd.here == 10

        await crowd.clock.advance(SEND_TIMEOUT * 1.2)
        assert crowd.here == 9
        assert crowd.stuck[0].close_code == 1013


async def test_who_publishes_waits_for_one_that_is_patient_until_its_time_is_over() -> None:
    async with Crowd("block", 10, range(1)).together() as crowd:
        await crowd.publish(WAITING + 1)
        publishing = asyncio.ensure_future(crowd.publish(1))
        await crowd.clock.advance(1.0)
        assert not publishing.done()

        await crowd.clock.advance(SEND_TIMEOUT * 2)
        assert publishing.done()
        assert crowd.here == 9
        assert [socket.texts for socket in crowd.others] == [numbers(WAITING + 1) + numbers(1)] * 9


async def test_many_that_are_dropped_one_after_the_other_leave_no_memory() -> None:
    """Each is stuck, is dropped, and goes; the room goes with it."""
    engine = MemoryEngine()
    app = room_app(MemoryBackend(engine), outbox=OutboxLimits(count=WAITING))
    before = asyncio.all_tasks()

    async def cycles(number: int) -> None:
        for _ in range(number):
            socket = Socket()
            serving = asyncio.ensure_future(socket.served_by(app))
            await until(lambda: len(app.hub.members_of("room:1")) == 1)
            socket.takes.clear()
            for index in range(WAITING + 2):
                await app.hub.publish("room:1", {"number": index})
            await until(lambda: socket.close_code == 1013)  # noqa: B023
            socket.leave()
            await asyncio.wait((serving,))
        await alone(before)
        gc.collect()

    await cycles(50)
    blocks = sys.getallocatedblocks()
    await cycles(200)

    assert sys.getallocatedblocks() - blocks < 200
    assert app.hub.counters.waiting == 0
    assert set(engine.receivers) == {"*"}
    await app.hub.stop()
