"""Who leaves while an engine is still told that they came: nobody stays present who is not there."""

import asyncio

import pytest

from nexios.websockets.backends.memory import MemoryEngine
from nexios.websockets.clock import ManualClock
from tests.websockets.channels.room_kit import Site, SlowBackend, turns


@pytest.mark.parametrize("after", range(30))
@pytest.mark.parametrize("step", ["join", "update", "rejoin"])
async def test_who_leaves_at_any_moment_is_present_nowhere(step: str, after: int) -> None:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    there = Site(engine, clock=clock)
    await there.join(user="watching", envelope=True)
    here = Site(engine, clock=clock, backend=SlowBackend(engine))
    websocket, _ = here.socket()
    connecting = asyncio.ensure_future(here.channel().connect(websocket, user="ada", envelope=True, last_seen=0))
    if step == "join":
        await turns(after)
    else:
        await connecting
        other = here.channel().update(websocket, {"mood": "good"})
        if step == "rejoin":
            other.close()
            other = here.hub._presence.refresh(rejoin=True)
        connecting = asyncio.ensure_future(other)  # type: ignore[arg-type]
        await turns(after)

    await websocket.close() if websocket.is_open else await websocket.deny()
    await asyncio.wait((connecting,))
    connecting.exception()
    await turns(60)

    assert [entry.user for entry in await there.channel().presence()] == ["watching"]
    assert [entry.user for entry in there.hub._presence._views["room:1"].entries.values()] == ["watching"]
    assert (here.hub._presence._own, here.hub._presence._views) == ({}, {})
    assert (here.hub.channels, len(here.hub._sockets), here.hub.counters.waiting) == ((), 0, 0)
    await here.hub.stop()
    await there.hub.stop()


@pytest.mark.parametrize("after", range(40))
async def test_who_arrives_while_another_leaves_is_told_of_all_that_follows(after: int) -> None:
    """The view that is loaded for the one must not be given up because of the other."""
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    here = Site(engine, clock=clock, backend=SlowBackend(engine))
    leaving, _, _ = await here.join()
    websocket, client = here.socket()
    connecting = asyncio.ensure_future(here.channel().connect(websocket, user="ada", envelope=True))
    await turns(after)
    here.hub.forget(leaving)
    await connecting
    await turns(60)

    await here.join(user="bob")
    await turns(60)

    assert client.envelopes[-1]["data"]["joins"] == [
        {"id": client.envelopes[-1]["data"]["joins"][0]["id"], "user": "bob"}
    ]
    await here.hub.stop()
