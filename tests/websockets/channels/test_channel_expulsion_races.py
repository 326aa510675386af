"""Who is put out while on the way in stays out: the guards are asked again."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from nexios.errors import HTTPException
from nexios.messages.websocket import WebSocketDisconnect
from nexios.websockets.backends.memory import MemoryEngine
from nexios.websockets.clock import ManualClock
from tests.websockets.channels.room_kit import Site, SlowBackend, turns


class Door:
    """A guard whose mind can change."""

    def __init__(self, site: Site) -> None:
        self.is_open = True
        self.asked = 0
        site.hub.guard("*")(self.may_join)

    def may_join(self, client: Any, channel: str) -> bool:
        self.asked += 1
        return self.is_open


def sites() -> tuple[Site, Site]:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    return Site(engine, clock=clock), Site(engine, clock=clock, backend=SlowBackend(engine))


@pytest.mark.parametrize("after", range(30))
async def test_who_is_put_out_at_any_moment_of_the_handshake_is_no_member(after: int) -> None:
    there, here = sites()
    door = Door(here)
    websocket, client = here.socket()
    await there.channel().publish("a secret")
    connecting = asyncio.ensure_future(here.channel().connect(websocket, user="eve"))
    await turns(after)
    door.is_open = False
    await there.channel().expel("eve")
    await asyncio.wait((connecting,))
    await turns(60)

    assert isinstance(connecting.exception(), HTTPException | WebSocketDisconnect | None)
    assert (here.channel().members(), await there.channel().presence()) == ((), ())
    assert here.hub.channels == ()
    await there.channel().publish("another secret")
    await turns(20)
    assert client.got == []
    await here.hub.stop()
    await there.hub.stop()


async def test_others_on_the_way_are_asked_again_and_come_in() -> None:
    there, here = sites()
    door = Door(here)
    websocket, _ = here.socket()
    connecting = asyncio.ensure_future(here.channel().connect(websocket, user="ada"))
    await turns(14)
    await there.channel().expel("eve")
    member = await connecting

    assert (here.channel().members(), door.asked <= 2) == ((member,), True)
    await here.hub.stop()
    await there.hub.stop()


@pytest.mark.parametrize("after", range(30))
async def test_a_reader_that_is_put_out_on_the_way_reads_nothing(after: int) -> None:
    there, here = sites()
    door = Door(here)
    await there.channel().publish("a secret")
    request: Any = SimpleNamespace(app=here.app, last_event_id=None)
    heard: list[Any] = []

    async def read() -> None:
        async for event in here.channel().events(request, last_seen=0, user="eve"):
            heard.append(event)

    reading = asyncio.ensure_future(read())
    await turns(after)
    door.is_open = False
    await there.channel().expel("eve")
    await there.channel().publish("another secret")
    await turns(100)

    assert reading.done()
    reading.exception()
    assert not any("another" in str(event.data) for event in heard)
    assert (here.hub.channels, await there.channel().presence()) == ((), ())
    await here.hub.stop()
    await there.hub.stop()
