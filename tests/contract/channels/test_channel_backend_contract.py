"""What every channel backend promises; see nexios/websockets/backends/base.py."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.history import MAX_SEQUENCE, HistoryLimits
from tests.contract.channels.engines import PATIENCE, Engine

KEEP = HistoryLimits(count=10, age=60.0, size=1_000_000)

NAMES = ["room:1", "a b", "a.b/c\\d", "*'\"$%{}[]>", "räume:☃", "x" * 200, "🦊:🦊", "-- drop", "__class__", ">"]


class Inbox:
    """A receiver that remembers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int, bytes]] = []
        self.breaks: list[BaseException] = []
        self.restores = 0
        self._changed = asyncio.Event()

    def receive(self, channel: str, sequence: int, body: bytes) -> None:
        self.got.append((channel, sequence, body))
        self._changed.set()

    def lost(self, error: BaseException) -> None:
        self.breaks.append(error)
        self._changed.set()

    def restored(self) -> None:
        self.restores += 1
        self._changed.set()

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, _, body in self.got]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def count(self, number: int) -> None:
        await self.until(lambda: len(self.got) >= number)


@asynccontextmanager
async def processes(engine: Engine, number: int = 1) -> AsyncIterator[list[tuple[ChannelBackend, Inbox]]]:
    """So many processes on one engine."""
    async with AsyncExitStack() as stack:
        started = []
        for node in range(number):
            backend, inbox = engine.backend(), Inbox()
            await backend.start(inbox, node=f"node{node}")
            stack.push_async_callback(backend.stop)
            started.append((backend, inbox))
        yield started


async def eventually(call: Callable[[], Awaitable[object]], expected: object) -> None:
    """Ask again until the answer is the expected one."""
    found: object = None
    try:
        async with asyncio.timeout(PATIENCE):
            while (found := await call()) != expected:  # noqa: ASYNC110  a server tells nothing of what it did
                await asyncio.sleep(0.01)
    except TimeoutError:
        assert found == expected


# Messages


@pytest.mark.parametrize("keep", [None, KEEP], ids=["fleeting", "kept"])
async def test_a_message_reaches_every_process_that_has_subscribed(engine: Engine, keep: HistoryLimits | None) -> None:
    async with processes(engine, 3) as [(one, first), (two, second), (_, third)]:
        await one.subscribe("room:1")
        await two.subscribe("room:1")

        sequence = await one.publish("room:1", b"hello", keep=keep)

        await first.count(1)
        await second.count(1)
        assert first.got == second.got == [("room:1", sequence, b"hello")]
        assert (sequence > 0) is (keep is not None)
        assert third.got == []


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_is_a_channel_of_its_own(engine: Engine, name: str) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await backend.subscribe(name)
        await backend.subscribe("other")
        for channel in (name.upper() + "!", name + " ", "other", name):
            await backend.publish(channel, channel.encode(), keep=KEEP)
        await inbox.count(2)

        assert [channel for channel, _, _ in inbox.got] == ["other", name]
        assert [stored.body for stored in (await backend.history(name, after=0, keep=KEEP)).messages] == [name.encode()]


@pytest.mark.parametrize("body", [b"", b"\x00\xff:\r\n$-1", bytes(range(256)) * 64, b"x" * 300_000])
async def test_any_bytes_arrive_as_they_were(engine: Engine, body: bytes) -> None:
    async with processes(engine, 2) as [(one, _), (two, inbox)]:
        await two.subscribe("room:1")
        await one.publish("room:1", body, keep=KEEP)
        await one.publish("room:1", body, keep=None)
        await inbox.count(2)

        assert inbox.bodies == [body, body]
        assert (await two.history("room:1", after=0, keep=KEEP)).messages[0].body == body


async def test_all_processes_see_one_order(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, first), (two, second)]:
        await one.subscribe("room:1")
        await two.subscribe("room:1")
        async with asyncio.TaskGroup() as group:
            for number in range(25):
                group.create_task(one.publish("room:1", b"one %d" % number, keep=KEEP))
                group.create_task(two.publish("room:1", b"two %d" % number, keep=KEEP))
        await first.count(50)
        await second.count(50)

        assert first.got == second.got
        sequences = [sequence for _, sequence, _ in first.got]
        assert sequences == sorted(set(sequences))


async def test_numbers_are_safe_in_javascript(engine: Engine) -> None:
    async with processes(engine) as [(backend, _)]:
        assert 0 < await backend.publish("room:1", b"", keep=KEEP) <= MAX_SEQUENCE


async def test_an_unsubscribed_channel_is_silent(engine: Engine) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await backend.subscribe("room:1")
        await backend.subscribe("room:2")
        await backend.unsubscribe("room:1")
        await backend.unsubscribe("never")
        await backend.publish("room:1", b"no", keep=None)
        await backend.publish("room:2", b"yes", keep=None)
        await inbox.count(1)

        assert inbox.bodies == [b"yes"]


async def test_a_channel_can_be_subscribed_again(engine: Engine) -> None:
    async with processes(engine) as [(backend, inbox)]:
        for number in range(5):
            await backend.subscribe("room:1")
            await backend.subscribe("room:1")
            await backend.publish("room:1", b"%d" % number, keep=None)
            await inbox.count(number + 1)
            await backend.unsubscribe("room:1")

        assert inbox.bodies == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_cancelled_subscription_leaves_the_backend_usable(engine: Engine) -> None:
    async with processes(engine) as [(backend, inbox)]:
        for _ in range(3):
            task = asyncio.ensure_future(backend.subscribe("room:1"))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
            await backend.unsubscribe("room:1")
        await backend.subscribe("room:1")
        await backend.publish("room:1", b"hello", keep=KEEP)
        await inbox.count(1)

        assert inbox.bodies == [b"hello"]


async def test_publishing_lets_others_run(engine: Engine) -> None:
    async with processes(engine) as [(backend, _)]:
        ran: list[bool] = []
        asyncio.get_running_loop().call_soon(ran.append, True)
        await backend.publish("room:1", b"", keep=None)

        assert ran == [True]


# History


async def test_subscribing_tells_the_number_of_the_last_message(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, _), (two, _)]:
        assert await one.subscribe("room:1") == 0
        last = await one.publish("room:1", b"1", keep=KEEP)

        assert await two.subscribe("room:1") == last


async def test_the_history_has_what_came_after_a_number(engine: Engine) -> None:
    async with processes(engine) as [(backend, _)]:
        numbers = [await backend.publish("room:1", b"%d" % number, keep=KEEP) for number in range(5)]
        await backend.publish("room:1", b"fleeting", keep=None)

        for index, after in enumerate(numbers):
            replay = await backend.history("room:1", after=after, keep=KEEP)
            assert [(stored.sequence, stored.body) for stored in replay.messages] == [
                (numbers[later], b"%d" % later) for later in range(index + 1, 5)
            ]
            assert (replay.last, replay.complete) == (numbers[-1], True)


async def test_all_that_is_kept_is_given_to_one_who_saw_nothing(engine: Engine) -> None:
    async with processes(engine) as [(backend, _)]:
        assert (await backend.history("room:1", after=0, keep=KEEP)).messages == ()
        for number in range(15):
            await backend.publish("room:1", b"%d" % number, keep=KEEP)
        replay = await backend.history("room:1", after=0, keep=KEEP)

        assert [stored.body for stored in replay.messages] == [b"%d" % number for number in range(5, 15)]
        assert replay.complete


async def test_a_number_that_is_too_old_is_told(engine: Engine) -> None:
    async with processes(engine) as [(backend, _)]:
        numbers = [await backend.publish("room:1", b"", keep=KEEP) for _ in range(15)]

        assert not (await backend.history("room:1", after=numbers[3], keep=KEEP)).complete
        assert (await backend.history("room:1", after=numbers[4], keep=KEEP)).complete


@pytest.mark.parametrize("after", [1, MAX_SEQUENCE])
async def test_a_number_that_was_never_given_is_told(engine: Engine, after: int) -> None:
    async with processes(engine) as [(backend, _)]:
        last = await backend.publish("room:1", b"kept", keep=KEEP)
        replay = await backend.history("room:1", after=after, keep=KEEP)

        assert [stored.body for stored in replay.messages] == [b"kept"]
        assert (replay.last, replay.complete) == (last, False)


async def test_messages_are_forgotten_by_age_and_their_numbers_are_not(engine: Engine) -> None:
    keep = HistoryLimits(count=10, age=0.2)
    async with processes(engine) as [(backend, _)]:
        first = await backend.publish("room:1", b"old", keep=keep)
        await engine.let_time_pass(0.3)
        replay = await backend.history("room:1", after=first, keep=keep)
        assert (replay.messages, replay.last, replay.complete) == ((), first, True)

        second = await backend.publish("room:1", b"new", keep=keep)
        replay = await backend.history("room:1", after=0, keep=keep)

        assert second > first
        assert [stored.body for stored in replay.messages] == [b"new"]


async def test_messages_are_forgotten_by_size(engine: Engine) -> None:
    keep = HistoryLimits(count=10, age=60.0, size=1000)
    async with processes(engine) as [(backend, _)]:
        for number in range(6):
            await backend.publish("room:1", b"%d" % number * 300, keep=keep)
        replay = await backend.history("room:1", after=0, keep=keep)

        assert [stored.body[:1] for stored in replay.messages] == [b"3", b"4", b"5"]


async def test_what_was_received_is_in_the_history(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, _), (two, inbox)]:
        await two.subscribe("room:1")
        for number in range(20):
            await one.publish("room:1", b"", keep=KEEP)
            await inbox.count(number + 1)
            assert (await two.history("room:1", after=0, keep=KEEP)).last >= inbox.got[-1][1]


# Presence


async def test_members_of_all_processes_are_present(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, _), (two, _)]:
        await one.renew(30.0)
        await two.renew(30.0)
        await one.join("room:1", "a", b"ada")
        await two.join("room:1", "b", b"bob")
        await two.join("room:1", "c", b"\x00\xff")
        await two.join("room:2", "d", b"")

        assert await one.present("room:1") == {"a": b"ada", "b": b"bob", "c": b"\x00\xff"}
        assert await one.present("room:3") == {}

        await two.join("room:1", "b", b"bert")
        await one.leave("room:1", "a")
        await one.leave("room:1", "never")

        assert await one.present("room:1") == {"b": b"bert", "c": b"\x00\xff"}


async def test_a_process_that_dies_is_gone_with_its_lease(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, _), (two, _)]:
        await one.renew(30.0)
        await two.renew(0.2)
        await one.join("room:1", "a", b"")
        await two.join("room:1", "b", b"")
        assert set(await one.present("room:1")) == {"a", "b"}

        await engine.let_time_pass(0.3)

        await eventually(lambda: one.present("room:1"), {"a": b""})


async def test_a_lease_that_ran_out_is_told(engine: Engine) -> None:
    async with processes(engine) as [(backend, _)]:
        assert not await backend.renew(30.0)
        assert await backend.renew(0.2)
        await engine.let_time_pass(0.3)

        async def held() -> bool:
            return await backend.renew(30.0)

        await eventually(held, True)
        assert await held()


async def test_a_lease_is_prolonged(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, _), (two, _)]:
        await two.renew(0.2)
        await two.join("room:1", "b", b"")
        await two.renew(30.0)
        await engine.let_time_pass(0.3)

        assert set(await one.present("room:1")) == {"b"}


async def test_a_process_that_stops_is_gone_at_once(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, _), (two, inbox)]:
        await one.renew(30.0)
        await two.renew(30.0)
        await two.join("room:1", "b", b"")
        await two.subscribe("room:1")
        await two.stop()
        await two.stop()
        await one.publish("room:1", b"", keep=None)

        assert await one.present("room:1") == {}
        assert inbox.got == []


# Life


async def test_a_backend_starts_again(engine: Engine) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await backend.subscribe("room:1")
        await backend.stop()
        await backend.start(inbox, node="again")
        await backend.subscribe("room:2")
        await backend.publish("room:1", b"no", keep=None)
        await backend.publish("room:2", b"yes", keep=None)
        await inbox.count(1)

        assert inbox.bodies == [b"yes"]


async def test_nothing_is_left_of_a_backend_that_stopped(engine: Engine) -> None:
    before = asyncio.all_tasks()
    async with processes(engine, 2) as [(one, _), (two, _)]:
        await one.subscribe("room:1")
        await two.publish("room:1", b"", keep=KEEP)

    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_stopping_what_never_started_does_nothing(engine: Engine) -> None:
    backend = engine.backend()
    await backend.stop()

    assert backend.name == engine.name


async def test_a_backend_connects_again_after_a_break(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, inbox), (two, _)]:
        await one.subscribe("room:1")
        await one.subscribe("room:2")
        await engine.cut()
        await inbox.until(lambda: inbox.restores)
        await two.publish("room:1", b"1", keep=KEEP)
        await two.publish("room:2", b"2", keep=KEEP)
        await inbox.count(2)

        assert inbox.bodies == [b"1", b"2"]
        assert len(inbox.breaks) == inbox.restores == 1


async def test_what_was_published_during_a_break_is_in_the_history(engine: Engine) -> None:
    async with processes(engine, 1) as [(one, inbox)]:
        await one.subscribe("room:1")
        last = await one.publish("room:1", b"before", keep=KEEP)
        await engine.cut()
        await inbox.until(lambda: inbox.breaks)
        await one.publish("room:1", b"meanwhile", keep=KEEP)
        await inbox.until(lambda: inbox.restores)
        replay = await one.history("room:1", after=last, keep=KEEP)

        assert [stored.body for stored in replay.messages] == [b"meanwhile"]
        assert replay.complete


async def test_a_call_during_a_break_waits_for_the_connection(engine: Engine) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await engine.away()
        await inbox.until(lambda: inbox.breaks)
        call = asyncio.ensure_future(backend.publish("room:1", b"", keep=KEEP))
        await asyncio.sleep(0)
        assert not call.done()
        await engine.back()

        assert await call > 0


async def test_a_call_fails_when_the_engine_stays_away(engine: Engine) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await engine.away()
        await inbox.until(lambda: inbox.breaks)
        try:
            for call in (
                backend.publish("room:1", b"", keep=KEEP),
                backend.subscribe("room:1"),
                backend.history("room:1", after=0, keep=KEEP),
                backend.renew(30.0),
            ):
                with pytest.raises(BackendUnavailable) as caught:
                    await call
                assert caught.value.status_code == 503
        finally:
            await engine.back()


async def test_starting_without_an_engine_fails(engine: Engine) -> None:
    backend = engine.backend()
    await engine.away()
    try:
        with pytest.raises(BackendUnavailable):
            await backend.start(Inbox(), node="node")
    finally:
        await engine.back()
    await backend.stop()
