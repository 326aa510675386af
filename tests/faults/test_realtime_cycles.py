"""What is left of 10,000 connections that came and went? No task, no subscription, no memory."""

import asyncio
import gc
import sys

import pytest

from nexios.messages.websocket import WebSocket
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.member import Member
from nexios.websockets.outbox import Outbox
from nexios.websockets.room import Room
from tests.faults.realtime_kit import Socket, alive, alone, room_app

CYCLES = 10_000
AT_ONCE = 50
BLOCKS = 2_000
"""Blocks of memory that may be more in the end: a fifth of one for each connection."""


async def came_and_went(app: object, number: int) -> None:
    """One connection, which says something and ends in one of five ways."""
    socket = Socket(f"/ws/{number % 7}")
    if number % 4 == 0:
        socket.scope["query_string"] = b"user=ada"
    socket.say({"number": number})
    task = asyncio.ensure_future(socket.served_by(app))  # type: ignore[arg-type]
    if number % 5 == 4:
        await asyncio.sleep(0)
        task.cancel()  # before the handshake, or in the middle
    else:
        await socket.accepted.wait()
        if number % 5 == 1:
            socket.leave(1006)
        elif number % 5 == 2:
            task.cancel()
        elif number % 5 == 3:
            socket.is_gone = True
            socket.leave(1001)
        else:
            socket.leave()
    await asyncio.wait((task,))


@pytest.mark.slow
async def test_ten_thousand_connections_leave_nothing() -> None:
    engine = MemoryEngine()
    app = room_app(MemoryBackend(engine))
    before = asyncio.all_tasks()
    gc.collect()
    objects = alive(Member, Outbox, Room, WebSocket)  # other tests may keep some
    await app.hub.start()

    async def cycles(first: int, last: int) -> None:
        for number in range(first, last, AT_ONCE):
            await asyncio.gather(*(came_and_went(app, number + index) for index in range(AT_ONCE)))
        await alone(before)

    await cycles(0, 1_000)
    gc.collect()
    blocks = sys.getallocatedblocks()
    await cycles(1_000, 1_000 + CYCLES)
    gc.collect()

    assert sys.getallocatedblocks() - blocks < BLOCKS
    assert alive(Member, Outbox, Room, WebSocket) == objects
    assert asyncio.all_tasks() == before
    assert app.hub.channels == ()
    assert set(engine.receivers) == {"*"}
    assert len(app.engine.websockets.sockets) == 0
    assert app.hub.counters.waiting == 0
    await app.hub.stop()
    assert engine.receivers == {}
