"""What is particular to channels over NATS; what they have in common with others is in tests/contract/channels."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nexios.errors import ConfigurationError
from nexios.websockets.backends import nats as nats_module
from nexios.websockets.backends import nats_presence, nats_streams
from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.backends.nats import NatsBackend
from nexios.websockets.backends.nats_history import History
from nexios.websockets.backends.nats_parts import Record, cut
from nexios.websockets.backends.nats_streams import name_of, token_of
from nexios.websockets.backends.nats_wire import Wire
from nexios.websockets.history import HistoryLimits
from tests.cancelling import cancelled_at_each_await
from tests.contract.channels.engines import PATIENCE, ended
from tests.contract.channels.nats_engine import Nats, nats_server
from tests.contract.channels.test_channel_backend_contract import Inbox, eventually, processes

KEEP = HistoryLimits(count=10, age=60.0, size=50_000_000)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Nats]:
    """A server that runs."""
    engine = Nats()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def engine(server: Nats) -> AsyncIterator[Nats]:
    """A world of its own for each test."""
    await server.prepare()
    yield server
    await server.finish()


@asynccontextmanager
async def client(engine: Nats) -> AsyncIterator[Any]:
    """Someone else at the server."""
    from nats.aio.client import Client

    other = Client()
    await other.connect(engine.url)
    yield other
    await other.close()


async def api(engine: Nats, request: str, **body: object) -> dict[str, Any]:
    """Ask the API of JetStream."""
    async with client(engine) as other:
        answer = await other.request(f"$JS.API.{request}", msgspec.json.encode(body))
        found: dict[str, Any] = msgspec.json.decode(answer.data)
        return found


async def stored(engine: Nats, stream: str, subject: str) -> int:
    """How many messages of a subject there are on the server."""
    info = await api(engine, f"STREAM.INFO.{stream}", subjects_filter=subject)
    return sum((info["state"].get("subjects") or {}).values())


def restored_after(inbox: Inbox, restores: int) -> bool:
    """Whether there was one more break that ended."""
    return inbox.restores > restores


# Bodies


@pytest.mark.parametrize("keep", [None, KEEP], ids=["fleeting", "kept"])
async def test_a_body_larger_than_the_server_takes_arrives_whole(engine: Nats, keep: HistoryLimits | None) -> None:
    large = bytes(range(256)) * 4 * 1024 * 3 + b"end"
    async with processes(engine, 2) as [(one, _), (two, inbox)]:
        await two.subscribe("room:1")
        await asyncio.gather(*(one.publish("room:1", body, keep=keep) for body in (large, b"small", large[:MIB])))
        await inbox.count(3)

        assert sorted(inbox.bodies) == sorted([large, b"small", large[:MIB]])
        if keep is not None:
            replay = await two.history("room:1", after=0, keep=KEEP)
            assert [(one.sequence, one.body) for one in replay.messages] == [got[1:] for got in inbox.got]


async def test_who_publishes_faster_than_the_server_reads_waits_for_it(engine: Nats) -> None:
    async with processes(engine, 2) as [(one, _), (two, inbox)]:
        await two.subscribe("room:1")
        for number in range(40):
            await one.publish("room:1", b"%d" % number + b"x" * MIB, keep=None)
        await inbox.count(40)

        assert [int(body.rstrip(b"x")) for body in inbox.bodies] == list(range(40))


async def test_a_message_whose_parts_came_too_early_is_fetched_and_the_others_wait(engine: Nats) -> None:
    """As when someone subscribes while a message is on its way."""
    async with processes(engine) as [(backend, inbox)], client(engine) as other:
        await backend.publish("room:1", b"before", keep=KEEP)
        for part in cut("other-1", b"half before", 5):
            number = part.split(b" ")[1].decode()
            await other.request(f"{engine.prefix}.c.room:1.b.{number}", part)
        await backend.subscribe("room:1")
        await other.publish(f"{engine.prefix}.k.room:1", msgspec.msgpack.encode(Record("other-1", 3, 11, 0)))
        await other.flush()
        await backend.publish("room:1", b"after", keep=KEEP)
        await backend.publish("room:1", b"fleeting", keep=None)
        await inbox.count(3)

        assert inbox.bodies[:2] == [b"half before", b"after"]


async def test_a_message_whose_parts_are_nowhere_is_left_out(engine: Nats) -> None:
    async with processes(engine) as [(backend, inbox)], client(engine) as other:
        await backend.subscribe("room:1")
        first = await backend.publish("room:1", b"first", keep=KEEP)
        await other.request(f"{engine.prefix}.k.room:1", msgspec.msgpack.encode(Record("other-1", 1, 5, 0)))
        await backend.publish("room:1", b"last", keep=KEEP)
        await inbox.count(2)
        replay = await backend.history("room:1", after=first, keep=KEEP)

        assert inbox.bodies == [b"first", b"last"]
        assert ([one.body for one in replay.messages], replay.complete) == ([b"last"], False)


async def test_what_others_send_to_our_subjects_does_no_harm(engine: Nats) -> None:
    async with processes(engine) as [(backend, inbox)], client(engine) as other:
        await backend.subscribe("room:1")
        for end in ("f", "b.0", "r", "x"):
            for data in (b"", b"\n", b"a 5 1\n", b"\xff"):
                await other.publish(f"{engine.prefix}.c.room:1.{end}", data)
        await other.flush()
        await backend.publish("room:1", b"ours", keep=KEEP)
        await inbox.count(1)

        assert (inbox.bodies, inbox.breaks) == ([b"ours"], [])


# History


async def test_a_history_may_be_longer_than_the_stream_was_made_for(engine: Nats) -> None:
    keep = HistoryLimits(count=150, age=60.0)
    async with processes(engine) as [(backend, _)]:
        numbers = [await backend.publish("room:1", b"%d" % number, keep=keep) for number in range(155)]
        replay = await backend.history("room:1", after=numbers[4], keep=keep)

        assert [one.sequence for one in replay.messages] == numbers[5:]
        assert replay.complete
        assert len((await backend.history("room:1", after=0, keep=KEEP)).messages) == 10


async def test_a_history_that_comes_in_pages_is_whole(engine: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_streams, "_PAGE", {"batch": 3, "max_bytes": MIB})
    async with processes(engine) as [(backend, _)]:
        numbers = [await backend.publish("room:1", b"%d" % number, keep=KEEP) for number in range(11)]
        replay = await backend.history("room:1", after=0, keep=KEEP)

        assert [(one.sequence, one.body) for one in replay.messages] == [
            (numbers[number], b"%d" % number) for number in range(1, 11)
        ]


async def test_numbers_grow_when_the_server_forgot_everything(engine: Nats) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await backend.subscribe("room:1")
        before = [await backend.publish("room:1", b"", keep=KEEP) for _ in range(20)]
        await api(engine, f"STREAM.DELETE.{engine.prefix}")
        for call in (
            backend.publish("room:1", b"", keep=KEEP),
            backend.history("room:1", after=0, keep=KEEP),
            backend.subscribe("room:1"),
        ):
            with pytest.raises(BackendUnavailable):
                await call
        await engine.cut()
        await inbox.until(lambda: inbox.restores)
        after = await backend.publish("room:1", b"new", keep=KEEP)
        replay = await backend.history("room:1", after=before[-1], keep=KEEP)

        assert after > before[-1]
        assert ([one.body for one in replay.messages], replay.complete) == ([b"new"], False)


async def test_bodies_leave_the_disk_and_numbers_stay(engine: Nats) -> None:
    keep = HistoryLimits(count=10, age=0.1)
    async with processes(engine) as [(backend, _)]:
        first = await backend.publish("room:1", b"old", keep=keep)
        await eventually(lambda: stored(engine, engine.prefix, f"{engine.prefix}.c.>"), 0)
        second = await backend.publish("room:1", b"new", keep=KEEP)
        replay = await backend.history("room:1", after=first, keep=KEEP)

        assert [(one.sequence, one.body) for one in replay.messages] == [(second, b"new")]
        assert replay.complete


async def test_a_stream_that_is_not_ours_is_told(engine: Nats) -> None:
    await api(engine, f"STREAM.CREATE.{engine.prefix}", name=engine.prefix, subjects=["orders.>"])
    with pytest.raises(ConfigurationError, match=r"not one of nexios.*orders"):
        await engine.backend().start(Inbox(), node="node")


# Presence


async def test_what_a_dead_process_left_is_taken_out(engine: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_presence, "_SETTLED", -1.0)
    monkeypatch.setattr(nats_presence, "_LINGER", 0)
    stream, members = f"{engine.prefix}-presence", f"{engine.prefix}.p.*.m.>"
    async with processes(engine, 2) as [(one, _), (two, _)]:
        await one.renew(30.0)
        await one.join("room:1", "a", b"")
        for channel in ("room:2", "room:1"):
            await two.renew(0.1)
            await two.join(channel, "b", b"")
        await eventually(lambda: stored(engine, stream, f"{engine.prefix}.p.*.l"), 1)
        assert await one.present("room:1") == {"a": b""}
        assert await stored(engine, stream, members) == 1

        assert not await two.renew(0.1)
        await two.join("room:3", "b", b"")
        await eventually(lambda: stored(engine, stream, f"{engine.prefix}.p.*.l"), 1)
        third = engine.backend()
        await third.start(Inbox(), node="third")
        await third.stop()
        assert await stored(engine, stream, members) == 1


async def test_a_member_that_left_leaves_nothing_on_the_server(engine: Nats) -> None:
    async with processes(engine) as [(backend, _)]:
        await backend.renew(30.0)
        await backend.join("room:1", "a", b"")
        assert await stored(engine, f"{engine.prefix}-presence", f"{engine.prefix}.p.*.m.>") == 1
        await backend.leave("room:1", "a")
        await eventually(lambda: stored(engine, f"{engine.prefix}-presence", f"{engine.prefix}.p.*.m.>"), 0)


# The connection


async def test_a_server_that_falls_silent_is_noticed(engine: Nats) -> None:
    assert engine._process is not None
    backend, inbox = NatsBackend(engine.url, prefix=engine.prefix, patience=1.0, ping_interval=0.05), Inbox()
    await backend.start(inbox, node="node")
    os.kill(engine._process.pid, signal.SIGSTOP)
    try:
        await inbox.until(lambda: inbox.breaks)
    finally:
        os.kill(engine._process.pid, signal.SIGCONT)
    await inbox.until(lambda: inbox.restores)
    assert await backend.publish("room:1", b"", keep=KEEP) > 0
    await backend.stop()


async def test_nothing_is_printed_or_left_after_breaks(
    engine: Nats, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    async with processes(engine, 2) as [(one, inbox), (two, _)]:
        await one.subscribe("room:1")
        for _ in range(5):
            restores = inbox.restores
            publishing = [
                asyncio.ensure_future(backend.publish("room:1", b"x" * 100_000, keep=KEEP))
                for backend in (one, two)
                for _ in range(10)
            ]
            await asyncio.sleep(0)
            await engine.cut()
            await asyncio.wait(publishing)
            assert {type(task.exception()) for task in publishing} <= {type(None), BackendUnavailable}
            await inbox.until(partial(restored_after, inbox, restores))
        await engine.away()
        await inbox.until(lambda: len(inbox.breaks) == 6)
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


async def test_a_break_ends_the_wait_for_a_message_that_is_fetched(
    engine: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching = asyncio.Event()

    async def never(*_: object) -> bytes:
        fetching.set()
        await asyncio.Event().wait()
        return b"never"

    async with processes(engine) as [(backend, inbox)], client(engine) as other:
        await backend.subscribe("room:1")
        monkeypatch.setattr(History, "body", never)
        await other.publish(f"{engine.prefix}.k.room:1", msgspec.msgpack.encode(Record("other-1", 1, 5, 0)))
        await fetching.wait()
        await engine.cut()
        await inbox.until(lambda: inbox.restores)
        await backend.publish("room:1", b"after", keep=KEEP)
        await inbox.count(1)

        assert inbox.bodies == [b"after"]
        assert len(inbox.breaks) == inbox.restores == 1


async def test_a_message_that_cannot_be_fetched_is_a_break(engine: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the hub asks the history."""

    async def fails(*_: object) -> bytes:
        raise BackendUnavailable

    async with processes(engine) as [(backend, inbox)], client(engine) as other:
        await backend.subscribe("room:1")
        monkeypatch.setattr(History, "body", fails)
        await other.publish(f"{engine.prefix}.k.room:1", msgspec.msgpack.encode(Record("other-1", 1, 5, 0)))
        await inbox.until(lambda: inbox.restores)

        assert len(inbox.breaks) == inbox.restores == 1


@pytest.mark.parametrize("keep", [None, KEEP], ids=["fleeting", "kept"])
async def test_cancellation_at_any_point_leaves_a_backend_usable(engine: Nats, keep: HistoryLimits | None) -> None:
    async with processes(engine) as [(backend, inbox)]:

        async def use() -> None:
            await backend.subscribe("room:1")
            await backend.publish("room:1", b"x", keep=keep)
            await backend.history("room:1", after=0, keep=KEEP)
            await backend.unsubscribe("room:1")

        async for _ in cancelled_at_each_await(use):
            await backend.unsubscribe("room:1")
        await backend.subscribe("room:1")
        before = len(inbox.got)
        await backend.publish("room:1", b"last", keep=KEEP)
        await inbox.until(lambda: b"last" in inbox.bodies)

        assert inbox.bodies[before:].count(b"last") == 1
        assert inbox.breaks == []


async def test_a_start_that_is_cancelled_leaves_nothing(engine: Nats) -> None:
    before = asyncio.all_tasks()
    backends: list[ChannelBackend] = []

    async def start() -> None:
        backends.append(engine.backend())
        await backends[-1].start(Inbox(), node="node")

    async for _ in cancelled_at_each_await(start):
        pass
    for backend in backends:
        await backend.stop()
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("is_broken", [False, True])
async def test_a_close_that_is_cancelled_at_any_point_has_closed_the_connection(engine: Nats, is_broken: bool) -> None:
    """As when the app stops while a connection is given up that has broken."""
    before = asyncio.all_tasks()
    wires = [Wire(engine.url, patience=1.5, options={}) for _ in range(20)]
    for wire in wires:
        await wire.open()
        if is_broken:
            wire.snap(ConnectionResetError())
    waiting = iter(wires)
    async for _ in cancelled_at_each_await(lambda: next(waiting).close()):
        pass
    for wire in waiting:
        await wire.close()
    await asyncio.sleep(0)

    transports: list[Any] = [wire._client._transport for wire in wires]
    assert all(transport._io_writer.transport.is_closing() for transport in transports)
    assert asyncio.all_tasks() == before


async def test_a_library_that_keeps_a_cancellation_to_itself_does_not_hold_up_the_stop(
    engine: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `asyncio.wait_for` does before Python 3.12, where it comes just when there is a connection."""
    kept = asyncio.Event()

    async def connect(*_: object, **options: object) -> None:
        if kept.is_set():
            raise ConnectionRefusedError
        kept.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError from None

    before = asyncio.all_tasks()
    async with processes(engine) as [(_, inbox)]:
        monkeypatch.setattr("nats.aio.client.Client.connect", connect)
        await engine.cut()
        await inbox.until(lambda: inbox.breaks)
        async with asyncio.timeout(PATIENCE):
            await kept.wait()

    assert asyncio.all_tasks() == before


# Errors


async def test_the_longest_name_fits(engine: Nats) -> None:
    name = "🦊" * 200
    async with processes(engine) as [(backend, inbox)]:
        await backend.subscribe(name)
        await backend.renew(30.0)
        await backend.join(name, "m" * 100, b"")
        await backend.publish(name, b"fleeting", keep=None)
        await backend.publish(name, b"kept", keep=KEEP)
        await inbox.count(2)

        assert sorted(inbox.bodies) == [b"fleeting", b"kept"]
        assert await backend.present(name) == {"m" * 100: b""}
        assert len((await backend.history(name, after=0, keep=KEEP)).messages) == 1


async def test_a_stream_that_the_server_refuses_to_make_is_told(engine: Nats) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        await NatsBackend(engine.url, prefix=engine.prefix, replicas=3).start(Inbox(), node="node")

    assert "replicas > 1 not supported" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nobody answers at .*: is JetStream on?"),
        (["--user", "ada", "--pass", "secret"], "Authorization Violation"),
    ],
)
async def test_a_server_that_cannot_be_used_is_told(tmp_path: Path, options: list[str], words: str) -> None:
    process, url = nats_server(tmp_path, "-p", "-1", *options)
    try:
        with pytest.raises(BackendUnavailable) as caught:
            await NatsBackend(url, patience=1.0).start(Inbox(), node="node")
    finally:
        ended(process)

    assert re.search(words, str(caught.value.__cause__))


async def test_a_server_that_is_too_old_is_told(engine: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_module, "_OLDEST", (99, 0))
    with pytest.raises(ConfigurationError, match=r"needs NATS 2\.11 or newer; this server has 2\."):
        await engine.backend().start(Inbox(), node="node")


@pytest.mark.parametrize("prefix", ["", "a.b", "a b", "*", "a>", "ä", "a/b"])
def test_a_prefix_that_is_no_subject_is_told(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix of NATS subjects"):
        NatsBackend(prefix=prefix)


def test_the_package_that_is_missing_is_named() -> None:
    program = "import sys; sys.modules['nats'] = None; import nexios.websockets.backends.nats"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert re.search(r'NatsBackend needs the package nats(\.aio)?:\n\n    pip install "nexios\[nats\]"', ran.stderr)


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("room:1", "room:1"),
        ("a.b", "a%2Eb"),
        ("*", "%2A"),
        (">", "%3E"),
        ("a b", "a%20b"),
        ("%", "%25"),
        ("ä", "%C3%A4"),
    ],
)
def test_a_name_is_one_token_of_a_subject(name: str, token: str) -> None:
    assert (token_of(name), name_of(token)) == (token, name)
