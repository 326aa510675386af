"""What the published package of this name did wrong with channels, and does not do here (faults 46 to 49)."""

import asyncio
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request
from nexios.messages.connection import Connection
from nexios.messages.websocket import WebSocket
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied
from nexios.websockets import Channel, HistoryLimits, Hub, ManualClock, MemoryBackend, MemoryEngine
from tests.websockets.channels.room_kit import Client, Site, turns


async def test_each_message_has_a_number_and_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 46: all messages of a process had one id and one time."""
    now = [1000.0]
    monkeypatch.setattr("nexios.websockets.message.time.time", lambda: now[0])
    site = Site()
    for _ in range(3):
        now[0] += 1.0
        await site.channel().publish("x")

    messages = await site.channel().history()

    first = messages[0].sequence
    assert [(message.sequence, message.sent_at) for message in messages] == [
        (first, 1001.0),
        (first + 1, 1002.0),
        (first + 2, 1003.0),
    ]
    await site.hub.stop()


async def test_members_come_and_go_while_a_group_is_written_to() -> None:
    """Fault 47: the dict of a group changed its size under the loop that sent to it."""
    site = Site()
    here = [await site.join(f"room:{number % 3}") for number in range(30)]

    async def come_and_go() -> None:
        for websocket, _, member in here[::2]:
            await site.channel(member.channel).disconnect(websocket)
            await site.join(member.channel)

    await asyncio.gather(
        come_and_go(),
        *(Channel(f"room:{number % 3}", site.hub).publish(number) for number in range(60)),
        *(site.hub.publish_to_group("room:*", "to all") for _ in range(20)),
    )
    await turns(200)

    stayed = [client for _, client, _ in here[1::2]]
    assert [len(client.got) for client in stayed] == [20 + 20] * 15
    await site.hub.stop()


async def test_a_peer_that_is_gone_or_slow_ends_no_broadcast() -> None:
    """Fault 47: one dead peer ended the broadcast, and one slow peer held up all who came after it."""
    site = Site()
    clients: list[Client] = [(await site.join())[1] for _ in range(9)]
    clients[0].client_is_gone = True
    clients[3].is_stuck = True
    clients[5].client_is_gone = True

    for number in range(3):
        await site.channel().publish(number)
    await turns(50)

    assert [client.got for client in clients] == [[] if number in (0, 3, 5) else ["0", "1", "2"] for number in range(9)]
    assert len(site.channel().members()) == 7
    await site.hub.stop()


async def test_who_is_silent_and_who_is_gone_are_told_apart() -> None:
    """Fault 48: a channel lived from its making on, so who talked for long was taken for dead, and only when asked."""
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    here, there = Site(engine, clock=clock, lease=30.0), Site(engine, clock=clock, lease=30.0)
    await here.join(user="ada")
    _, client, _ = await there.join(user="bob", envelope=True)

    await clock.advance(3600.0)
    assert {entry.user for entry in await there.channel().presence()} == {"ada", "bob"}

    for task in list(here.hub._tasks._tasks):
        task.cancel()  # its process stands still
    await clock.advance(31.0)
    assert {entry.user for entry in await there.channel().presence()} == {"bob"}
    assert client.envelopes[-1]["data"]["leaves"][0]["user"] == "ada"
    await here.hub.stop()
    await there.hub.stop()


async def test_a_history_that_is_full_forgets_its_oldest_messages_alone() -> None:
    """Fault 48: the size was that of the list and not of what is in it, and at the limit everything was wiped."""
    site = Site(history=HistoryLimits(count=1000, size=10_000))
    for number in range(50):
        await site.channel().publish(f"{number:1000}")

    kept = [int(message.data) for message in await site.channel().history()]

    assert kept == list(range(50 - len(kept), 50))
    assert 5 <= len(kept) <= 10
    await site.hub.stop()


async def test_joining_says_what_it_did() -> None:
    """Fault 48: a new channel in a group that was there was reported as one that existed, another left no status."""
    site = Site()
    websocket, _, member = await site.join()
    _, _, other = await site.join()

    assert await site.channel().connect(websocket) is member
    assert {member, other} == set(site.channel().members())
    await site.channel().disconnect(websocket)
    await site.channel().disconnect(websocket)
    assert site.channel().members() == (other,)
    await site.hub.stop()


async def test_apps_share_channels_through_a_backend_and_in_no_other_way() -> None:
    """Fault 48: groups were global to the process, and known to no other one."""
    engine = MemoryEngine()
    apps = [NexiosApp(channels=Hub(MemoryBackend(engine))) for _ in range(2)] + [NexiosApp()]
    for app in apps:

        @app.websocket("/ws")
        async def ws(websocket: WebSocket) -> None:
            await Channel("room").connect(websocket)
            async for _ in websocket:
                pass

    async with TestClient(apps[0]) as one, TestClient(apps[1]) as two, TestClient(apps[2]) as three:
        async with one.websocket_connect("/ws") as a, two.websocket_connect("/ws") as b:
            async with three.websocket_connect("/ws") as c:
                await turns(50)
                await apps[0].channel("room").publish("to both")
                await apps[2].channel("room").publish("to one")
                assert [await session.receive() for session in (a, b, c)] == ["to both", "to both", "to one"]


async def test_who_may_not_open_a_websocket_is_asked_by_the_guards_of_requests() -> None:
    """Fault 49: authentication and sessions of HTTP were not there for WebSockets."""

    async def user_of(connection: Connection) -> str:  # type: ignore[type-arg]
        if connection.cookies.get("session") != "ada":
            raise HTTPException(401, "Log in first.")
        return "ada"

    app = NexiosApp()

    @app.get("/me")
    async def me(request: Request, response: Any, user: str = Depend(user_of)) -> str:
        return user

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, user: str = Depend(user_of)) -> None:
        await websocket.accept()
        await websocket.send_text(user)

    async with TestClient(app) as client:
        assert (await client.get("/me")).status_code == 401
        with pytest.raises(WebSocketDenied, match="401"):
            async with client.websocket_connect("/ws"):
                pass
        async with client.websocket_connect("/ws", cookies={"session": "ada"}) as session:
            assert await session.receive_text() == "ada"
