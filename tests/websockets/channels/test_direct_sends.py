"""Are sockets written to in their server's own way, where there is one?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from nexios.settings import Limits
from nexios.websockets.hub import Hub
from nexios.websockets.outbox import OutboxLimits
from tests.websockets.channels.room_kit import Client, Context, Site, Socket, turns

Event = tuple[str, str | bytes]


class Way(NamedTuple):
    wrap: Callable[[str | bytes], object]
    send: Callable[[Any], Awaitable[None]]


def one_server(data: str | bytes) -> Event:
    return "one", data


def another_server(data: str | bytes) -> Event:
    return "another", data


class DirectSocket(Socket):  # type: ignore[misc]
    """A WebSocket whose server lets itself be written to directly."""

    wrap: Any = one_server

    @property
    def direct(self) -> Way:
        return Way(self.wrap, self._transport.take)


class AnotherSocket(DirectSocket):
    wrap = staticmethod(another_server)


DirectSocket.wrap = staticmethod(one_server)


class Server(Client):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    async def take(self, event: Event) -> None:
        await self.gate.wait()
        if self.client_is_gone:
            raise OSError("gone")
        self.events.append(event)


async def join(site: Site, kind: Any = DirectSocket, **options: Any) -> tuple[Any, Server]:
    server = Server()
    websocket = kind(server, Context(site.app), Limits())
    await site.channel().connect(websocket, **options)
    return websocket, server


async def test_a_message_is_wrapped_once_for_all_connections_of_a_server() -> None:
    site = Site()
    servers = [(await join(site))[1] for _ in range(3)]
    _, other = await join(site, AnotherSocket)
    _, plain, _ = await site.join()
    await site.channel().broadcast("hello")
    await site.channel().broadcast(b"bytes")

    assert all(server.events == [("one", "hello"), ("one", b"bytes")] for server in servers)
    assert len({id(server.events[0]) for server in servers}) == 1
    assert other.events == [("another", "hello"), ("another", b"bytes")]
    assert plain.got == ["hello", b"bytes"]


async def test_order_is_kept_when_a_connection_gets_stuck() -> None:
    site = Site()
    members = [await join(site) for _ in range(4)]
    members[1][1].is_stuck = True
    for number in range(20):
        await site.channel().broadcast(f"{number}")
    members[1][1].is_stuck = False
    await turns()
    await site.channel().broadcast("20")

    for _, server in members:
        written = [event[1] for event in server.events]
        order = written[:1] + server.got + written[1:]
        assert order == [f"{number}" for number in range(21)]


async def test_a_connection_that_is_gone_leaves_quietly() -> None:
    site = Site()
    _, gone = await join(site)
    _, stays = await join(site)
    gone.client_is_gone = True
    await site.channel().broadcast("hello")

    assert stays.events == [("one", "hello")]
    assert len(site.channel().members()) == 1
    assert gone.closed_with is None


async def test_nothing_is_sent_after_the_handler_closed() -> None:
    site = Site()
    websocket, server = await join(site)
    broadcast = asyncio.ensure_future(site.channel().broadcast("late"))
    await asyncio.sleep(0)
    await websocket.close()
    await broadcast
    await site.channel().broadcast("later")

    assert server.events in ([], [("one", "late")])
    assert not site.hub.channels or not site.channel().members()


async def test_a_slow_connection_is_closed_all_the_same() -> None:
    site = Site(outbox=OutboxLimits(count=3))
    _, server = await join(site, envelope=True)
    server.is_stuck = True
    for _ in range(10):
        await site.channel().broadcast("hello")
    await turns()

    assert server.closed_with == (1013, "too slow")


def test_a_hub_needs_no_loop_to_be_made() -> None:
    assert Hub().channels == ()
