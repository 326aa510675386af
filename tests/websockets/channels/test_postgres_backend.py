"""What is particular to channels over PostgreSQL; what it has in common with others is in tests/contract/channels."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from nexios.errors import ConfigurationError
from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.postgres import PostgresBackend
from nexios.websockets.backends.postgres_notice import lane_of, lanes_for, topic_of
from nexios.websockets.clock import ManualClock
from nexios.websockets.history import HistoryLimits
from tests.contract.channels.engines import PATIENCE
from tests.contract.channels.postgres_engine import Postgres

KEEP = HistoryLimits(count=100, age=60.0)


class Receiver:
    """Remembers what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int, bytes]] = []
        self.breaks = self.restores = 0
        self._changed = asyncio.Event()

    def receive(self, channel: str, sequence: int, body: bytes) -> None:
        self.got.append((channel, sequence, body))
        self._changed.set()

    def lost(self, error: BaseException) -> None:
        self.breaks += 1
        self._changed.set()

    def restored(self) -> None:
        self.restores += 1
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    engine = Postgres()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def engine(server: Postgres) -> AsyncIterator[Postgres]:
    await server.prepare()
    yield server
    await server.finish()


@asynccontextmanager
async def running(engine: Postgres, **options: Any) -> AsyncIterator[tuple[PostgresBackend, Receiver]]:
    backend = PostgresBackend(**{"url": engine.url, "schema": engine.schema, "patience": 2.0, **options})
    receiver = Receiver()
    await backend.start(receiver, node="node")
    try:
        yield backend, receiver
    finally:
        await backend.stop()


async def asked(engine: Postgres, statement: str, *values: object) -> Any:
    """Ask the server something; `{}` stands for what our tables begin with."""
    client = await engine.client()
    try:
        return await client.fetchval(statement.replace("{}", f'"{engine.schema}".nexios_'), *values)
    finally:
        await client.close()


async def eventually(engine: Postgres, statement: str, expected: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while await asked(engine, statement) != expected:  # noqa: ASYNC110  a server tells nothing of what it did
            await asyncio.sleep(0.01)


# Messages


async def test_messages_that_say_the_same_are_all_told(engine: Postgres) -> None:
    """The server drops equal notifications of one transaction."""
    async with running(engine) as (backend, receiver):
        await backend.subscribe("room:1")
        await asyncio.gather(*(backend.publish("room:1", b"same", keep=None) for _ in range(30)))
        await receiver.until(lambda: len(receiver.got) == 30)

        assert receiver.got == [("room:1", 0, b"same")] * 30


async def test_what_waits_for_the_server_goes_in_one_transaction(engine: Postgres) -> None:
    async with running(engine) as (backend, _):
        await asyncio.gather(*(backend.publish("room:1", b"", keep=KEEP) for _ in range(50)))

        assert await asked(engine, "SELECT count(*) FROM {}messages") == 50
        assert await asked(engine, "SELECT count(DISTINCT xmin::text) FROM {}messages") <= 2


async def test_large_and_small_messages_keep_their_order(engine: Postgres) -> None:
    bodies = [b"%03d" % number + b"x" * (0, 9_000, 100, 2_000_000)[number % 4] for number in range(40)]
    async with running(engine) as (one, receiver), running(engine) as (two, _):
        await one.subscribe("room:1")
        numbers = await asyncio.gather(*(two.publish("room:1", body, keep=KEEP) for body in bodies))
        await receiver.until(lambda: len(receiver.got) == 40)

        assert receiver.got == [("room:1", number, body) for number, body in zip(numbers, bodies, strict=True)]


async def test_a_message_that_is_too_large_to_be_kept_arrives(engine: Postgres) -> None:
    async with running(engine) as (backend, receiver):
        await backend.subscribe("room:1")
        number = await backend.publish("room:1", b"x" * 20_000, keep=HistoryLimits(size=1000))
        await receiver.until(lambda: receiver.got)
        replay = await backend.history("room:1", after=0, keep=KEEP)

        assert receiver.got == [("room:1", number, b"x" * 20_000)]
        assert (replay.messages, replay.last) == ((), number)


async def test_a_reader_with_narrower_limits_gets_less(engine: Postgres) -> None:
    async with running(engine) as (backend, _):
        numbers = [await backend.publish("room:1", b"x" * 100, keep=KEEP) for _ in range(10)]
        by_count = await backend.history("room:1", after=0, keep=HistoryLimits(count=3))
        by_size = await backend.history("room:1", after=numbers[0], keep=HistoryLimits(size=250))

        assert [stored.sequence for stored in by_count.messages] == numbers[-3:]
        assert [stored.sequence for stored in by_size.messages] == numbers[-2:]
        assert not by_size.complete


async def test_processes_that_publish_to_the_same_channels_do_not_wait_for_each_other_for_ever(
    engine: Postgres,
) -> None:
    async with AsyncExitStack() as stack:
        backends = [(await stack.enter_async_context(running(engine)))[0] for _ in range(4)]
        calls = [
            backend.publish(f"room:{(number * (index + 3)) % 7}", b"", keep=KEEP)
            for number in range(100)
            for index, backend in enumerate(backends)
        ]
        await asyncio.gather(*calls)

        holes = "max(sequence) - min(sequence) + 1 - count(*)"
        assert await asked(engine, "SELECT count(*) FROM {}messages") == 400
        assert (
            await asked(engine, f"SELECT max(n) FROM (SELECT {holes} AS n FROM {{}}messages GROUP BY channel) AS a")
            == 0
        )


async def test_a_notification_of_somebody_else_is_left_alone(
    engine: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    lane = lanes_for(engine.schema, "nexios_")[lane_of(topic_of("room:1"))]
    async with running(engine) as (backend, receiver):
        await backend.subscribe("room:1")
        await asked(engine, "SELECT pg_notify($1, 'hello')", lane)
        await backend.publish("room:1", b"ours", keep=None)
        await receiver.until(lambda: receiver.got)

        assert [body for _, _, body in receiver.got] == [b"ours"]
        assert "cannot be read" in caplog.text


async def test_one_who_comes_too_late_for_a_large_body_has_a_break(engine: Postgres) -> None:
    """So that the hub asks the history for what was missed."""
    topic = topic_of("room:1")
    async with running(engine) as (backend, receiver):
        await backend.subscribe("room:1")
        lane = lanes_for(engine.schema, "nexios_")[lane_of(topic)]
        await asked(engine, "SELECT pg_notify($1, $2)", lane, f"{topic}:p:1:0:12345")
        await receiver.until(lambda: receiver.restores)

        assert (receiver.breaks, receiver.restores, receiver.got) == (1, 1, [])


# What is left on the server


async def test_nothing_is_left_of_what_nobody_uses_any_more(engine: Postgres) -> None:
    clock = ManualClock()
    async with running(engine, clock=clock, ping_interval=15.0) as (backend, _):
        for _ in range(3):
            quiet = await backend.publish("quiet", b"x", keep=KEEP)
        await asked(engine, "UPDATE {}messages SET until = until - interval '1 hour', at = at - interval '1 hour'")
        last = await backend.publish("room:1", b"", keep=KEEP)
        await backend.publish("room:1", b"x" * 9_000, keep=None)
        await backend.renew(30.0)
        await backend.join("room:1", "a", b"")
        await asked(
            engine,
            "WITH a AS (UPDATE {}parcels SET at = at - interval '1 hour'),"
            " b AS (INSERT INTO {}nodes VALUES ('dead', now() - interval '2 hours')),"
            " c AS (INSERT INTO {}messages"
            "       SELECT convert_to('old', 'UTF8'), n, NULL, now(), now() - interval '1 day', 0, 0"
            "       FROM generate_series(1, 2500) AS n)"
            " INSERT INTO {}members VALUES ('room:1', 'dead', 'b', '')",
        )
        await clock.advance(15.0)
        await eventually(engine, "SELECT count(*) FROM {}messages", 2)

        assert await asked(engine, "SELECT array_agg(sequence ORDER BY sequence) FROM {}messages") == [quiet, last]
        assert await asked(engine, "SELECT body FROM {}messages WHERE sequence = $1", quiet) is None
        assert await asked(engine, "SELECT count(*) FROM {}parcels") == 0
        assert await asked(engine, "SELECT string_agg(convert_from(member, 'UTF8'), ' ') FROM {}members") == "a"
        assert await asked(engine, "SELECT string_agg(node, ' ') FROM {}nodes WHERE node <> ''") == "node"
        assert await backend.publish("quiet", b"", keep=KEEP) == quiet + 1


async def test_a_channel_that_was_swept_goes_on_within_its_limits(engine: Postgres) -> None:
    keep = HistoryLimits(count=10, age=60.0, size=250)
    clock = ManualClock()
    async with running(engine, clock=clock, ping_interval=15.0) as (backend, _):
        numbers = [await backend.publish("room:1", b"x" * 100, keep=keep) for _ in range(2)]
        await asked(engine, "UPDATE {}messages SET until = until - interval '1 hour' WHERE sequence = $1", numbers[0])
        await clock.advance(15.0)
        await eventually(engine, "SELECT count(*) FROM {}messages", 1)
        numbers += [await backend.publish("room:1", b"y" * 100, keep=keep) for _ in range(3)]
        replay = await backend.history("room:1", after=0, keep=keep)

        assert [stored.sequence for stored in replay.messages] == numbers[-2:]
        assert await asked(engine, "SELECT size FROM {}messages ORDER BY sequence DESC LIMIT 1") == 200


async def test_publishing_does_not_read_what_a_long_transaction_keeps_from_being_removed(engine: Postgres) -> None:
    """A backup keeps all deleted rows for its duration; counted in the pages that the server touches."""
    async with running(engine, patience=PATIENCE) as (backend, _):
        other = await engine.client()
        await other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        touched = []
        for _ in range(2):
            await asyncio.gather(*(backend.publish("room:1", b"x", keep=KEEP) for _ in range(1500)))
            plan = await asked(
                engine,
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT {}publish_1('lane', 'topic', 't', 0,"
                " convert_to('room:1', 'UTF8'), '', 100, 60, 1000000)",
            )
            touched.append(json.loads(plan)[0]["Plan"]["Shared Hit Blocks"])
        await other.close()

        assert touched[1] < 1.5 * touched[0]


async def test_a_server_that_crashed_begins_anew_with_higher_numbers(engine: Postgres) -> None:
    async with running(engine) as (backend, receiver):
        last = await backend.publish("room:1", b"1", keep=KEEP)
        await engine.crash()
        await receiver.until(lambda: receiver.restores)
        replay = await backend.history("room:1", after=last, keep=KEEP)
        assert (replay.messages, replay.complete) == ((), False)

        assert await backend.publish("room:1", b"2", keep=KEEP) > last


async def test_logged_tables_survive_a_crash(engine: Postgres) -> None:
    async with running(engine, logged=True) as (backend, receiver):
        await backend.publish("room:1", b"1", keep=KEEP)
        await engine.crash()
        await receiver.until(lambda: receiver.restores)
        replay = await backend.history("room:1", after=0, keep=KEEP)

        assert [stored.body for stored in replay.messages] == [b"1"]


async def test_tables_that_were_emptied_give_higher_numbers(engine: Postgres) -> None:
    async with running(engine) as (backend, _):
        last = await backend.publish("room:1", b"1", keep=KEEP)
        await asked(engine, "TRUNCATE {}messages")

        assert await backend.publish("room:1", b"2", keep=KEEP) > last


async def test_messages_that_somebody_removed_are_a_gap(engine: Postgres) -> None:
    async with running(engine) as (backend, _):
        first, second, third = [await backend.publish("room:1", b"", keep=KEEP) for _ in range(3)]
        await asked(engine, "DELETE FROM {}messages WHERE sequence = $1", second)
        replay = await backend.history("room:1", after=first, keep=KEEP)

        assert [stored.sequence for stored in replay.messages] == [third]
        assert not replay.complete


# Places


async def test_processes_that_start_at_once_make_the_tables_once(engine: Postgres) -> None:
    backends = [PostgresBackend(engine.url, schema=engine.schema) for _ in range(6)]
    await asyncio.gather(*(backend.start(Receiver(), node=str(n)) for n, backend in enumerate(backends)))
    await asyncio.gather(*(backend.stop() for backend in backends))

    assert await asked(engine, "SELECT count(*) FROM pg_tables WHERE schemaname = $1", engine.schema) == 4


async def test_any_prefix_will_do(engine: Postgres) -> None:
    async with running(engine, prefix='Ö\'); $$ \\ "drop" ') as (backend, receiver):
        await backend.subscribe("room:1")
        number = await backend.publish("room:1", b"x" * 9_000, keep=KEEP)
        await receiver.until(lambda: receiver.got)
        await backend.renew(1.0)

        assert receiver.got == [("room:1", number, b"x" * 9_000)]


async def test_apps_with_different_prefixes_share_a_schema(engine: Postgres) -> None:
    async with running(engine, prefix="a_") as (one, first), running(engine, prefix="b_") as (two, second):
        await one.subscribe("room:1")
        await two.subscribe("room:1")
        await one.publish("room:1", b"a", keep=KEEP)
        await two.publish("room:1", b"b", keep=KEEP)
        await first.until(lambda: first.got)
        await second.until(lambda: second.got)

        assert ([body for *_, body in first.got], [body for *_, body in second.got]) == ([b"a"], [b"b"])


async def test_a_role_that_may_not_make_tables_is_told_what_to_do(engine: Postgres) -> None:
    backend = PostgresBackend(engine.url, schema=engine.schema, user="nexios_guest")
    owner = await engine.client()
    await owner.execute(f'CREATE ROLE nexios_guest LOGIN; CREATE SCHEMA "{engine.schema}"')
    grants = f'"{engine.schema}" TO nexios_guest;'
    try:
        await owner.execute(f"GRANT USAGE ON SCHEMA {grants}")
        with pytest.raises(ConfigurationError, match=r"GRANT CREATE, USAGE ON SCHEMA"):
            await backend.start(Receiver(), node="node")

        await owner.execute(backend.create_sql)
        await owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {grants}")
        async with running(engine, user="nexios_guest") as (guest, _):
            assert await guest.publish("room:1", b"x" * 9_000, keep=KEEP) > 0
    finally:
        await owner.execute("DROP OWNED BY nexios_guest; DROP ROLE nexios_guest")
        await owner.close()


async def test_a_database_of_any_encoding_and_isolation_will_do(engine: Postgres) -> None:
    owner = await engine.client()
    await owner.execute("CREATE DATABASE nexios_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    await owner.execute("ALTER DATABASE nexios_latin1 SET default_transaction_isolation TO serializable")
    try:
        options = {"database": "nexios_latin1"}
        async with running(engine, **options) as (one, receiver), running(engine, **options) as (two, _):
            await one.subscribe("räume:☃")
            await asyncio.gather(
                *(backend.publish("räume:☃", "ä☃🦊".encode(), keep=KEEP) for backend in (one, two) for _ in range(20))
            )
            await receiver.until(lambda: len(receiver.got) == 40)

            assert {(name, body) for name, _, body in receiver.got} == {("räume:☃", "ä☃🦊".encode())}
    finally:
        await owner.execute("DROP DATABASE nexios_latin1 WITH (FORCE)")
        await owner.close()


# Connections


@pytest.mark.parametrize("turns", range(0, 24, 3))
async def test_a_call_that_is_cancelled_at_any_point_leaves_the_connection_as_it_was(
    engine: Postgres, turns: int
) -> None:
    async with running(engine) as (backend, receiver):
        await backend.subscribe("room:1")
        calls: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: backend.publish("room:1", b"x" * 9_000, keep=KEEP),
            lambda: backend.history("room:1", after=0, keep=KEEP),
            lambda: backend.subscribe("room:2"),
            lambda: backend.unsubscribe("room:2"),
            lambda: backend.renew(30.0),
        )
        for call in calls:
            task = asyncio.ensure_future(call())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
        await backend.subscribe("room:2")
        await backend.publish("room:2", b"still here", keep=None)
        await receiver.until(lambda: ("room:2", 0, b"still here") in receiver.got)

        assert receiver.breaks == 0


async def test_a_server_that_says_nothing_is_a_break(engine: Postgres) -> None:
    clock = ManualClock()
    async with running(engine, clock=clock, ping_interval=15.0, patience=0.3) as (backend, receiver):
        await backend.subscribe("room:1")
        process = await asked(
            engine, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
        )
        os.kill(process, signal.SIGSTOP)
        try:
            await clock.advance(15.0)
            await receiver.until(lambda: receiver.breaks)
            async with asyncio.timeout(PATIENCE):
                while not receiver.restores:  # it waits for the clock once both connections are closed
                    await clock.advance(0.1)
                    await asyncio.sleep(0.01)
            await backend.publish("room:1", b"again", keep=None)
            await receiver.until(lambda: receiver.got)
        finally:
            os.kill(process, signal.SIGCONT)

        assert (receiver.breaks, receiver.restores) == (1, 1)


async def test_stopping_tells_those_who_wait(engine: Postgres) -> None:
    async with running(engine) as (backend, _):
        calls = [asyncio.ensure_future(backend.publish("room:1", b"x" * 500_000, keep=KEEP)) for _ in range(20)]
        calls += [asyncio.ensure_future(backend.renew(30.0)) for _ in range(5)]
        await asyncio.sleep(0)
        await backend.stop()
        async with asyncio.timeout(1.0):
            answers = await asyncio.gather(*calls, return_exceptions=True)

        assert all(isinstance(answer, int | bool | BackendUnavailable) for answer in answers)


async def test_connections_are_two_and_gone_after_the_end(engine: Postgres) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'"
    async with running(engine, server_settings={"application_name": "counted"}) as (backend, _):
        await asyncio.gather(*(backend.history(f"room:{n}", after=0, keep=KEEP) for n in range(20)))
        assert await asked(engine, count) == 2

    await eventually(engine, count, 0)
