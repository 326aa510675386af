"""Wherever a member of a room is cancelled, it is out of it, and nobody else notices: requirement R12.

Every await of the whole life of a socket is taken in turn: handshake, join, history, presence, receiving,
broadcasting, leaving. The engine and the socket take a turn of the event loop for everything, so each of their calls
is an await that waits.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from nexios import NexiosApp
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.feed import Feed
from nexios.websockets.member import Member
from nexios.websockets.outbox import Outbox
from nexios.websockets.room import Room
from tests.cancelling import Counted
from tests.faults.realtime_kit import Socket, alive, alone, room_app
from tests.websockets.channels.room_kit import SlowBackend

Attempt = Callable[[NexiosApp], Coroutine[Any, Any, None]]


class Ada:
    """A member who is there all the time, in a room whose backend is slow."""

    def __init__(self) -> None:
        self.engine = MemoryEngine()
        self.app = room_app(SlowBackend(self.engine))
        self.socket = Socket()
        self.socket.scope["query_string"] = b"user=ada"
        self.tasks: set[asyncio.Task[Any]] = set()

    async def enter(self) -> None:
        """Join, and say something, which is what those who come later read first."""
        self.serving = asyncio.ensure_future(self.socket.served_by(self.app))
        self.socket.say("first")
        await self.until(lambda: "first" in self.said)
        self.tasks = asyncio.all_tasks()

    async def leave(self) -> None:
        """Leave, and let the hub end."""
        self.socket.leave()
        await self.serving
        await self.app.hub.stop()

    @property
    def said(self) -> list[Any]:
        """What was said in the room, as it got to her."""
        return [envelope["data"] for envelope in self.socket.texts if "sequence" in envelope]

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the others run until something is so."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  what is waited for tells nothing
                await asyncio.sleep(0)


async def cancelled_everywhere(attempt: Attempt, check: Callable[[Ada], Coroutine[Any, Any, None]]) -> int:
    """Cancel at each await in turn, each time in an app of its own; return how many there were."""
    for number in range(500):
        ada = Ada()
        await ada.enter()
        counted = Counted(attempt(ada.app), number)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.ensure_future(_run(counted))
        await alone(ada.tasks)
        await check(ada)
        await ada.leave()
        if counted.awaits <= number:
            return counted.awaits
    raise AssertionError("it never ends")


async def _run(counted: Counted) -> None:
    await counted


async def only_ada_is_here(ada: Ada) -> None:
    """Who was cancelled is forgotten everywhere, and she goes on as if nothing were."""
    hub = ada.app.hub
    assert [member.user for member in hub.members_of("room:1")] == ["ada"]
    assert hub.channels == ("room:1",)
    assert [entry.user for entry in await hub.present("room:1")] == ["ada"]
    assert set(ada.engine.receivers) == {"*", "room:1"}
    assert len(ada.app.engine.websockets.sockets) == 1
    ada.socket.say("still here")
    await ada.until(lambda: ada.said[-1:] == ["still here"])
    assert hub.counters.waiting == 0
    assert asyncio.all_tasks() == ada.tasks


async def test_a_member_is_out_of_the_room_wherever_it_is_cancelled() -> None:
    before = alive(Member, Outbox, Room)

    async def live(app: NexiosApp) -> None:
        socket = Socket(slow=True)
        socket.scope["query_string"] = b"user=bob"
        socket.say("hello")
        socket.say("goodbye")
        socket.leave()
        await socket.served_by(app)

    async def check(ada: Ada) -> None:
        assert ada.said in (["first"], ["first", "hello"], ["first", "hello", "goodbye"])
        await only_ada_is_here(ada)

    assert await cancelled_everywhere(live, check) > 20
    assert alive(Member, Outbox, Room) == before


async def test_the_first_member_leaves_no_room_behind_wherever_it_is_cancelled() -> None:
    """Its room is subscribed with it, and unsubscribed."""

    async def live(app: NexiosApp) -> None:
        socket = Socket("/ws/2", slow=True)
        socket.say("hello")
        socket.leave(1001)
        await socket.served_by(app)

    assert await cancelled_everywhere(live, only_ada_is_here) > 10


async def test_a_message_goes_to_all_or_to_nobody_wherever_its_sender_is_cancelled() -> None:
    async def publish(app: NexiosApp) -> None:
        await app.hub.publish("room:1", "from outside")

    async def check(ada: Ada) -> None:
        kept = [message.data for message in await ada.app.hub.history("room:1")]
        assert ada.said == kept
        assert kept in (["first"], ["first", "from outside"])
        await only_ada_is_here(ada)

    assert await cancelled_everywhere(publish, check) > 2


async def test_a_listener_is_out_of_the_room_wherever_it_is_cancelled() -> None:
    before = alive(Feed)

    async def listen(app: NexiosApp) -> None:
        async with app.hub.listen("room:1", last_seen=0) as feed:
            async for message in feed:
                if message.data == "second":
                    return
                await app.hub.publish("room:1", "second")

    assert await cancelled_everywhere(listen, only_ada_is_here) > 3
    assert alive(Feed) == before


async def test_two_that_are_cancelled_together_leave_only_the_others() -> None:
    """As when a server ends many connections at once, in the middle of a broadcast."""
    app = room_app(MemoryBackend(MemoryEngine()))
    sockets = [Socket() for _ in range(100)]
    before = asyncio.all_tasks()
    serving = [asyncio.ensure_future(socket.served_by(app)) for socket in sockets]
    for socket in sockets:
        await socket.accepted.wait()
    for number, (socket, task) in enumerate(zip(sockets, serving, strict=True)):
        if number % 2:
            socket.takes.clear()
            socket.say("hello")
        else:
            task.cancel()
    await asyncio.wait([task for number, task in enumerate(serving) if number % 2 == 0])
    assert len(app.hub.members_of("room:1")) == 50

    for socket, task in zip(sockets, serving, strict=True):
        socket.takes.set()
        if not task.done():
            socket.leave()
    await asyncio.wait(serving)
    await alone(before)
    assert app.hub.channels == ()
    assert app.hub.counters.waiting == 0
    await app.hub.stop()
