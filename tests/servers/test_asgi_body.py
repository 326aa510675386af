"""Reading a body and listening for the disconnect at the same time, from one `receive`."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from nexios._servers.asgi import ASGITransport
from nexios.errors import ClientDisconnect

KIBIBYTES_512 = b"x" * (512 * 1024)


class Server:
    """Gives out messages one by one, and notices two reads at once."""

    def __init__(self, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = 0
        self.transport = ASGITransport({"type": "http", "headers": list(headers)}, self.receive, self.send)

    async def receive(self) -> dict[str, Any]:
        assert self.reads == 0, "two reads at once"
        self.reads += 1
        try:
            return await self.messages.get()
        finally:
            self.reads -= 1

    async def send(self, message: Any) -> None:
        raise AssertionError("nothing is sent here")

    def body(self, *chunks: bytes, more: bool = True) -> None:
        for chunk in chunks:
            self.messages.put_nowait({"type": "http.request", "body": chunk, "more_body": True})
        if not more:
            self.messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def leave(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_chunks_come_in_order_and_then_none() -> None:
    server = Server()
    server.body(b"one", b"two", more=False)

    assert [await server.transport.next_chunk() for _ in range(3)] == [b"one", b"two", None]


async def test_a_client_that_leaves_before_the_end_is_an_error() -> None:
    server = Server()
    server.body(b"one")
    server.leave()

    assert await server.transport.next_chunk() == b"one"
    with pytest.raises(ClientDisconnect):
        await server.transport.next_chunk()


async def test_a_watcher_takes_nothing_away_from_a_reader() -> None:
    server = Server()
    watch = asyncio.ensure_future(server.transport.disconnected())
    server.body(b"one", b"two", more=False)
    await settle()

    assert [await server.transport.next_chunk() for _ in range(3)] == [b"one", b"two", None]
    server.leave()
    await watch


async def test_a_watcher_waits_its_turn_while_a_reader_reads() -> None:
    server = Server()
    read = asyncio.ensure_future(server.transport.next_chunk())
    await settle()
    watch = asyncio.ensure_future(server.transport.disconnected())
    await settle()
    server.body(b"one", more=False)

    assert await read == b"one"
    assert await server.transport.next_chunk() is None
    server.leave()
    await watch


async def test_a_reader_and_two_watchers_share_one_read() -> None:
    server = Server()
    watches = [asyncio.ensure_future(server.transport.disconnected()) for _ in range(2)]
    await settle()
    read = asyncio.ensure_future(server.transport.next_chunk())
    await settle()
    server.body(b"one")

    assert await read == b"one"
    server.leave()
    await asyncio.gather(*watches)


async def test_a_watcher_that_is_cancelled_leaves_its_read_to_the_next() -> None:
    server = Server()
    watch = asyncio.ensure_future(server.transport.disconnected())
    await settle()
    watch.cancel()
    await settle()
    server.body(b"one", more=False)

    assert await server.transport.next_chunk() == b"one"
    assert await server.transport.next_chunk() is None


async def test_a_reader_that_is_cancelled_loses_nothing_that_a_watcher_has_read() -> None:
    server = Server()
    watch = asyncio.ensure_future(server.transport.disconnected())
    await settle()
    read = asyncio.ensure_future(server.transport.next_chunk())
    await settle()
    read.cancel()
    await settle()
    server.body(b"one")
    await settle()

    assert await server.transport.next_chunk() == b"one"
    watch.cancel()


async def test_a_long_body_is_left_with_the_server_until_it_is_read() -> None:
    server = Server()
    watch = asyncio.ensure_future(server.transport.disconnected())
    server.body(*[KIBIBYTES_512] * 8, more=False)
    server.leave()
    await settle()

    assert server.messages.qsize() == 10 - 3
    assert not watch.done()
    assert [await server.transport.next_chunk() for _ in range(9)] == [KIBIBYTES_512] * 8 + [None]
    await watch


async def test_a_long_body_that_nobody_reads_is_thrown_away_once_the_response_has_begun() -> None:
    server = Server()
    server.transport.started = True
    watch = asyncio.ensure_future(server.transport.disconnected())
    server.body(*[KIBIBYTES_512] * 100)
    server.leave()

    await watch
    with pytest.raises(RuntimeError, match="thrown away"):
        await server.transport.next_chunk()


async def test_a_long_body_whose_reader_is_slow_is_not_thrown_away() -> None:
    server = Server()
    server.body(b"one", *[KIBIBYTES_512] * 8, more=False)
    assert await server.transport.next_chunk() == b"one"
    server.transport.started = True
    watch = asyncio.ensure_future(server.transport.disconnected())
    await settle()

    assert [await server.transport.next_chunk() for _ in range(9)] == [KIBIBYTES_512] * 8 + [None]
    watch.cancel()


async def test_a_server_that_fails_has_lost_the_client() -> None:
    async def receive() -> dict[str, Any]:
        raise RuntimeError("the connection is broken")

    transport = ASGITransport({"type": "http", "headers": []}, receive, Server().send)

    await transport.disconnected()
    with pytest.raises(ClientDisconnect):
        await transport.next_chunk()


async def test_stopping_lets_go_of_the_read_that_waits() -> None:
    server = Server()
    watch = asyncio.ensure_future(server.transport.disconnected())
    await settle()
    assert server.reads == 1
    server.transport.stop_reading()
    await settle()

    assert server.reads == 0
    assert watch.done()


async def test_stopping_without_a_read_does_nothing() -> None:
    server = Server()
    server.transport.stop_reading()

    assert server.reads == 0


async def test_a_body_of_one_message_that_is_there_has_arrived() -> None:
    server = Server()
    server.body(more=False)
    server.messages.get_nowait()
    server.messages.put_nowait({"type": "http.request", "body": b"whole"})

    assert server.transport.arrived() == b"whole"
    assert await server.transport.next_chunk() is None


async def test_an_empty_body_that_is_there_has_arrived() -> None:
    server = Server()
    server.messages.put_nowait({"type": "http.request"})

    assert server.transport.arrived() == b""


async def test_the_first_piece_of_a_body_is_kept_for_the_next_chunk() -> None:
    server = Server()
    server.body(b"one", b"two", more=False)

    assert server.transport.arrived() is None
    assert [await server.transport.next_chunk() for _ in range(3)] == [b"one", b"two", None]


async def test_a_body_that_is_late_is_read_by_the_call_that_was_begun() -> None:
    server = Server()

    assert server.transport.arrived() is None
    assert server.reads == 1
    read = asyncio.ensure_future(server.transport.next_chunk())
    await settle()
    server.body(b"late", more=False)

    assert await read == b"late"
    assert await server.transport.next_chunk() is None


async def test_a_watcher_waits_its_turn_while_a_read_that_was_begun_goes_on() -> None:
    server = Server()
    assert server.transport.arrived() is None
    watch = asyncio.ensure_future(server.transport.disconnected())
    read = asyncio.ensure_future(server.transport.next_chunk())
    await settle()
    server.messages.put_nowait({"type": "http.request", "body": b"late"})

    assert await read == b"late"
    server.leave()
    await watch


async def test_a_client_that_left_has_sent_no_whole_body() -> None:
    server = Server()
    server.leave()

    assert server.transport.arrived() is None
    with pytest.raises(ClientDisconnect):
        await server.transport.next_chunk()


async def test_nothing_has_arrived_while_somebody_else_reads() -> None:
    server = Server()
    watch = asyncio.ensure_future(server.transport.disconnected())
    server.body(b"one", more=False)
    await settle()

    assert server.transport.arrived() is None
    assert [await server.transport.next_chunk() for _ in range(2)] == [b"one", None]
    watch.cancel()


async def test_a_receive_that_is_no_coroutine_is_awaited_all_the_same() -> None:
    future = asyncio.get_running_loop().create_future()
    transport = ASGITransport({"type": "http", "headers": []}, lambda: future, Server().send)

    assert transport.arrived() is None
    future.set_result({"type": "http.request", "body": b"one"})
    assert await transport.next_chunk() == b"one"


async def test_a_server_that_fails_at_once_is_heard_by_who_asks_what_has_arrived() -> None:
    async def receive() -> dict[str, Any]:
        raise RuntimeError("the connection is broken")

    transport = ASGITransport({"type": "http", "headers": []}, receive, Server().send)

    with pytest.raises(RuntimeError, match="the connection is broken"):
        transport.arrived()


JSON = (b"content-type", b"application/json")


@pytest.mark.parametrize(
    ("headers", "limit"),
    [([JSON], None), ([JSON], 5), ([JSON, (b"content-length", b"5")], 5), ([(b"accept", b"*/*"), JSON], 10)],
)
async def test_plain_json_that_is_there_is_at_hand_and_stays_there(
    headers: list[tuple[bytes, bytes]], limit: int | None
) -> None:
    server = Server(headers)
    server.messages.put_nowait({"type": "http.request", "body": b"whole"})

    assert [server.transport.json_at_hand(limit) for _ in range(2)] == [b"whole", b"whole"]
    assert server.transport.arrived() == b"whole"
    assert server.transport.arrived() is None
    assert await server.transport.next_chunk() is None


async def test_what_is_at_hand_can_be_read_in_chunks_too() -> None:
    server = Server([JSON])
    server.messages.put_nowait({"type": "http.request", "body": b"whole"})
    server.transport.json_at_hand(None)

    assert [await server.transport.next_chunk() for _ in range(2)] == [b"whole", None]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"application/json; charset=utf-8")],
        [JSON, JSON],
        [JSON, (b"content-encoding", b"gzip")],
        [JSON, (b"content-length", b"")],
        [JSON, (b"content-length", b"+5")],
        [JSON, (b"content-length", b"11")],
        [JSON, (b"content-length", b"1" * 5000)],
        [JSON, (b"content-length", b"5"), (b"content-length", b"5")],
    ],
)
async def test_a_head_that_wants_a_closer_look_leaves_the_body_with_the_server(
    headers: list[tuple[bytes, bytes]],
) -> None:
    server = Server(headers)
    server.messages.put_nowait({"type": "http.request", "body": b"whole"})

    assert server.transport.json_at_hand(10) is None
    assert server.messages.qsize() == 1
    assert server.transport.arrived() == b"whole"


async def test_more_than_the_limit_is_not_at_hand_and_not_lost() -> None:
    server = Server([JSON])
    server.messages.put_nowait({"type": "http.request", "body": b"whole"})

    assert server.transport.json_at_hand(4) is None
    assert server.transport.arrived() == b"whole"


async def test_a_body_that_is_not_at_hand_yet_is_read_by_the_call_that_was_begun() -> None:
    server = Server([JSON])

    assert server.transport.json_at_hand(None) is None
    assert server.transport.arrived() is None
    assert server.reads == 1
    read = asyncio.ensure_future(server.transport.next_chunk())
    await settle()
    server.body(b"late", more=False)

    assert await read == b"late"


async def test_a_body_in_pieces_is_not_at_hand_and_comes_whole_in_chunks() -> None:
    server = Server([JSON])
    server.body(b"one", b"two", more=False)

    assert server.transport.json_at_hand(None) is None
    assert server.transport.arrived() is None
    assert [await server.transport.next_chunk() for _ in range(3)] == [b"one", b"two", None]


async def test_nothing_is_at_hand_of_a_body_that_somebody_reads() -> None:
    server = Server([JSON])
    server.messages.put_nowait({"type": "http.request", "body": b"whole"})

    assert await server.transport.next_chunk() == b"whole"
    assert server.transport.json_at_hand(None) is None


async def test_a_client_that_left_is_asked_once() -> None:
    server = Server([JSON])
    server.leave()

    assert server.transport.json_at_hand(None) is None
    assert server.transport.arrived() is None
    with pytest.raises(ClientDisconnect):
        await server.transport.next_chunk()
