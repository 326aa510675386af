"""One connection to a NATS server, and what is asked of its streams; see nexios/websockets/backends/nats_wire.py."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.nats_streams import Stream
from nexios.websockets.backends.nats_wire import Msg, Wire
from tests.contract.channels.nats_engine import Nats


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that runs."""
    engine = Nats()
    engine.start()
    yield engine.url
    engine.stop()


@pytest.fixture
async def wire(url: str) -> AsyncIterator[Wire]:
    """A connection."""
    wire = Wire(url, patience=2.0, options={})
    await wire.open()
    yield wire
    await wire.close()


async def test_a_connection_knows_its_server(wire: Wire) -> None:
    assert wire.version >= (2, 11)
    assert wire.max_payload == 1024 * 1024
    assert wire.is_open


async def test_all_subscriptions_are_served_in_one_order(wire: Wire) -> None:
    got: list[tuple[str, bytes]] = []

    def take(message: Msg) -> None:
        got.append((message.subject, message.data))

    for subject in ("a", "b", "c.>"):
        await wire.subscribe(subject, take)
    sent = [(("a", "b", "c.d")[number % 3], b"%d" % number) for number in range(30)]
    for subject, data in sent:
        await wire.publish(subject, data)
    await wire.echo()

    assert got == sent


async def test_what_waits_when_a_connection_ends_is_told(wire: Wire) -> None:
    await wire.subscribe("silent", lambda _: None)
    waiting = asyncio.ensure_future(wire.ask("silent", b""))
    await wire.echo()
    await wire.close()

    with pytest.raises(BackendUnavailable):
        await waiting


async def test_nobody_waits_longer_than_the_patience(url: str) -> None:
    wire = Wire(url, patience=2.0, options={})
    await wire.open()
    wire._patience = 0.05
    await wire.subscribe("silent", lambda _: None)
    with pytest.raises(BackendUnavailable):
        await wire.ask("silent", b"")
    assert wire.is_open
    await wire.close()


async def test_a_connection_that_ended_takes_nothing(wire: Wire) -> None:
    await wire.close()
    await wire.close()

    assert not wire.is_open
    for call in (wire.publish("a", b""), wire.subscribe("a", lambda _: None), wire.echo(), wire.ask("a", b"")):
        with pytest.raises(BackendUnavailable):
            await call


async def test_an_error_in_what_takes_messages_ends_the_connection(wire: Wire) -> None:
    def fail(_: Msg) -> None:
        raise ZeroDivisionError

    await wire.subscribe("a", fail)
    await wire.publish("a", b"")
    await wire.publish("a", b"")

    assert isinstance(await asyncio.wait_for(wire.broken, 5), ZeroDivisionError)


async def test_a_message_that_is_too_long_is_told(wire: Wire) -> None:
    with pytest.raises(BackendUnavailable):
        await wire.publish("a", bytes(wire.max_payload + 1))

    assert wire.is_open


CALLS: list[Callable[[Stream], Coroutine[Any, Any, object]]] = [
    lambda stream: stream.sync(),
    lambda stream: stream.last("missing.a"),
    lambda stream: stream.purge("missing.a"),
    lambda stream: stream.page("missing.a"),
    lambda stream: stream.deepen(1000),
]


@pytest.mark.parametrize("call", CALLS)
async def test_what_a_stream_refuses_is_told(wire: Wire, call: Callable[[Stream], Coroutine[Any, Any, object]]) -> None:
    with pytest.raises(BackendUnavailable):
        await call(Stream(wire, "missing"))


async def test_what_a_stream_does_not_store_is_told(wire: Wire) -> None:
    stream = Stream(wire, "small")
    await stream.ensure({"subjects": ["small.a"], "storage": "memory", "max_msg_size": 10, "discard": "new"})
    assert await stream.put("small.a", b"short")

    with pytest.raises(BackendUnavailable) as caught:
        await stream.put("small.a", b"this is too long for it")

    assert "maximum" in str(caught.value.__cause__)
    with pytest.raises(BackendUnavailable):
        await stream.deepen(2**70)


async def test_processes_that_make_a_stream_at_once_have_one(wire: Wire) -> None:
    streams = [Stream(wire, "shared") for _ in range(5)]
    await asyncio.gather(
        *(
            stream.ensure({"subjects": ["shared.a"], "storage": "memory", "first_seq": 1000 + number})
            for number, stream in enumerate(streams)
        )
    )

    numbers = [await stream.put("shared.a", b"") for stream in streams]

    assert numbers[0] in range(1000, 1005)
    assert numbers == list(range(numbers[0], numbers[0] + 5))
