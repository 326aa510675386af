"""What if a server, an engine or a loop does what it should not?"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from nexios.events import CHANNELS_LOST, CHANNELS_RESTORED
from nexios.events.emitter import EventEmitter
from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.clock import ManualClock
from nexios.websockets.history import HistoryLimits, Replay
from nexios.websockets.outbox import Counters
from nexios.websockets.presence import read_diff
from tests.websockets.channels.room_kit import Site, turns


class Flaky(MemoryBackend):
    """Fails where it is told to."""

    __slots__ = ("fails",)

    def __init__(self, engine: MemoryEngine) -> None:
        super().__init__(engine)
        self.fails: set[str] = set()

    def _check(self, what: str) -> None:
        if what in self.fails:
            raise BackendUnavailable

    async def history(self, channel: str, *, after: int, keep: HistoryLimits) -> Replay:
        self._check("history")
        return await super().history(channel, after=after, keep=keep)

    async def unsubscribe(self, channel: str) -> None:
        self._check("unsubscribe")
        await super().unsubscribe(channel)

    async def renew(self, lease: float) -> bool:
        self._check("renew")
        return await super().renew(lease)

    async def leave(self, channel: str, member: str) -> None:
        self._check("leave")
        await super().leave(channel, member)

    async def present(self, channel: str) -> Mapping[str, bytes]:
        self._check("present")
        return await super().present(channel)


def flaky_site(**options: Any) -> tuple[Site, Flaky]:
    clock = ManualClock()
    backend = Flaky(MemoryEngine(clock=clock))
    return Site(backend=backend, clock=clock, **options), backend


async def test_a_server_that_fails_to_send_costs_the_member_alone(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    _, broken, _ = await site.join()
    _, client, _ = await site.join()

    async def send(text: str) -> None:
        raise RuntimeError("a bug of the server")

    broken.send_text = send  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING, "nexios"):
        await site.channel().broadcast("hello")
        await turns()

    assert client.got == ["hello"]
    assert broken.closed_with == (1011, "")
    assert "could not be written to" in caplog.text


async def test_a_client_that_goes_while_it_is_waited_for_leaves() -> None:
    site = Site()
    _, client, _ = await site.join()
    client.is_stuck = True
    for _ in range(3):
        await site.channel().broadcast("hello")
    client.client_is_gone = True
    client.is_stuck = False
    await turns()

    assert not site.hub.channels
    assert (site.hub.counters.dropped, site.hub.counters.waiting) == (3, 0)


async def test_a_break_is_told_in_events_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    events = EventEmitter()
    heard: list[object] = []
    events.on(CHANNELS_LOST, lambda error: heard.append(error))
    events.on(CHANNELS_RESTORED, lambda: heard.append("restored"))
    site = Site(events=events)
    await site.join()
    error = ConnectionError("gone")
    with caplog.at_level(logging.INFO, "nexios"):
        site.hub._incoming.lost(error)
        site.hub._incoming.restored()
        await turns()

    assert heard == [error, "restored"]
    assert [record.getMessage() for record in caplog.records] == [
        "channels: the connection to memory broke: gone",
        "channels: the connection to memory is restored",
    ]


async def test_the_history_is_asked_again_until_it_answers() -> None:
    site, backend = flaky_site()
    _, client, _ = await site.join(envelope=True)
    backend.fails.update(("history", "present", "renew"))
    site.hub._incoming.lost(ConnectionError("gone"))
    await site.channel().publish("held")
    site.hub._incoming.restored()
    await site.clock.advance(3)
    assert client.data == []
    backend.fails.clear()
    await site.clock.advance(1)

    assert client.data == ["held"]


async def test_a_second_break_during_the_catching_up_is_caught_up_as_well() -> None:
    site, backend = flaky_site()
    _, client, _ = await site.join(envelope=True)
    backend.fails.add("history")
    site.hub._incoming.lost(ConnectionError("gone"))
    site.hub._incoming.restored()
    await turns()
    site.hub._incoming.lost(ConnectionError("again"))
    await site.channel().publish("held")
    await site.clock.advance(5)
    backend.fails.clear()
    site.hub._incoming.restored()
    await turns()

    assert client.data == ["held"]


async def test_presence_goes_on_after_an_engine_was_away() -> None:
    site, backend = flaky_site()
    _, client, _ = await site.join(user="ada", envelope=True)
    backend.fails.update(("renew", "present"))
    await site.clock.advance(20)
    site.hub._incoming.lost(ConnectionError("gone"))
    site.hub._incoming.restored()
    await turns()
    backend.fails.clear()
    await site.clock.advance(20)

    assert [entry.key for entry in await site.channel().presence()] == ["ada"]
    assert sum(envelope["event"] == "presence" for envelope in client.envelopes) == 1


async def test_a_member_leaves_while_the_engine_is_away() -> None:
    site, backend = flaky_site()
    websocket, _, _ = await site.join(user="ada")
    backend.fails.update(("leave", "unsubscribe"))
    await site.channel().disconnect(websocket)
    await turns()

    assert not site.hub.channels


async def test_a_view_that_cannot_be_loaded_makes_nobody_a_member() -> None:
    site, backend = flaky_site()
    backend.fails.add("present")
    with pytest.raises(BackendUnavailable):
        await site.join(user="ada", envelope=True)
    backend.fails.clear()
    await turns()
    assert not site.hub.channels
    _, client, _ = await site.join(user="ada", envelope=True)
    await turns()

    assert len(client.envelopes) == 1


async def test_presence_that_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    await site.join(user="ada")
    await site.hub.backend.join("room:1", "x", b"nonsense")
    with caplog.at_level(logging.WARNING, "nexios"):
        present = await site.channel().presence()

    assert [entry.key for entry in present] == ["ada"]
    assert "left out" in caplog.text
    with pytest.raises(ValueError, match="nothing that nexios wrote"):
        read_diff(b"nonsense")


async def test_an_engine_that_forgot_what_it_gave_does_not_keep_anybody_waiting() -> None:
    site = Site()
    await site.join()
    await site.channel().publish("before")
    site.hub.backend.engine._logs.clear()  # type: ignore[attr-defined]
    _, client, member = await site.join(last_seen=5)
    await site.channel().publish("after")

    assert member.missed
    assert client.data == ["after"]


async def test_a_large_room_is_written_to_in_turns() -> None:
    site = Site()
    clients = [(await site.join())[1] for _ in range(1500)]
    for number in range(3):
        await site.channel().broadcast(f"{number}")
    await turns()

    assert all(client.got == ["0", "1", "2"] for client in clients)
    assert site.hub.counters.delivered == 4500


async def test_a_cancelled_delivery_goes_on_with_the_next_message() -> None:
    site = Site()
    clients = [(await site.join())[1] for _ in range(3)]
    for client in clients:
        client.is_stuck = True
    broadcast = asyncio.ensure_future(site.channel().broadcast("1"))
    while not (tasks := [task for task in asyncio.all_tasks() if task.get_name() == "nexios-delivery"]):
        await turns(1)
    tasks[0].cancel()
    await broadcast
    for client in clients:
        client.is_stuck = False
    await site.channel().broadcast("2")
    await turns()

    assert all(client.got[-1] == "2" for client in clients)
    assert site.hub.counters.waiting == 0


async def test_updating_who_has_left_does_nothing() -> None:
    site = Site()
    websocket, _, member = await site.join(user="ada")
    await site.channel().disconnect(websocket)
    await site.channel().update(websocket, {"x": 1})
    await site.hub.update(member, {"x": 1})

    assert await site.channel().presence() == ()
    assert repr(member) == f"<Member {member.id} of 'room:1'>"


def test_counters_are_read_at_a_glance() -> None:
    assert repr(Counters()) == "<Counters queued=0 delivered=0 dropped=0>"
