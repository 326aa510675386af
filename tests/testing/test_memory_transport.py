"""The transport in memory: the app's side and the client's side of one exchange."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ClientDisconnect
from nexios.messages.transport import HTTPTransport
from nexios.testing import MemoryTransport
from nexios.testing.exchange import serve_in_memory


async def answer_of(app: NexiosApp, transport: MemoryTransport) -> bytes:
    await serve_in_memory(app.compile(), transport)
    return await transport.response_body()


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.post("/echo")
    async def echo(request: Any, response: Any) -> Any:
        return response.binary(await request.body())

    @app.get("/empty")
    async def empty(request: Any, response: Any) -> Any:
        return response.status(204)

    return app


def test_it_satisfies_the_contract_of_transports() -> None:
    transport: HTTPTransport = MemoryTransport()
    assert transport.server_name == "memory"


async def test_an_app_answers_with_bytes() -> None:
    transport = MemoryTransport("POST", "/echo", body=[b"a", b"", b"b"])
    assert await answer_of(make_app(), transport) == b"ab"
    assert (transport.verb, transport.status, transport.complete) == ("bytes", 200, True)
    assert ("content-length", "2") in transport.response_headers


async def test_an_app_answers_without_a_body() -> None:
    transport = MemoryTransport("GET", "/empty")
    assert await answer_of(make_app(), transport) == b""
    assert (transport.verb, transport.status) == ("empty", 204)


async def test_an_app_names_a_file_when_the_transport_sends_files(tmp_path: Any) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"0123456789")
    app = NexiosApp()

    @app.get("/file")
    async def file(request: Any, response: Any) -> Any:
        return response.file(path)

    transport = MemoryTransport("GET", "/file", headers=[("range", "bytes=2-4")], sends_files=True)
    assert await answer_of(app, transport) == b"234"
    assert transport.verb == "file"
    assert transport.file is not None
    assert transport.file[1:] == (2, 5)


async def test_a_streaming_app_is_never_more_than_one_chunk_ahead() -> None:
    made: list[int] = []
    app = NexiosApp()

    @app.get("/")
    async def numbers(request: Any, response: Any) -> Any:
        async def each() -> AsyncIterator[str]:
            for number in range(10):
                made.append(number)
                yield str(number)

        return response.stream(each(), "text/plain")

    transport = MemoryTransport()
    task = asyncio.create_task(serve_in_memory(app.compile(), transport))
    chunks = aiter(transport)
    assert await anext(chunks) == b"0"
    for _ in range(50):
        await asyncio.sleep(0)
    assert made == [0, 1, 2]
    assert [chunk async for chunk in chunks] == [b"%d" % number for number in range(1, 10)]
    await task
    assert (transport.verb, transport.complete) == ("stream", True)


async def test_a_client_that_leaves_half_way_is_noticed_and_the_part_is_not_the_whole() -> None:
    transport = MemoryTransport("POST", body=[b"abc", b"def"], leave_after=4)
    assert await transport.next_chunk() == b"abc"
    assert await transport.next_chunk() == b"d"
    with pytest.raises(ClientDisconnect):
        await transport.next_chunk()


async def test_what_arrives_while_the_client_is_watched_is_kept_for_the_reader() -> None:
    transport = MemoryTransport("POST", body=[b"a", b"b"], leave_after=2)
    await transport.disconnected()
    assert [await transport.next_chunk(), await transport.next_chunk()] == [b"a", b"b"]
    with pytest.raises(ClientDisconnect):
        await transport.next_chunk()


async def test_a_reader_that_gives_up_leaves_its_chunk_to_the_next() -> None:
    released = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await released.wait()
        yield b"late"

    transport = MemoryTransport("POST", body=slow())
    reader = asyncio.create_task(transport.next_chunk())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait({reader})
    released.set()
    assert await transport.next_chunk() == b"late"
    assert await transport.next_chunk() is None


async def test_a_body_that_fails_is_a_client_that_left() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"a"
        raise KeyError("mine")

    transport = MemoryTransport("POST", body=failing())
    assert await transport.next_chunk() == b"a"
    with pytest.raises(ClientDisconnect):
        await transport.next_chunk()
    assert isinstance(transport.body_error, KeyError)


async def test_after_the_client_has_left_nothing_can_be_sent() -> None:
    transport = MemoryTransport()
    transport.leave()
    await transport.disconnected()
    with pytest.raises(ClientDisconnect):
        await transport.send_bytes(200, [], b"a")
    assert not transport.started


async def test_a_stream_stops_when_the_client_leaves() -> None:
    transport = MemoryTransport()
    transport.begin("stream", 200, [])
    await transport.push(b"a")
    second = asyncio.create_task(transport.push(b"b"))
    await asyncio.sleep(0)
    transport.leave()
    with pytest.raises(ClientDisconnect):
        await second


async def test_an_exchange_is_answered_once() -> None:
    transport = MemoryTransport()
    await transport.send_empty(204, [])
    with pytest.raises(RuntimeError, match="twice"):
        await transport.send_empty(204, [])


async def test_closing_an_exchange_closes_the_body_that_was_half_read() -> None:
    closed: list[bool] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    transport = MemoryTransport("POST", body=chunks())
    await transport.next_chunk()
    await transport.close()
    assert closed == [True]
    await transport.answered()
    assert not transport.started
